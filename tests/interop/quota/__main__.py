"""Runs examples/quota_redis as replicas behind HAProxy, with a Redis of its own, and checks it."""

import argparse
import asyncio
import signal
import sys
import time
from pathlib import Path

sys.path.insert(1, str(Path(__file__).parents[1]))

import scenarios
from processes import Site


async def run(site):
    site.start_redis()
    # For a machine under load. With Redis away, it is waited for no longer than has to be.
    patient = {"REDIS_TIMEOUT_MS": "5000"}
    impatient = {"REDIS_TIMEOUT_MS": "300"}
    lease = {"LEASE_SECONDS": str(scenarios.LEASE)}

    quota = {"QUOTA_BYTES": str(scenarios.QUOTA)}
    front = site.front(*(site.replica(**patient, **quota) for _ in range(2)))
    await check(scenarios.a_crowd_gets_exactly_the_quota, site, front)

    victim, survivor = (site.replica(**patient, **lease) for _ in range(2))
    front = site.front(victim, survivor)
    await asyncio.gather(
        check(scenarios.a_lease_is_renewed_while_bytes_come, site, front),
        check(scenarios.a_stalled_upload_loses_its_place, site, front),
        check(scenarios.an_aborted_upload_is_released, site, front),
        check(scenarios.what_is_read_is_charged, site, front),
        check(scenarios.a_settlement_counts_once, site),
        check(scenarios.a_replica_told_to_end_settles_first, site, site.replica(**patient)),
    )
    await check(scenarios.nothing_leaks_from_a_killed_replica, site, front, victim)

    front = site.front(*(site.replica(**impatient, **lease) for _ in range(2)))
    admits = site.replica(**impatient, **lease, WITHOUT_REDIS="accept")
    await check(scenarios.without_redis_the_answer_is_the_configured_one, site, front, admits)


async def check(scenario, *arguments):
    began = time.monotonic()
    outcome = await scenario(*arguments)
    name = scenario.__name__.replace("_", " ")
    print(f"quota: {name}: {outcome} ({time.monotonic() - began:.1f} s)", flush=True)


def main():
    parser = argparse.ArgumentParser(prog="quota", description=__doc__)
    parser.add_argument("--programs", type=Path, required=True, help="where quota_redis is")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("terminated"))
    with Site(options.programs.resolve()) as site:
        asyncio.run(run(site))


main()
