"""httpx; the variants are h1 and h2."""

import ssl
import sys

import common
import httpx

variant = sys.argv[1]
tls = ssl.create_default_context()


def pieces(body, size=1 << 16):
    return (body[start : start + size] for start in range(0, len(body), size))


def upload(url, body, expect, token):
    headers = {"Authorization": f"Bearer {token}", "Content-Length": str(len(body))}
    if expect:
        headers["Expect"] = "100-continue"
    http2 = variant == "h2"
    # On HTTP/2 it copies the rest of a piece for each frame.
    content = pieces(body) if http2 else body
    with httpx.Client(http1=not http2, http2=http2, verify=tls, timeout=60) as client:
        return client.put(url, content=content, headers=headers).status_code


common.main(upload, sys.argv[2:])
