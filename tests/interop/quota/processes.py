"""Redis, the replicas of the example and HAProxy before them: own ports, own files, all stopped."""

import contextlib
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from servers import free_address, wait_for

USERS = """
    crowd steady stalled aborted partial ending killed outage admitted
""".split()

HAPROXY = """
global
    log stderr local0 emerg
defaults
    mode http
    timeout connect 5s
    timeout client 60s
    timeout server 60s
    option redispatch 1
    retries 2
listen front
    bind {front}
    balance roundrobin
    server first {first}
    server second {second}
"""


def token(user):
    return f"token-of-{user}"


class Site:
    """What a run starts; stopped at its end, however it ends."""

    def __init__(self, programs):
        self.programs = programs

    def __enter__(self):
        self.stack = contextlib.ExitStack()
        self.work = Path(self.stack.enter_context(tempfile.TemporaryDirectory(prefix="quota-")))
        self.log = self.work / "replicas.log"
        self.log.touch()
        return self

    def __exit__(self, kind, *_):
        with self.stack:
            if kind:
                print(self.log.read_text(), file=sys.stderr)

    def run(self, command, **options):
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, **options)
        self.stack.callback(stop, process)
        return process

    def start_redis(self):
        self.redis = Redis(self)

    def replica(self, **settings):
        return Replica(self, **settings)

    def front(self, *replicas):
        return HAProxy(self, replicas)


class Redis:
    """Writes each change to its disk before it answers, so that what it said survives a kill."""

    def __init__(self, site):
        self.site = site
        self.address = free_address()
        self.start()

    def start(self):
        port = self.address.split(":")[1]
        command = ["redis-server", "--bind", "127.0.0.1", "--port", port]
        command += ["--dir", str(self.site.work), "--save", ""]
        command += ["--appendonly", "yes", "--appendfsync", "always"]
        self.process = self.site.run(command, stdout=subprocess.DEVNULL)
        wait_for(self.address)
        while "PONG" not in self.say("ping"):
            time.sleep(0.05)

    def say(self, *words):
        port = self.address.split(":")[1]
        command = ["redis-cli", "-p", port, *words]
        said = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)
        return said.stdout

    def limit(self, user, limit):
        self.say("hset", f"quota:{{{user}}}", "limit", str(limit))

    def books(self, user):
        """Bytes used and reserved, and how many leases there are."""
        account = self.say("hmget", f"quota:{{{user}}}", "used", "reserved").splitlines()
        leases = self.say("zcard", f"quota:{{{user}}}:leases")
        return *(int(field or 0) for field in account), int(leases)

    def freeze(self):
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self):
        self.process.send_signal(signal.SIGCONT)

    def kill(self):
        stop(self.process)


class Replica:
    def __init__(self, site, **settings):
        settings |= {"REDIS_URL": f"redis://{site.redis.address}"}
        settings |= {"TOKENS": " ".join(f"{user}={token(user)}" for user in USERS)}
        command = [str(site.programs / "quota_redis"), "127.0.0.1:0"]
        pipe = subprocess.PIPE
        with site.log.open("a") as log:
            self.process = site.run(command, env=settings, stdout=pipe, stderr=log, text=True)
        self.address = self.process.stdout.readline().strip().removeprefix("listening on http://")

    def kill(self):
        stop(self.process)


class HAProxy:
    def __init__(self, site, replicas):
        self.address = free_address()
        first, second = (replica.address for replica in replicas)
        config = site.work / f"haproxy-{self.address}.cfg"
        config.write_text(HAPROXY.format(front=self.address, first=first, second=second))
        site.run(["haproxy", "-q", "-db", "-f", str(config)])
        wait_for(self.address)


def stop(process):
    process.kill()
    process.wait()
