"""Which versions of servers and tools were measured."""

import platform
import re
import subprocess

from servers import HERE

RUST = ("actix-http", "axum", "hyper", "tokio", "tower-expect", "tower-http")
PROGRAMS = {
    "rustc": ("rustc", "--version"),
    "go": ("go", "version"),
    "node": ("node", "--version"),
    "nginx": ("nginx", "-v"),
    "wrk": ("wrk", "-v"),
    "h2load": ("h2load", "--version"),
}


def collect():
    found = {"kernel": platform.release(), "processor": processor()}
    for name, command in PROGRAMS.items():
        said = subprocess.run(command, check=False, capture_output=True, text=True)
        found[name] = re.search(r"\d+(\.\d+)+", said.stdout + said.stderr).group()
    lock = (HERE.parents[1] / "Cargo.lock").read_text()
    packages = re.findall(r'name = "([^"]+)"\nversion = "([^"]+)"', lock)
    return found | {name: version for name, version in packages if name in RUST}


def processor():
    with open("/proc/cpuinfo") as info:
        models = [line.split(":")[1].strip() for line in info if line.startswith("model name")]
    return f"{len(models)} × {models[0]}" if models else platform.machine()
