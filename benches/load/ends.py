"""What requests cost that are let in: axum with the layer against axum without, end to end.

The servers run at the same time; rounds alternate between them, and the ratios are those of
neighbouring rounds. Each block has servers of its own, since where a process lies in memory has an
effect, too. `bare again` is a second process of the same program: how far its ratios are from 1 is how
far the measurement can be trusted. `no-op` has a layer that does nothing.
"""

import json
import signal
import subprocess
from contextlib import ExitStack

from servers import CLIENT_CORE, HERE, pinned
from spread import medians, ratio, spread

SERVERS = ("bare", "bare again", "no-op", "layer")
# Method, path, length, whether the client asks for a 100, connections.
WORKLOADS = {
    "GET": ("GET", "/", 0, False, 32),
    "POST 1 KiB": ("POST", "/form", 1 << 10, False, 32),
    "PUT 1 MiB": ("PUT", "/upload", 1 << 20, False, 8),
    "PUT 1 MiB, Expect": ("PUT", "/upload", 1 << 20, True, 8),
}
# Of glibc: whether it hands memory back between two uploads, for the next to fault it in again, hangs on
# what happens to lie at the end of the heap, and made up to a fifth of the time. So it keeps all.
HEAP = {"MALLOC_TRIM_THRESHOLD_": str(1 << 30), "MALLOC_MMAP_THRESHOLD_": str(32 << 20)}


def measure(programs, quick):
    blocks, rounds, seconds = (1, 3, 0.3) if quick else (3, 7, 0.7)
    workloads = {}
    for name, workload in WORKLOADS.items():
        runs = {server: [] for server in SERVERS}
        for block in range(blocks):
            one_block(programs, workload, rounds, seconds, block, runs)
        workloads[name] = {server: summary(runs, server) for server in SERVERS}
    return {"rounds": blocks * rounds, "seconds a round": seconds, "workloads": workloads}


def one_block(programs, workload, rounds, seconds, block, runs):
    with ExitStack() as stack:
        servers = {
            name: stack.enter_context(programs.server(name.removesuffix(" again"), **HEAP))
            for name in SERVERS
        }
        for server in servers.values():
            load(programs, server, workload, seconds)
        for number in range(rounds):
            # Each is as often early as late.
            shift = (block + number) % len(SERVERS)
            order = SERVERS[shift:] + SERVERS[:shift]
            for name in order[:: 1 if number % 2 else -1]:
                runs[name].append(load(programs, servers[name], workload, seconds))


def load(programs, server, workload, seconds):
    method, path, length, expect, connections = workload
    before = server.processor_seconds()
    if expect:
        run = programs.driver("uploads", server.address, connections, seconds, length)
    else:
        run = wrk(server.address, method, path, length, connections, seconds)
    taken = server.processor_seconds() - before
    return {
        "requests/s": run["requests"] / run["seconds"],
        "p99_us": run["p99_us"],
        "processor_us": taken / run["requests"] * 1e6,
    }


def wrk(address, method, path, length, connections, seconds):
    # wrk takes whole seconds only, but reports as well when it is interrupted.
    process = pinned(
        CLIENT_CORE,
        *("wrk", "-t1", f"-c{connections}", "-d60", "-s", HERE / "wrk.lua", f"http://{address}"),
        *("--", method, path, length),
        stdout=subprocess.PIPE,
    )
    try:
        process.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=20)
    run = json.loads(said.splitlines()[-1])
    if run["failed"] or not run["requests"]:
        raise RuntimeError(f"wrk: {run}")
    return run


def summary(runs, server):
    sums = medians(runs[server])
    ratios = {}
    for key in sums:
        pairs = zip(runs[server], runs["bare"])
        ratios[key] = spread([run[key] / bare[key] for run, bare in pairs])
    return sums | {"of bare": ratios}


def table(measured):
    lines = [
        f"Requests let in, one processor each for server and client, "
        f"{measured['rounds']} alternating rounds of {measured['seconds a round']} s",
        f"{'':18} {'':10} {'requests/s':>10} {'of bare (quartiles)':>22} {'p99 µs':>8} "
        f"{'of bare':>22} {'processor µs':>12} {'of bare':>22}",
    ]
    for workload, servers in measured["workloads"].items():
        for name, of_server in servers.items():
            of_bare = of_server["of bare"]
            lines.append(
                f"{workload:18} {name:10} {of_server['requests/s']:10,.0f} "
                f"{ratio(of_bare['requests/s']):>22} {of_server['p99_us']:8,.0f} "
                f"{ratio(of_bare['p99_us']):>22} {of_server['processor_us']:12.2f} "
                f"{ratio(of_bare['processor_us']):>22}"
            )
    return "\n".join(lines) + "\n"
