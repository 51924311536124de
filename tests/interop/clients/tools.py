"""The command line tools curl and nghttp; the variants are curl, curl-h2, nghttp, and
curl-1ms, which waits a millisecond for the 100.
"""

import re
import subprocess
import sys
import tempfile

import common

variant = sys.argv[1]
content = tempfile.NamedTemporaryFile()


def curl(url, expect, authorization):
    version = "--http2-prior-knowledge" if variant == "curl-h2" else "--http1.1"
    command = ["curl", "--silent", "--show-error", version, "--output", "/dev/null"]
    command += ["--write-out", "%{http_code}", "--header", authorization]
    command += ["--header", "Expect: 100-continue" if expect else "Expect:"]
    command += ["--expect100-timeout", "0.001"] * (variant == "curl-1ms")
    done = subprocess.run([*command, "--upload-file", content.name, url], capture_output=True)
    if done.returncode:
        said = done.stderr.decode().strip()
        raise RuntimeError(f"{said}_code={done.stdout.decode()}")
    return done.stdout.decode()


def nghttp(url, expect, authorization):
    command = ["nghttp", "-nv", "--header", authorization, "--data", content.name]
    if expect:
        command.append("--expect-continue")
    done = subprocess.run([*command, url], capture_output=True, check=True)
    plain = re.sub(rb"\x1b\[[0-9;]*m", b"", done.stdout)
    return re.findall(rb":status: (\d+)", plain)[-1].decode()


def upload(url, body, expect, token):
    if content.seek(0, 2) != len(body):
        content.truncate(0)
        content.seek(0)
        content.write(body)
        content.flush()
    tool = nghttp if variant == "nghttp" else curl
    return tool(url, expect, f"Authorization: Bearer {token}")


common.main(upload, sys.argv[2:])
