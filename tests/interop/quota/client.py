"""An upload over a plain socket, step by step, which records what came and what was sent."""

import asyncio

from processes import token

PATIENCE = 20


class Upload:
    def __init__(self, user, length, expect=True, path="/file"):
        self.head = f"PUT {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n"
        self.head += f"Authorization: Bearer {token(user)}\r\n"
        self.head += "Expect: 100-continue\r\n\r\n" if expect else "\r\n"
        self.length = length
        self.sent = 0
        self.statuses = []
        self.headers = {}
        self.content = b""

    async def ask(self, server):
        """Sends the head and waits for the answer to it; without Expect only sends."""
        host, port = server.address.split(":")
        self.reader, self.writer = await asyncio.open_connection(host, int(port))
        self.writer.write(self.head.encode())
        if "Expect" in self.head:
            await self.receive()
        return self

    async def send(self, size=None):
        size = self.length - self.sent if size is None else size
        self.writer.write(bytes(size))
        await asyncio.wait_for(self.writer.drain(), PATIENCE)
        self.sent += size

    async def receive(self):
        """The next status, with the content of a final answer."""
        head = await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), PATIENCE)
        first, *lines = head.decode().rstrip().split("\r\n")
        self.headers = {name.lower(): value for name, value in (l.split(": ", 1) for l in lines)}
        length = int(self.headers.get("content-length", 0))
        self.content = await asyncio.wait_for(self.reader.readexactly(length), PATIENCE)
        self.statuses.append(int(first.split()[1]))
        return self.statuses[-1]

    async def finish(self):
        await self.send()
        return await self.receive()

    def end(self):
        self.writer.transport.abort()

    def is_admitted(self):
        return self.statuses[:1] == [100]

    def was_refused(self, status):
        """Whether that is all that came, and nothing of the content was sent."""
        return self.statuses == [status] and self.sent == 0


async def upload(server, user, length, **options):
    """The whole of an upload that may be refused."""
    attempt = await Upload(user, length, **options).ask(server)
    if attempt.is_admitted() or not attempt.statuses:
        await attempt.finish()
    attempt.end()
    return attempt
