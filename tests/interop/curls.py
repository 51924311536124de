"""curl's uploads through a proxy, and the requests that it sends behind each of them.

Two of them: the tool as installed, and a newer libcurl, which comes with pycurl.
"""

import collections
import io
import subprocess
import zlib

import pycurl

from rows import CASES, PATHS, TOKENS

SIZES = {"300K": 300 << 10, "8M": 8 << 20}
SECONDS = 15
# By the version of HTTP: the tool's option and the library's.
VERSIONS = {
    "1.1": ("--http1.1", pycurl.CURL_HTTP_VERSION_1_1),
    "2": ("--http2-prior-knowledge", pycurl.CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE),
}
ECHOES = ("/echo/1", "/echo/2", "/echo/3")
TIMED_OUT = 28
LIBRARY = pycurl.version_info()[1]
# Between content and numbers.
MARK = "\x1e"


def contents(work):
    """What to upload; blocks that change places show in the checksum."""
    block = bytes(range(256)) * 4 + bytes(17)
    files = {}
    for name, size in SIZES.items():
        files[name] = work / f"content-{name}"
        files[name].write_bytes((block * (size // len(block) + 1))[:size])
    return files


def cells(address, http, files, cases, runs):
    """One cell a client, case, size and Expect."""
    for client, transfer in (("curl", with_tool), ("libcurl", with_library)):
        for case in cases:
            for size, file in files.items():
                for expect in (False, True):
                    outcomes = collections.Counter(
                        upload(transfer, address, http, file, case, expect) for _ in range(runs)
                    )
                    yield {
                        "client": client + "-h2" * (http == "2") + "-expect" * expect,
                        "http": http,
                        "expect": expect,
                        "case": case,
                        "size": size,
                        "runs": runs,
                        "seen": outcomes[CASES[case]],
                        "outcomes": dict(outcomes),
                    }


def is_grave(outcomes):
    """What no bug of a client excuses: hanging, damage, and answers to other requests."""
    return any(
        outcome.startswith(("hang", "stored")) or ", then" in outcome for outcome in outcomes
    )


def upload(transfer, address, http, file, case, expect):
    """The status, if all went well: this upload and the requests that follow it."""
    base = f"http://{address}"
    fields = [f"Authorization: Bearer {TOKENS.get(case, 's3cr3t')}"]
    fields += ["Expect: 100-continue" if expect else "Expect:"]
    requests = [(f"{base}/{PATHS.get(case, case)}/object", fields, file)]
    requests += [(base + echo, ["Authorization: Bearer s3cr3t"], None) for echo in ECHOES]
    (code, status, said), *echoes = transfer(http, requests)
    if code:
        return "hang" if code == TIMED_OUT else f"error {code} with status {status}"
    content = file.read_bytes()
    stored = f"<Uploaded>{len(content)} {zlib.adler32(content)}</Uploaded>\n"
    if case == "accepted" and status == 200 and said != stored:
        return f"stored {said!r}"
    for echo, answer in zip(ECHOES, echoes):
        if answer != (0, 200, echo):
            return f"{status}, then {answer}"
    return str(status)


def with_tool(http, requests):
    """curl's exit code, the status and the content of each."""
    # curl 7.88 cannot use a connection of HTTP/2 with prior knowledge twice (curl/curl#10634).
    runs = [requests] if http == "1.1" else [[request] for request in requests]
    answers = []
    for run in runs:
        command = ["curl"]
        for url, fields, file in run:
            command += ["--next"] * (len(command) > 1)
            command += ["--silent", "--max-time", str(SECONDS), VERSIONS[http][0], url]
            command += ["--write-out", f"{MARK}%{{exitcode}} %{{http_code}}{MARK}"]
            command += [part for field in fields for part in ("--header", field)]
            command += ["--upload-file", str(file)] if file else []
        limit = SECONDS * len(run) + 5
        done = subprocess.run(command, capture_output=True, text=True, timeout=limit)
        parts = done.stdout.split(MARK)
        for content, numbers in zip(parts[0::2], parts[1::2]):
            answers.append((*map(int, numbers.split()), content))
    return answers


def with_library(http, requests):
    """The same of libcurl."""
    curl = pycurl.Curl()
    answers = [library_transfer(curl, http, *request) for request in requests]
    curl.close()
    return answers


def library_transfer(curl, http, url, fields, file):
    content = io.BytesIO()
    # Keeps the connections.
    curl.reset()
    curl.setopt(pycurl.NOSIGNAL, 1)
    curl.setopt(pycurl.TIMEOUT, SECONDS)
    curl.setopt(pycurl.HTTP_VERSION, VERSIONS[http][1])
    curl.setopt(pycurl.URL, url)
    curl.setopt(pycurl.HTTPHEADER, fields)
    curl.setopt(pycurl.WRITEDATA, content)
    source = open(file, "rb") if file else io.BytesIO()
    with source:
        if file:
            curl.setopt(pycurl.UPLOAD, 1)
            curl.setopt(pycurl.INFILESIZE, file.stat().st_size)
            curl.setopt(pycurl.READDATA, source)
            # To repeat after a 417.
            curl.setopt(pycurl.SEEKFUNCTION, lambda offset, origin: source.seek(offset) * 0)
        code = 0
        try:
            curl.perform()
        except pycurl.error as error:
            code = error.args[0]
    return code, curl.getinfo(pycurl.RESPONSE_CODE), content.getvalue().decode(errors="replace")
