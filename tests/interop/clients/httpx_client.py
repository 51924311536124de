"""httpx; the variants are h1 and h2."""

import ssl
import sys

import common
import httpx

variant = sys.argv[1]
tls = ssl.create_default_context()


def upload(url, body, expect, token):
    headers = {"Authorization": f"Bearer {token}"}
    if expect:
        headers["Expect"] = "100-continue"
    http2 = variant == "h2"
    with httpx.Client(http1=not http2, http2=http2, verify=tls, timeout=60) as client:
        return client.put(url, content=body, headers=headers).status_code


common.main(upload, sys.argv[2:])
