"""What must hold of the quota, whatever happens to clients, replicas and Redis."""

import asyncio
import time
from collections import Counter
from pathlib import Path

from client import Upload, upload

SCRIPTS = Path(__file__).parents[3] / "examples/quota_redis/src"
UNIT = 100_000
CLIENTS = 200
FITS = 57
QUOTA = FITS * UNIT + UNIT // 2
LEASE = 3
AT_ONCE = 1


async def a_crowd_gets_exactly_the_quota(site, front):
    uploads = [Upload("crowd", UNIT, expect=number % 5 != 0) for number in range(CLIENTS)]
    asking = [one for one in uploads if "Expect" in one.head]
    plain = [one for one in uploads if "Expect" not in one.head]

    async def at_once(one):
        await one.ask(front)
        return await one.finish()

    await asyncio.gather(*(one.ask(front) for one in asking), *(at_once(one) for one in plain))
    # All have their answers, and those that were admitted have sent nothing yet.
    admitted = [one for one in asking if one.is_admitted()]
    for one in asking:
        assert one in admitted or one.was_refused(429), one.statuses
    await asyncio.gather(*(one.finish() for one in admitted))
    outcomes = Counter(one.statuses[-1] for one in uploads)
    assert outcomes == {200: FITS, 429: CLIENTS - FITS}, outcomes
    assert site.redis.books("crowd") == (FITS * UNIT, 0, 0), site.redis.books("crowd")
    for one in uploads:
        one.end()
    late = await upload(front, "crowd", UNIT)
    assert late.was_refused(413), late.statuses
    refused = len(asking) - len(admitted)
    return f"{FITS} of {CLIENTS} admitted; {refused} that asked were refused before a byte was sent"


async def a_lease_is_renewed_while_bytes_come(site, front):
    site.redis.limit("steady", UNIT)
    slow = await Upload("steady", UNIT).ask(front)
    began = time.monotonic()
    refused = 0
    while time.monotonic() - began < 2 * LEASE:
        await slow.send(1000)
        other = await upload(front, "steady", 1000)
        assert other.was_refused(429), other.statuses
        assert other.headers["retry-after"] == str(LEASE), other.headers
        refused += 1
        await asyncio.sleep(0.2)
    assert await slow.finish() == 200
    slow.end()
    assert site.redis.books("steady") == (UNIT, 0, 0)
    return f"held for {2 * LEASE} s, twice its lease, against {refused} others"


async def a_stalled_upload_loses_its_place(site, front):
    site.redis.limit("stalled", UNIT)
    stalled = await Upload("stalled", UNIT).ask(front)
    await stalled.send(1000)
    waited, other = await until_admitted(front, "stalled", UNIT)
    # It goes on, but its place has been taken.
    await stalled.send(1000)
    assert await stalled.receive() == 429
    stalled.end()
    assert await other.finish() == 200
    other.end()
    assert site.redis.books("stalled") == (UNIT, 0, 0)
    return f"its place was free after {waited:.1f} s"


