"""Refused uploads of 100 MiB: how many a second, how soon, after how many bytes, and seen by whom.

Every server refuses content longer than 2 MiB in its own way. The clients are the driver's: `waiting`
asks for the 100, `watching` sends at once and looks for an answer before each piece, `blind` looks
only when all is sent. Each refusal has a connection of its own. A refusal counts if the client got to
see the 413; rounds alternate between the servers.
"""

from contextlib import ExitStack
from statistics import median

from spread import ratio, spread

LAYER = "layer"
SERVERS = {
    LAYER: "axum, ExpectLayer",
    "bare": "axum, in the handler",
    "limit-layer": "axum, RequestBodyLimitLayer",
    "body-limit": "axum, DefaultBodyLimit",
    "actix": "actix-http, expect handler",
    "go": "Go net/http",
    "node": "Node.js, checkContinue",
    "nginx": "nginx, client_max_body_size",
}
CLIENTS = ("waiting", "watching", "blind")
LENGTH = 100 << 20
CONNECTIONS = 8


def measure(programs, quick):
    rounds, seconds = (2, 0.3) if quick else (7, 1.0)
    runs = {client: {name: [] for name in SERVERS} for client in CLIENTS}
    with ExitStack() as stack:
        servers = {name: stack.enter_context(programs.server(name)) for name in SERVERS}
        for client in CLIENTS:
            for server in servers.values():
                refuse(programs, client, server, 0.1)
            for number in range(rounds):
                for name in list(SERVERS)[:: 1 if number % 2 else -1]:
                    run = refuse(programs, client, servers[name], seconds)
                    runs[client][name].append(run)
    clients = {
        client: {name: summary(of_client, name) for name in SERVERS}
        for client, of_client in runs.items()
    }
    return {
        "rounds": rounds,
        "seconds a round": seconds,
        "connections": CONNECTIONS,
        "clients": clients,
    }


def refuse(programs, client, server, seconds):
    before = server.processor_seconds()
    run = programs.driver("refusals", client, server.address, CONNECTIONS, seconds, LENGTH)
    taken = server.processor_seconds() - before
    return run | {
        "refusals/s": run["seen"] / run["seconds"],
        "processor_us": taken / run["attempts"] * 1e6,
    }


def summary(runs, name):
    of_server = runs[name]
    attempts = sum(run["attempts"] for run in of_server)
    seen = sum(run["seen"] for run in of_server)
    sums = {
        "attempts": attempts,
        "seen": seen,
        "sent a refusal": sum(run["sent"] for run in of_server) / attempts,
        "refusals/s": median(run["refusals/s"] for run in of_server),
        "processor_us": median(run["processor_us"] for run in of_server),
    }
    if all(run["seen"] for run in of_server):
        for key in ("p50_us", "p99_us"):
            sums[key] = median(run[key] for run in of_server)
        pairs = list(zip(runs[LAYER], of_server))
        sums["layer's"] = {
            key: spread([layer[key] / other[key] for layer, other in pairs])
            for key in ("refusals/s", "p99_us", "processor_us")
        }
    return sums


def table(measured):
    lines = [
        f"Refusals of uploads of {LENGTH >> 20} MiB, {measured['connections']} at a time, "
        f"{measured['rounds']} alternating rounds of {measured['seconds a round']} s",
        f"{'client':9} {'server':28} {'seen':>13} {'refusals/s':>10} {'layer ÷ it':>22} "
        f"{'p50 µs':>8} {'p99 µs':>9} {'processor µs':>12} {'KiB sent':>9}",
    ]
    for client, servers in measured["clients"].items():
        for name, sums in servers.items():
            of_it = sums.get("layer's")
            lines.append(
                f"{client:9} {SERVERS[name]:28} {share(sums):>13} {sums['refusals/s']:10,.0f} "
                f"{ratio(of_it['refusals/s']) if of_it else '':>22} "
                f"{sums.get('p50_us', 0):8,.0f} {sums.get('p99_us', 0):9,.0f} "
                f"{sums['processor_us']:12,.0f} {sums['sent a refusal'] / 1024:9,.0f}"
            )
    return "\n".join(lines) + "\n"


def share(sums):
    return f"{sums['seen']}/{sums['attempts']}"
