"""A server that takes unread content for further requests: the probes have to notice it."""

import http.server
import threading


class Careless(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_PUT(self):
        self.answer(401, "")

    def do_GET(self):
        self.server.paths.append(self.path)
        self.answer(200, "\n".join(self.server.paths))

    def answer(self, status, content):
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content.encode())

    def handle_expect_100(self):
        return True

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    """Every request lists the paths of all GET requests so far."""

    def __enter__(self):
        self.paths = []
        threading.Thread(target=self.serve_forever, daemon=True).start()
        return "127.0.0.1:{}".format(self.server_address[1])

    def handle_error(self, *_):
        """Clients close when they have seen enough."""

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()


def start():
    return Server(("127.0.0.1", 0), Careless)
