"""What the clients written in Python share: the command line and the output.

    CLIENT [VARIANT] [URL BYTES EXPECT TOKEN RUNS]

Without the job on the command line, jobs are read from the standard input, one a line. One line a
run tells what the caller of the library saw: the status, or `error:` and what was raised.
"""

import sys


def outcome(upload, *args):
    try:
        return str(upload(*args))
    except Exception as error:
        while error.__cause__ or error.__context__:
            error = error.__cause__ or error.__context__
        text = str(error).split("\n")[0].replace(" ", "_")
        return f"error:{type(error).__name__}:{text}"


def main(upload, job=None):
    """Calls `upload(url, body, expect, token)`, which returns the status, once a run."""
    for line in [" ".join(job)] if job else sys.stdin:
        url, size, expect, token, runs = line.split()
        body = bytes(int(size))
        for _ in range(int(runs)):
            print(outcome(upload, url, body, expect == "1", token), flush=True)
