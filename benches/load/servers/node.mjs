// Node.js http, with `checkContinue`; refuses long uploads by their Content-Length. The first line
// printed is the address.
import { createServer } from "node:http";

const LIMIT = 2 << 20;

function upload(request, response) {
  if (Number(request.headers["content-length"]) > LIMIT) {
    response.writeHead(413, { "content-type": "text/plain" }).end("too large\n");
    return;
  }
  if (request.headers.expect) response.writeContinue();
  let bytes = 0;
  request.on("data", (data) => (bytes += data.length));
  request.on("end", () => response.end(`${bytes} bytes\n`));
}

const server = createServer(upload).on("checkContinue", upload);
server.listen(0, "127.0.0.1", () => {
  const { address, port } = server.address();
  console.log(`${address}:${port}`);
});