async def an_aborted_upload_is_released(site, front):
    site.redis.limit("aborted", UNIT)
    aborted = await Upload("aborted", UNIT).ask(front)
    await aborted.send(UNIT // 2)
    assert (await upload(front, "aborted", UNIT)).was_refused(429)
    aborted.end()
    waited, other = await until_admitted(front, "aborted", UNIT)
    assert waited < AT_ONCE, waited
    other.end()
    await until(lambda: site.redis.books("aborted") == (0, 0, 0))
    return f"free after {waited * 1000:.0f} ms"


async def what_is_read_is_charged(site, front):
    site.redis.limit("partial", 1 << 20)
    partial = await upload(front, "partial", 1 << 20, path="/head/file")
    assert partial.statuses[-1] == 200, partial.statuses
    read = int(partial.content.split()[1])
    assert 64 << 10 <= read < 1 << 20, read
    assert site.redis.books("partial") == (read, 0, 0), site.redis.books("partial")
    return f"{read} of {1 << 20} bytes"


async def nothing_leaks_from_a_killed_replica(site, front, victim):
    site.redis.limit("killed", 2 * UNIT)
    # One through each replica, since they take turns.
    both = [await Upload("killed", UNIT).ask(front) for _ in range(2)]
    for one in both:
        await one.send(UNIT // 2)
    victim.kill()
    assert (await upload(front, "killed", UNIT)).was_refused(429)

    async def go_on(one):
        while one.sent < UNIT:
            await one.send(1000)
            await asyncio.sleep(4 * LEASE * 1000 / UNIT)
        return await one.receive()

    results = asyncio.gather(*(go_on(one) for one in both), return_exceptions=True)
    waited, other = await until_admitted(front, "killed", UNIT)
    assert waited < LEASE + AT_ONCE, waited
    assert await other.finish() == 200
    # The other replica's upload has not noticed.
    results = await results
    assert results.count(200) == 1, results
    for one in (*both, other):
        one.end()
    assert site.redis.books("killed") == (2 * UNIT, 0, 0), site.redis.books("killed")
    return f"its place was free after {waited:.1f} s"


async def a_settlement_counts_once(site):
    keys = [f"quota:{{once}}{suffix}" for suffix in ("", ":leases", ":sizes", ":settled:id")]

    def say(script, *arguments):
        return site.redis.say("--eval", str(SCRIPTS / script), *keys, ",", "id", *arguments)

    def reserve():
        return say("reserve.lua", str(UNIT), str(2 * UNIT), str(LEASE * 1000)).split("\n")[0]

    assert [reserve(), reserve()] == ["reserved", "reserved"]
    assert site.redis.books("once") == (0, UNIT, 1)
    for _ in range(2):
        say("settle.lua", str(UNIT // 2), "60000")
        assert site.redis.books("once") == (UNIT // 2, 0, 0)
    # Overtaken by its own settlement.
    assert reserve() == "full"
    assert site.redis.books("once") == (UNIT // 2, 0, 0)
    return "also if it is repeated, or overtakes its reservation"


async def a_replica_told_to_end_settles_first(site, replica):
    running = await Upload("ending", UNIT).ask(replica)
    replica.process.terminate()
    assert await running.finish() == 200
    running.end()
    assert await asyncio.to_thread(replica.process.wait, 5) == 0
    assert site.redis.books("ending") == (UNIT, 0, 0)
    return "and leaves nothing behind"


async def without_redis_the_answer_is_the_configured_one(site, front, admits):
    running = await Upload("outage", UNIT).ask(front)
    slowest = 0

    async def timed(upload, server):
        nonlocal slowest
        began = time.monotonic()
        await upload.ask(server)
        slowest = max(slowest, time.monotonic() - began)
        return upload

    async def refused():
        one = await timed(Upload("outage", UNIT), front)
        assert one.was_refused(503), one.statuses
        assert one.headers["retry-after"] == "1", one.headers
        one.end()

    async def admitted():
        one = await timed(Upload("admitted", UNIT), admits)
        assert await one.finish() == 200
        one.end()

    killed, frozen = (site.redis.kill, site.redis.start), (site.redis.freeze, site.redis.thaw)
    for stop, start in (killed, frozen):
        stop()
        await asyncio.gather(*(refused() for _ in range(20)), *(admitted() for _ in range(5)))
        if not running.sent:
            assert await running.finish() == 200
            running.end()
        start()
        for _ in range(2):
            back = await upload(front, "outage", UNIT)
            assert back.statuses == [100, 200], back.statuses
    assert slowest < AT_ONCE, slowest
    await until(lambda: site.redis.books("outage") == (5 * UNIT, 0, 0))
    await until(lambda: site.redis.books("admitted") == (10 * UNIT, 0, 0))
    return f"within {slowest * 1000:.0f} ms, and all was counted afterwards"


async def until_admitted(server, user, length):
    """How long it took, and the upload, which has sent nothing yet."""
    began = time.monotonic()
    while time.monotonic() - began < 3 * LEASE:
        attempt = await Upload(user, length).ask(server)
        if attempt.is_admitted():
            return time.monotonic() - began, attempt
        assert attempt.was_refused(429), attempt.statuses
        attempt.end()
        await asyncio.sleep(0.05)
    raise AssertionError("the place was never free")


async def until(holds):
    for _ in range(100):
        if holds():
            return
        await asyncio.sleep(0.05)
    raise AssertionError("it never held")
