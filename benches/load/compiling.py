"""What an axum application gains with the layer: crates, seconds to build, bytes of its binary.

The application is `app/main.rs`, with the lines of `tower_expect` and without. `whole` is a build from
nothing, `last` one of the application and of `tower-expect` alone, all else being built: their
difference is what the layer adds, with less noise.
"""

import resource
import shutil
import subprocess
import time
from statistics import median

from servers import HERE

ROOT = HERE.parents[1]
APPS = ("without", "with")
PROFILES = {"debug": (), "release": ("--release",)}

MANIFEST = """
[package]
name = "app"
edition = "2021"

[[bin]]
name = "app"
path = "main.rs"

[dependencies]
axum = "0.8"
tokio = {{ version = "1", features = ["macros", "net", "rt-multi-thread"] }}
{layer}

[profile.release]
strip = true

[workspace]
"""


def measure(programs, quick):
    home = programs.work.resolve() / "compile"
    apps = {name: write(home / name, name == "with") for name in APPS}
    crates = {name: tree(app) for name, app in apps.items()}
    builds = {}
    for profile, options in PROFILES.items():
        if quick and profile == "release":
            continue
        shutil.rmtree(home / "target", ignore_errors=True)
        builds[profile] = seconds(apps, home / "target", options, 1 if quick else 5)
    measured = {
        "crates": {name: len(crates[name]) for name in APPS},
        "gained": sorted(crates["with"] - crates["without"]),
        "builds": builds,
    }
    if not quick:
        binaries = {name: home / "target" / name / "release/app" for name in APPS}
        measured["binary"] = {name: path.stat().st_size for name, path in binaries.items()}
    return measured


def write(app, with_layer):
    app.mkdir(parents=True, exist_ok=True)
    lines = (HERE / "app/main.rs").read_text().splitlines(keepends=True)
    if not with_layer:
        lines = [line for line in lines if "tower_expect" not in line]
    (app / "main.rs").write_text("".join(lines))
    layer = f'tower-expect = {{ path = "{ROOT}" }}' if with_layer else ""
    (app / "Cargo.toml").write_text(MANIFEST.format(layer=layer))
    shutil.copy(ROOT / "Cargo.lock", app / "Cargo.lock")
    return app


def tree(app):
    command = ("cargo", "tree", "--edges", "normal", "--prefix", "none", "--format", "{p}")
    said = subprocess.run(command, cwd=app, check=True, capture_output=True, text=True).stdout
    crates = {tuple(line.split()[:2]) for line in said.splitlines() if line}
    return {" ".join(crate) for crate in crates}


def seconds(apps, target, options, rounds):
    whole = {name: build(app, target / name, options) for name, app in apps.items()}
    last = {name: [] for name in APPS}
    for number in range(rounds):
        for name in APPS[:: 1 if number % 2 else -1]:
            packages = ("-p", "app") + (("-p", "tower-expect") if name == "with" else ())
            cargo(apps[name], target / name, "clean", "--quiet", *packages, *options)
            last[name].append(build(apps[name], target / name, options))
    keys = ("seconds", "processor seconds")
    of_last = {name: {key: median(run[key] for run in last[name]) for key in keys} for name in APPS}
    added = {key: of_last["with"][key] - of_last["without"][key] for key in keys}
    return {"rounds": rounds, "whole": whole, "last": of_last, "added": added}


def build(app, target, options):
    started, before = time.monotonic(), processor_seconds()
    cargo(app, target, "build", "--quiet", *options)
    return {
        "seconds": time.monotonic() - started,
        "processor seconds": processor_seconds() - before,
    }


def cargo(app, target, *arguments):
    subprocess.run(("cargo", *arguments, "--target-dir", target), cwd=app, check=True)


def processor_seconds():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def table(measured):
    crates = measured["crates"]
    lines = [
        f"crates of an axum application: {crates['without']}, with the layer {crates['with']}: "
        f"gains {', '.join(measured['gained'])}",
        f"{'build':8} {'seconds':>20} {'with the layer':>20} {'the layer adds':>20}   (processor)",
    ]
    for profile, builds in measured["builds"].items():
        cells = [*(builds["whole"][name] for name in APPS), builds["added"]]
        shown = [f"{cell['seconds']:.1f} ({cell['processor seconds']:.1f})" for cell in cells]
        lines.append(f"{profile:8} " + " ".join(f"{cell:>20}" for cell in shown))
    if binary := measured.get("binary"):
        gain = binary["with"] - binary["without"]
        lines.append(
            f"stripped release binary: {binary['without']:,} bytes, {binary['with']:,} with the "
            f"layer: {gain:+,}"
        )
    return "\n".join(lines) + "\n"
