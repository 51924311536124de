"""Which versions of clients and servers the matrix was run with."""

import json
import platform
import re
import subprocess
from pathlib import Path

LOCK = Path(__file__).parents[2] / "Cargo.lock"
PYTHON = ("requests", "httpx", "httpcore", "h2", "aiohttp", "botocore")
RUST = ("axum", "hyper", "hyper-util", "h2", "tokio", "tonic", "tower-expect")
PROGRAMS = {
    "curl": ("curl", "--version"),
    "nghttp": ("nghttp", "--version"),
    "go": ("go", "version"),
    "node": ("node", "--version"),
    "java": ("java", "-version"),
    "nginx": ("nginx", "-v"),
    "haproxy": ("haproxy", "-v"),
    "apache": ("apache2", "-v"),
    "caddy": ("caddy", "version"),
}


def collect(work):
    found = {"kernel": platform.release()}
    envoy = {"envoy": (str(work / "venv/bin/envoy"), "--version")}
    for name, command in (PROGRAMS | envoy).items():
        said = subprocess.run(command, capture_output=True, text=True)
        found[name] = number(said.stdout or said.stderr)
    python = str(work / "venv/bin/python")
    ask = "import importlib.metadata as m, platform, sys, json\n"
    ask += "print(json.dumps([platform.python_version()] + [m.version(n) for n in sys.argv[1:]]))"
    said = subprocess.run([python, "-c", ask, *PYTHON], capture_output=True, text=True, check=True)
    installed = zip(("python", *PYTHON), json.loads(said.stdout))
    found |= {f"{name} (Python)" if name == "h2" else name: version for name, version in installed}
    undici = json.loads((work / "npm/node_modules/undici/package.json").read_text())
    found["undici"] = undici["version"]
    lock = re.findall(r'name = "([^"]+)"\nversion = "([^"]+)"', LOCK.read_text())
    return found | {f"{name} (Rust)": version for name, version in lock if name in RUST}


def number(text):
    return re.search(r"\d+(\.\d+)+", text).group()
