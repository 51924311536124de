// Node.js http with `checkContinue`. The first line printed is the address.
import { createServer } from "node:http";

const LIMIT = 1024;

function upload(request, response) {
  const inHandler = request.url.startsWith("/handler401/");
  const status = inHandler ? 0 : check(request);
  if (status) return refuse(response, status);
  if (request.headers.expect) response.writeContinue();
  if (inHandler) {
    request.once("data", () => refuse(response, 401));
    return;
  }
  let bytes = 0;
  request.on("data", (data) => (bytes += data.length));
  request.on("end", () => response.end(`${bytes} bytes\n`));
}

function check({ url, headers }) {
  if (url.startsWith("/r417/")) return 417;
  if (url.startsWith("/r413/") && Number(headers["content-length"]) > LIMIT) return 413;
  return headers.authorization === "Bearer s3cr3t" ? 0 : 401;
}

function refuse(response, status) {
  response.writeHead(status, { "www-authenticate": "Bearer" }).end("refused\n");
}

const server = createServer(upload).on("checkContinue", upload);
server.listen(0, "127.0.0.1", () => {
  const { address, port } = server.address();
  console.log(`${address}:${port}`);
});
