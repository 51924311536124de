"""Memory of connections that wait: their clients ask for a 100, which the server does not send yet.

Resident memory of the process with all connections open less that with one. All but `asking` hold the
request in a handler that never polls its content; `asking` has it before an asynchronous validator that
never decides. Each is compared with a server that differs in the layer alone: `no-op` has a layer that
does nothing, `shared` makes the router's routes once rather than for each connection
(`into_make_service`), as `around` does, where the layer wraps the whole router.
"""

from statistics import median

from spread import spread

HELD = "/held"
# Where the requests wait, and what the server is compared with.
SERVERS = {
    "bare": (HELD, ()),
    "no-op": (HELD, ("bare",)),
    "layer": (HELD, ("bare", "no-op")),
    "asking": ("/upload", ("bare",)),
    "shared": (HELD, ()),
    "around": (HELD, ("shared",)),
}


def measure(programs, quick):
    rounds, connections = (2, 1_000) if quick else (3, 10_000)
    sizes = {name: [] for name in SERVERS}
    for number in range(rounds):
        for name in list(SERVERS)[:: 1 if number % 2 else -1]:
            sizes[name].append(one_connection(programs, name, connections))
    beyond = {
        name: {
            other: spread([this - that for this, that in zip(sizes[name], sizes[other])])
            for other in others
        }
        for name, (_, others) in SERVERS.items()
    }
    return {
        "rounds": rounds,
        "connections": connections,
        "bytes a connection": {name: median(of_name) for name, of_name in sizes.items()},
        "beyond": beyond,
    }


def one_connection(programs, name, connections):
    """Bytes that one waiting connection takes."""
    path, _ = SERVERS[name]
    with programs.server(name) as server, programs.hold(server.address, path, 1) as first:
        before = server.resident_bytes()
        with programs.hold(server.address, path, connections) as others:
            after = server.resident_bytes()
            others.stdin.close()
        first.stdin.close()
    return (after - before) / connections


def table(measured):
    lines = [
        f"Resident memory of each of {measured['connections']:,} waiting connections, "
        f"median of {measured['rounds']} rounds",
        f"{'server':8} {'bytes':>7}  beyond (quartiles)",
    ]
    for name, size in measured["bytes a connection"].items():
        shown = [difference(*item) for item in measured["beyond"][name].items()]
        lines.append(f"{name:8} {size:7,.0f}  {', '.join(shown)}")
    return "\n".join(lines) + "\n"


def difference(other, sizes):
    low, high = sizes["quartiles"]
    return f"{other} {sizes['median']:+.0f} ({low:+.0f} to {high:+.0f})"
