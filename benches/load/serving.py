"""`tower_expect::serve` beside `axum::serve`: requests a second, and the memory of idle connections.

The application is the same, without the layer. wrk sends over HTTP/1.1, h2load over HTTP/2 with prior
knowledge. Two rounds of one server stand between two of the other (ABBA), so that a drift of the machine
meets both alike; the ratios are those of neighbours. Each block has servers of its own, since where a
process lies in memory has an effect, too. `axum-serve again` is a second process of the same program: how
far its ratios are from 1 is how far the measurement can be trusted.
"""

import re
import socket
import subprocess
from contextlib import ExitStack, contextmanager

from ends import HEAP, wrk
from servers import CLIENT_CORE, pinned
from spread import medians, ratio, spread

OURS, AXUM, AGAIN = "serve", "axum-serve", "axum-serve again"
# Path and length of the body, connections, streams of each over HTTP/2.
WORKLOADS = {
    "GET": ("/", 0, 32, 10),
    "PUT 64 KiB": ("/upload", 64 << 10, 16, 4),
    "PUT 8 MiB": ("/upload", 8 << 20, 2, 2),
}
VERSIONS = ("HTTP/1.1", "HTTP/2")
REQUESTS = {
    "HTTP/1.1": b"GET / HTTP/1.1\r\nhost: a\r\n\r\n",
    # The preface, empty SETTINGS, and HEADERS of stream 1 that end it: GET, http, /, authority `a`.
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0"
    b"\0\0\6\1\5\0\0\0\1\x82\x86\x84\x41\1a",
}
BODY = b"hello\n"


def measure(programs, quick):
    blocks, pairs, seconds = (1, 3, 0.5) if quick else (3, 5, 0.7)
    workloads = {}
    for version in VERSIONS:
        for name, workload in WORKLOADS.items():
            runs = {server: [] for server in (OURS, AXUM, AGAIN)}
            for _ in range(blocks):
                one_block(programs, version, workload, pairs, seconds, runs)
            workloads[f"{name}, {version}"] = {server: summary(runs, server) for server in runs}
    return {
        "rounds": blocks * pairs,
        "seconds a round": seconds,
        "workloads": workloads,
        "memory": memory(programs, *((2, 1_000) if quick else (5, 5_000))),
    }


def one_block(programs, version, workload, pairs, seconds, runs):
    with ExitStack() as stack:
        servers = {
            name: stack.enter_context(programs.server(name.removesuffix(" again"), **HEAP))
            for name in runs
        }
        for server in servers.values():
            load(programs, server, version, workload, seconds)
        order = [OURS, AXUM, AGAIN]
        for _ in range(pairs):
            for name in order:
                runs[name].append(load(programs, servers[name], version, workload, seconds))
            order.reverse()


def load(programs, server, version, workload, seconds):
    path, length, connections, streams = workload
    before = server.processor_seconds()
    if version == "HTTP/1.1":
        method = "PUT" if length else "GET"
        run = wrk(server.address, method, path, length, connections, seconds)
        run["requests/s"] = run["requests"] / run["seconds"]
    else:
        body = programs.content(length) if length else None
        run = h2load(server.address + path, body, connections, streams, seconds)
    taken = server.processor_seconds() - before
    return {
        "requests/s": run["requests/s"],
        "processor_us": taken / run["requests"] * 1e6,
    }


def h2load(url, body, connections, streams, seconds):
    upload = ("-H", ":method: PUT", "-d", body) if body else ()
    process = pinned(
        CLIENT_CORE,
        *("h2load", "-t1", f"-c{connections}", f"-m{streams}", "-D", f"{seconds * 1000:.0f}ms"),
        *(*upload, f"http://{url}"),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    said, _ = process.communicate(timeout=60)
    sums = re.search(r"requests: .* (\d+) succeeded, (\d+) failed, (\d+) errored", said)
    statuses = re.search(r"status codes: (\d+) 2xx, 0 3xx, 0 4xx, 0 5xx", said)
    rate = re.search(r"([\d.]+) req/s", said)
    if not (sums and statuses and rate) or sums[2] != "0" or sums[3] != "0":
        raise RuntimeError(f"h2load: {said}")
    return {"requests": int(sums[1]), "requests/s": float(rate[1])}


def summary(runs, server):
    sums = medians(runs[server])
    of_axum = {}
    for key in sums:
        pairs = zip(runs[server], runs[AXUM])
        of_axum[key] = spread([run[key] / axums[key] for run, axums in pairs])
    return sums | {"of axum::serve": of_axum}


def memory(programs, rounds, connections):
    measured = {}
    for version in VERSIONS:
        sizes = {OURS: [], AXUM: []}
        for number in range(rounds):
            for name in list(sizes)[:: 1 if number % 2 else -1]:
                sizes[name].append(idle(programs, name, version, connections))
        measured[version] = {name: spread(of_name) for name, of_name in sizes.items()}
    return {"rounds": rounds, "connections": connections, "bytes a connection": measured}


def idle(programs, name, version, connections):
    """Bytes that an idle connection takes which has had a response."""
    with programs.server(name) as server, opened(server.address, version, 8):
        before = server.resident_bytes()
        with opened(server.address, version, connections):
            return (server.resident_bytes() - before) / connections


@contextmanager
def opened(address, version, connections):
    host, port = address.split(":")
    with ExitStack() as stack:
        for _ in range(connections):
            client = stack.enter_context(socket.create_connection((host, int(port)), 10))
            client.sendall(REQUESTS[version])
            received = b""
            while BODY not in received:
                received += (chunk := client.recv(4096))
                if not chunk:
                    raise RuntimeError(f"{version}: no response")
        yield


def table(measured):
    lines = [
        f"The same application by two servers, one processor each for server and client, "
        f"{measured['rounds']} alternating rounds of {measured['seconds a round']} s",
        f"{'':20} {'':17} {'requests/s':>10} {'of axum::serve (quartiles)':>27} "
        f"{'processor µs':>12} {'of axum::serve':>22}",
    ]
    for workload, servers in measured["workloads"].items():
        for name, of_server in servers.items():
            of_axum = of_server["of axum::serve"]
            lines.append(
                f"{workload:20} {name:17} {of_server['requests/s']:10,.0f} "
                f"{ratio(of_axum['requests/s']):>27} {of_server['processor_us']:12.2f} "
                f"{ratio(of_axum['processor_us']):>22}"
            )
    of_memory = measured["memory"]
    lines.append(
        f"Resident memory of each of {of_memory['connections']:,} idle connections, "
        f"{of_memory['rounds']} rounds: median (quartiles), bytes"
    )
    for version, servers in of_memory["bytes a connection"].items():
        for name, size in servers.items():
            low, high = size["quartiles"]
            lines.append(
                f"{version:20} {name:17} {size['median']:10,.0f} ({low:,.0f}–{high:,.0f})"
            )
    return "\n".join(lines) + "\n"
