# shellcheck shell=bash
# The programs that the steps need, each installed unless it is there already. Sourced by .ci/run.

# Outside of the tree, so that the next clone finds what this one has built.
tools=${CI_TOOLS:-${XDG_CACHE_HOME:-$HOME/.cache}/tower-expect-ci}
export PATH=$tools/bin:$PATH

# Debian's packages: the independent clients of tests/wire, tests/http2 and tests/past, and Python for typos.
install_packages() {
    local missing=()
    need() { command -v "$1" >/dev/null || missing+=("$2"); }
    need curl curl
    need cadaver cadaver
    need git git
    need nghttp nghttp2-client
    need java default-jdk-headless
    need node nodejs
    need go golang-go
    need valgrind valgrind
    need c++ g++
    python3 -c 'import ensurepip' 2>/dev/null || missing+=(python3-venv)
    ((${#missing[@]})) || return 0
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -qqy --no-install-recommends "${missing[@]}"
}

# A spell checker, whose package holds the built program, and a client of tests/past.
install_python_tools() {
    local wanted=(typos==1.52.0 botocore==1.43.11) mark=$tools/venv/installed
    export TOWER_EXPECT_PYTHON=$tools/venv/bin/python
    [[ -f $mark && $(<"$mark") == "${wanted[*]}" ]] && return
    python3 -m venv "$tools/venv"
    "$tools/venv/bin/pip" install --quiet --disable-pip-version-check "${wanted[@]}"
    echo "${wanted[*]}" >"$mark"
}

# install_cargo_tool NAME VERSION: built without optimisation, which the gates do not miss. Tools
# share what they have in common through one build directory.
install_cargo_tool() {
    CARGO_PROFILE_DEV_DEBUG=0 cargo install --quiet --locked --debug \
        --root "$tools" --target-dir "$tools/build" "$1@$2"
}

# The compiler of the minimum Rust version, from Debian's packages, unpacked beside the installed one. Prints
# its path, or fails where there is none of that version.
minimum_compiler() {
    local version=$1 root=$tools/rust-$1 package
    if [[ ! -x $root/rustc ]]; then
        rm -rf "$root"
        mkdir -p "$root/packages"
        (
            cd "$root/packages" || exit
            for package in rustc-web libstd-rust-web-dev "libstd-rust-web-$version"; do
                apt-get download -qq "$package=$version*" || exit
            done
            apt-get download -qq libllvm19 || exit
            for package in *.deb; do
                dpkg-deb --extract "$package" "$root"
            done
        ) >&2 || return
        cat >"$root/rustc" <<END
#!/bin/sh
LD_LIBRARY_PATH=$root/usr/lib/x86_64-linux-gnu:$root/usr/lib/llvm-19/lib exec $root/usr/bin/rustc "\$@"
END
        chmod +x "$root/rustc"
        rm -rf "$root/packages"
    fi
    echo "$root/rustc"
}

# Seconds of one core that each takes to build alone, on top of each line.
install_gate_tools() {
    install_python_tools
    # 23: each feature alone, and the tree without its development dependencies
    install_cargo_tool cargo-hack 0.6.46
    # 54: what other crates show through ours. 0.5.0 reads the rustdoc JSON of Rust 1.95.
    install_cargo_tool cargo-check-external-types 0.5.0
    # 101: licences, sources, duplicates
    install_cargo_tool cargo-deny 0.20.2
    # 54: unused dependencies
    install_cargo_tool cargo-machete 0.9.2
    # runs the fuzz targets
    install_cargo_tool cargo-fuzz 0.13.2
    # counts instructions, with valgrind; the version of Cargo.lock
    install_cargo_tool gungraun-runner 0.18.2
    rm -rf "$tools/build"
}
