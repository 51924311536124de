"""aiohttp's server, with an `expect_handler`. The first line printed is the address."""

import asyncio
import socket

from aiohttp import web

LIMIT = 1024


async def expect(request):
    """Sends the 100 unless the head says enough."""
    check(request)
    await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    # What aiohttp's own handler does, too: the 100 is no part of the response.
    request.writer.output_size = 0


def check(request):
    path = request.path
    if path.startswith("/handler401/"):
        return
    if path.startswith("/r417/"):
        raise web.HTTPExpectationFailed()
    if path.startswith("/r413/") and (request.content_length or 0) > LIMIT:
        raise web.HTTPRequestEntityTooLarge(LIMIT, request.content_length)
    if request.headers.get("authorization") != "Bearer s3cr3t":
        raise web.HTTPUnauthorized(headers={"www-authenticate": "Bearer"})


async def upload(request):
    check(request)
    if request.path.startswith("/handler401/"):
        await request.content.readany()
        raise web.HTTPUnauthorized()
    count = 0
    async for data in request.content.iter_any():
        count += len(data)
    return web.Response(text=f"{count} bytes\n")


async def main():
    app = web.Application(client_max_size=0)
    app.router.add_route("*", "/{path:.*}", upload, expect_handler=expect)
    runner = web.AppRunner(app)
    await runner.setup()
    listener = socket.create_server(("127.0.0.1", 0))
    await web.SockSite(runner, listener).start()
    print("{}:{}".format(*listener.getsockname()), flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
