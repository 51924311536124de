"""Requests hidden in refused content: the server behind the proxy never executes one."""

import http.client
import itertools

import careless
from exchange import KINDS, TOKEN
from rows import CASES, TOKENS
from tap import split

HIDDEN = "GET {path} HTTP/1.1\r\nHost: a\r\n\r\n"
TIMINGS = ("with the head", "half with the head", "after the answer")
BRIEF = 0.15
PATIENCE = 3
AUTHORIZATION = {"authorization": f"Bearer {TOKEN}"}


def attacks(path):
    """Framing and bytes; each byte belongs to the content, or to nothing that is well-formed."""
    hidden = HIDDEN.format(path=path)
    length = len(hidden)
    filler = "x" * length
    chunked = {"transfer-encoding": "chunked"}
    return {
        "in the content": (fields(length), hidden),
        "instead of the content": (fields(5), hidden),
        "instead of much": (fields(1_000_000), hidden * 2),
        "behind half the content": (fields(2 * length), filler + hidden),
        "in a chunk": (chunked, f"{length:x}\r\n{hidden}\r\n0\r\n\r\n"),
        "instead of a chunk": (chunked, hidden * 2),
        "behind half a chunk": (chunked, f"{2 * length:x}\r\n{filler}{hidden}\r\n0\r\n\r\n"),
    }


def fields(length):
    return {"content-length": str(length)}


# After these, a client may go on with the connection.
HONEST = ("in the content", "in a chunk")
# Over HTTP/2 the framing is that of the frames; more or less than announced is malformed.
ATTACKS = {
    "1.1": tuple(attacks("")),
    "2": ("in the content", "instead of the content", "instead of much", "behind half the content"),
}


def probe(addresses, version, name, cases):
    """All attacks; the paths that must not be executed, and what went wrong with other requests."""
    paths, wrong = {}, []
    bystander = Bystander(addresses["1.1"])
    combinations = itertools.product(cases, (True, False), ATTACKS[version], TIMINGS)
    for number, (case, expect, attack, timing) in enumerate(combinations):
        path = f"/hidden/{name}/{version}/{number}"
        what = f"{case}, {'' if expect else 'not '}expecting, {attack}, {timing}"
        paths[path] = what
        said = [run(addresses[version], version, path, case, expect, attack, timing)]
        said += bystander.ask(f"{name}/{version}/{number}")
        wrong += [f"{what}: {words}" for words in said if words]
    bystander.connection.close()
    return paths, wrong


def run(address, version, path, case, expect, attack, timing):
    framing, hidden = attacks(path)[attack]
    head = {"authorization": f"Bearer {TOKENS.get(case, TOKEN)}", **framing}
    head |= {"expect": "100-continue"} if expect else {}
    hidden = hidden.encode()
    now = {TIMINGS[0]: len(hidden), TIMINGS[1]: len(hidden) // 2, TIMINGS[2]: 0}[timing]
    with KINDS[version](address, f"/{case}/object", head) as exchange:
        exchange.send(hidden[:now], end=not hidden[now:])
        exchange.wait_for_final(BRIEF)
        exchange.send(hidden[now:], end=True)
        exchange.wait_for_final(BRIEF)
        if attack not in HONEST:
            return exchange.wait_for_close(BRIEF)
        exchange.again("/echo/again")
        exchange.wait(PATIENCE, lambda: len(exchange.finals()) > 1)
        first, *rest = exchange.finals() or [None]
        if first != int(CASES[case]) or rest not in ([200], []):
            return f"answered {exchange.finals()}"
        return None if rest or exchange.closed else "the next request got no answer"


class Bystander:
    """Another client, on a connection that is kept alive."""

    def __init__(self, address):
        self.connection = http.client.HTTPConnection(*split(address), timeout=10)

    def ask(self, name):
        for number in range(2):
            path = f"/echo/{name}/{number}"
            try:
                status, said = self.get(path)
            except ConnectionError:
                # It may have been idle for too long; the next is on a new connection.
                self.connection.close()
                status, said = self.get(path)
            if (status, said) != (200, path):
                yield f"{path} got {status} {said[:60]!r}"

    def get(self, path):
        self.connection.request("GET", path, headers=AUTHORIZATION)
        response = self.connection.getresponse()
        return response.status, response.read().decode()


def called(server):
    """Which hidden requests the server has executed; asked without a proxy."""
    _, paths = Bystander(server).get("/called")
    return set(paths.split())


def control(address, name):
    """The path of a request that is not hidden, so that one executed would be noticed."""
    path = f"/hidden/{name}/control"
    Bystander(address).get(path)
    return path


def is_sharp():
    """Whether a request that is executed out of content is noticed."""
    with careless.start() as address:
        run(address, "1.1", "/hidden/sharp", "r401", True, "in the content", TIMINGS[2])
        return "/hidden/sharp" in called(address)
