"""What a run behind the proxies has shown: failures, and the tables for the documentation."""

import collections
import json

import known
from observe import AFTER, AMID, BEFORE
from proxies import PROXIES

BY_NAME = {proxy.name: proxy for proxy in PROXIES}
HEAD = (
    "proxy, in front",
    "setting",
    "`Expect` arrives",
    "the 100 is",
    "the content is",
    "refused … the content",
)


def failures(result):
    found = [line for seen in result["observed"] for line in surprises(seen)]
    found += map(known.lost, known.unexplained(result["cells"]))
    for attack in result["attacks"]:
        place = f"{attack['proxy']} before {attack['origin']}"
        found += [f"EXECUTED {place}: {what}" for what in attack["executed"]]
        found += [f"WRONG {place}: {what}" for what in attack["wrong"]]
    return found


def surprises(observed):
    """What the table says must stay true; and uploads arrive, and refusals are seen."""
    proxy = BY_NAME[observed["proxy"]]
    for http, uploads in observed["seen"].items():
        place = f"{proxy.name} before {observed['origin']}, HTTP/{http}"
        if is_early(uploads) != (http in proxy.early):
            yield f"CHANGED {place}: {uploads['refused-expect']}"
        for name, seen in uploads.items():
            lost = name == "accepted-expect" and not proxy.works
            expected = None if lost else 200 if name.startswith("accepted") else 401
            if seen["status"] != expected:
                yield f"CHANGED {place}, {name}: {seen}"


def is_early(uploads):
    """Whether a client that waits is refused without having been invited."""
    refused = uploads["refused-expect"]
    return refused["answered"] == BEFORE and not refused["hundreds"]


def compact(result):
    """JSON with an entry of a list a line, and of the uploads sums and losses alone."""
    shown = {key: value for key, value in result.items() if key != "cells"}
    shown["uploads"] = [sums_head(result), *sums(result)]
    shown["losses"] = list(losses(result["cells"]))
    return lines_of(shown)


def lines_of(shown):
    parts = []
    for key, value in shown.items():
        if isinstance(value, list):
            lines = ",\n".join(f"  {json.dumps(entry)}" for entry in value)
            text = f"[\n{lines}\n ]" if value else "[]"
        else:
            text = json.dumps(value)
        parts.append(f' "{key}": {text}')
    return "{\n" + ",\n".join(parts) + "\n}\n"


def losses(cells):
    """By proxy, client and case: what was seen instead."""
    found = {}
    for cell in cells:
        if cell["seen"] < cell["runs"]:
            place = {key: cell[key] for key in ("server", "client", "case", "known")}
            outcomes = found.setdefault(tuple(place.items()), collections.Counter())
            outcomes.update(cell["outcomes"])
    for place, outcomes in found.items():
        yield {**dict(place), "outcomes": dict(outcomes)}


def markdown(result):
    parts = [versions_line(result["versions"]), "", *table(HEAD, behaviour(result)), ""]
    parts += table(sums_head(result), sums(result))
    parts += ["", *known.notes(result["cells"])]
    return "\n".join(parts) + "\n"


def versions_line(versions):
    shown = {"haproxy": "HAProxy", "nginx": "nginx", "apache": "Apache httpd", "caddy": "Caddy"}
    shown |= {"envoy": "Envoy", "curl": "curl", "libcurl": "libcurl"}
    return ", ".join(f"{name} {versions[key]}" for key, name in shown.items())


def table(head, rows):
    for row in (head, ["---"] * len(head), *rows):
        yield f"| {' | '.join(row)} |"


def behaviour(result):
    for observed in result["observed"]:
        # The servers differ in nothing that is shown.
        if observed["origin"] != result["observed"][0]["origin"]:
            continue
        proxy = BY_NAME[observed["proxy"]]
        rows = {http: describe(uploads) for http, uploads in observed["seen"].items()}
        if rows["1.1"] == rows["2"]:
            yield proxy.program, proxy.label, *rows["2"]
        else:
            for http, row in rows.items():
                yield f"{proxy.program}, HTTP/{http}", proxy.label, *row


def describe(uploads):
    let_in, plain = uploads["accepted-expect"], uploads["accepted"]
    arrives = "yes" if let_in["expect_arrives"] else "no"
    if plain["expect_arrives"]:
        arrives = "always, added"
    content = {AMID: "its beginning buffered", AFTER: "buffered"}.get(plain["asked"], "streamed")
    if let_in["status"] is None:
        return arrives, "taken for the answer", content, "**uploads lost**"
    return arrives, hundred(let_in), content, refusal(uploads)


def hundred(seen):
    if seen["hundred"] is None:
        return "never sent"
    if seen["hundred"] == "server":
        return "your server's"
    if seen["hundred"] == "proxy, after an answer":
        return "its own, once it may"
    early = "its own, before it asks" if seen["asked"] != BEFORE else "its own, at once"
    return early + (", then yours" if seen["hundreds"] > 1 else "")


def refusal(uploads):
    if is_early(uploads):
        return "**before**"
    return "after" if uploads["refused-expect"]["answered"] == AFTER else "amid"


def columns(result):
    return list(dict.fromkeys(cell["client"].removesuffix("-expect") for cell in result["cells"]))


def sums_head(result):
    return "proxy", "setting", *columns(result), "417 to an `Expect`", "hidden, executed"


def sums(result):
    """In how many uploads the client saw what it must, with and without Expect."""
    for proxy in PROXIES:
        cells = [cell for cell in result["cells"] if cell["server"] == proxy.name]
        if not cells:
            continue
        # A 417 to a client that expects is a matter of its own.
        odd = [cell for cell in cells if cell["case"] == "r417" and cell["expect"]]
        row = [proxy.program, proxy.label]
        for client in columns(result):
            own = [cell for cell in cells if cell["client"].removesuffix("-expect") == client]
            row.append(share([cell for cell in own if cell not in odd]))
        attacks = [attack for attack in result["attacks"] if attack["proxy"] == proxy.name]
        executed = sum(len(attack["executed"]) for attack in attacks)
        tried = sum(attack["tried"] for attack in attacks)
        yield *row, share(odd), f"{executed} of {tried}"


def share(cells):
    return f"{sum(cell['seen'] for cell in cells)}/{sum(cell['runs'] for cell in cells)}"
