"""What a proxy makes of an upload, seen from both of its sides."""

import re

from exchange import KINDS

# The parts of the content: less than what proxies gather, and more; the first two are less than
# the first window of HTTP/2.
PARTS = (4 << 10, 36 << 10, 60 << 10)
HOLD = 0.2
PATIENCE = 2
PAUSE = 0.6
BEFORE, AMID = "before the content", "amid the content"
STEPS = (BEFORE, "after 4 KiB of the content", AMID, "after the content")
AFTER = STEPS[-1]
# The content is all zeros.
HEAD = rb"(?:GET|PUT) [^\0]*?\r\n\r\n"
UPLOADS = {"accepted": ("/accept/object", "s3cr3t"), "refused": ("/r401/object", "none")}


def observe(address, http, tap):
    """Four uploads: let in and refused, with and without Expect."""
    return {
        f"{case}{'-expect' * expect}": upload(address, http, tap, case, expect)
        for case in UPLOADS
        for expect in (True, False)
    }


def upload(address, http, tap, case, expect):
    path, token = UPLOADS[case]
    fields = {"authorization": f"Bearer {token}", "content-length": str(sum(PARTS))}
    fields |= {"expect": "100-continue"} if expect else {}
    tap.forget()
    with KINDS[http](address, path, fields) as exchange:
        asked, answered = play(exchange, tap, expect)
    head = heads(tap)
    return {
        "status": exchange.final(),
        "answered": answered,
        "asked": asked,
        "expect_arrives": bool(head) and "expect: 100-continue" in head[-1].lower(),
        "hundred": who_sent_100(exchange, tap),
        "hundreds": sum(status < 200 for _, status in exchange.statuses),
        "content_at_server": len(re.sub(HEAD, b"", bytes_to_server(tap))),
    }


def play(exchange, tap, expect):
    """When the proxy asked the server, and when the client had the final status."""
    asked = None
    contents = [b"", *map(bytes, PARTS)]
    patience = [PATIENCE if expect else 0, PAUSE, PAUSE, 3]
    for step, content, seconds in zip(STEPS, contents, patience):
        exchange.send(content, end=step == AFTER)
        exchange.wait_for_final(seconds) if content else exchange.wait(seconds)
        # Time for the head to reach the server, but none for the answer.
        exchange.wait_for_final(HOLD / 2)
        asked = asked or (step if heads(tap) else None)
        if exchange.final() is not None:
            return asked, step
    return asked, None


def heads(tap):
    """The heads of the uploads that have reached the server; not those of questions by the way."""
    found = re.findall(HEAD, bytes_to_server(tap))
    return [head.decode() for head in found if head.startswith(b"PUT")]


def bytes_to_server(tap):
    return b"".join(chunk for _, chunk in tap.to_server)


def who_sent_100(exchange, tap):
    at_client = exchange.interim()
    if at_client is None:
        return None
    released = [chunk for when, chunk in tap.to_proxy if when <= at_client]
    if any(chunk.startswith(b"HTTP/1.1 100") for chunk in released):
        return "server"
    return "proxy, after an answer" if released else "proxy"
