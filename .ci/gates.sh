# shellcheck shell=bash disable=SC2154 # `target` and `tools` are set by then
# What holds for the tree as a whole, beyond what its tests say. Sourced by .ci/run.

# The README's commands as a newcomer gives them: from an empty target folder, with cargo's defaults.
# The bars are for two cores that do nothing else; a slower machine gets half as much again.
first_run() {
    local most_crates=110 folder=$target/first-run crates
    local plain=(env -u CARGO_INCREMENTAL -u CARGO_PROFILE_DEV_DEBUG CARGO_TARGET_DIR="$folder")
    cargo fetch --quiet --locked
    rm -rf "$folder"
    within_bar 60 "${plain[@]}" cargo run --example tour 2> >(tee "$target/first-run.log" >&2)
    wait $!
    crates=$(grep --count '^ *Compiling ' "$target/first-run.log")
    echo "crates compiled: $crates, of at most $most_crates"
    within_bar 120 "${plain[@]}" cargo test
    rm -rf "$folder"
    ((crates <= most_crates))
}

# within_bar SECONDS COMMAND…
within_bar() {
    local bar=$1 start=$SECONDS
    shift
    "$@"
    local took=$((SECONDS - start))
    echo "${*:7}: $took s, of at most $bar s ($(nproc) cores, load $(cut -d ' ' -f 1 /proc/loadavg))"
    ((took <= bar * 3 / 2))
}

# A folder of tests that no manifest names would be compiled by nobody.
test_folders() {
    local folder
    for folder in tests/*/main.rs; do
        folder=$(basename "$(dirname "$folder")")
        if [[ ! -f tests/$folder/Cargo.toml ]] && ! grep --quiet "^name = \"$folder\"$" Cargo.toml; then
            echo "tests/$folder is neither a test in Cargo.toml nor a package"
            return 1
        fi
    done
}

# The locks of ContinueSignal and of the body's way back, taken in every order that threads could.
models() {
    local options=(--release -p tests-interleavings)
    cargo clippy "${options[@]}" --test models -- -D warnings
    cargo test "${options[@]}"
}

# One word for one thing: requests are accepted or rejected, and unread bodies are drained. These words would
# be second names for that. What matches `allowed` has another meaning.
vocabulary() {
    local words='refus|\badmi(t|ssion)|\blet(s|ting)? (\w+ )?in\b|\bturn(s|ed|ing)? away\b|\bread(s|ing)? on\b'
    local allowed='REFUSED_STREAM|connections? ?(are |is )?refused|read on a thread|interop/refusals\.json|load/run refusals'
    if grep --recursive --line-number --ignore-case --perl-regexp "$words" \
        README.md CHANGELOG.md src examples | grep --invert-match --ignore-case --extended-regexp "$allowed"; then
        echo "^ says it in other words than the rest of the crate: accept, reject, drain"
        return 1
    fi
}

# Exceptions are listed in Cargo.toml. Hidden files are this directory's.
spelling() {
    "$tools/venv/bin/typos" --color never --hidden --exclude .git .
}

# A feature must build without the others, and without what the tests pull in: cargo lets
# development dependencies turn on features of shared crates, which hides a missing one.
each_feature() {
    cargo hack --each-feature --no-dev-deps clippy -- -D warnings
    cargo test --quiet --no-default-features --lib --test service
}

# The lower bounds in Cargo.toml are true: the crate builds with exactly these. As it is packaged, since
# development dependencies and the workspace, which would raise them, go away, and Cargo.lock changes.
lowest_versions() {
    local copy=$target/lowest/tree
    rm -rf "$copy"
    mkdir -p "$copy"
    CARGO_TARGET_DIR=$target/lowest/package cargo package --quiet --no-verify --allow-dirty
    tar --extract --gzip --strip-components 1 --directory "$copy" \
        --file "$target"/lowest/package/package/tower-expect-*.crate
    (
        CARGO_TARGET_DIR=$(realpath "$target")/lowest/build
        export CARGO_TARGET_DIR
        cd "$copy" || exit
        echo '[workspace]' >>Cargo.toml
        cargo hack --remove-dev-deps
        RUSTC_BOOTSTRAP=1 cargo update --quiet -Z direct-minimal-versions
        cargo tree --all-features --edges normal --depth 1
        cargo hack --each-feature check
    )
}

# The minimum Rust version in Cargo.toml is true: that compiler builds the crate, with the newest
# dependencies. On other systems than Debian 12 only clippy looks at it (`incompatible_msrv`).
minimum_rust() {
    local version compiler
    version=$(sed -n 's/^rust-version = "\([^"]*\)".*/\1/p' Cargo.toml)
    if ! compiler=$(minimum_compiler "$version"); then
        echo "not checked here: no package of rustc $version"
        return
    fi
    "$compiler" --version
    RUSTC=$compiler cargo check --locked --all-features --target-dir "$target/minimum"
}

# Licences that our users can take on, one version of each crate, crates.io only.
licences_and_sources() {
    cargo deny --config .ci/deny.toml check bans licenses sources
    # Its database is a git repository; this script gets by with package registries.
    echo "not checked here: advisories. Run: cargo deny --config .ci/deny.toml check advisories"
}

# A major version of a crate that shows through ours is a major version of ours. What may is listed
# in Cargo.toml. rustdoc's JSON is unstable, hence the bootstrap.
external_types() {
    RUSTC_BOOTSTRAP=1 cargo check-external-types --all-features
}

# The package has what .ci/package.txt says, no test data, no stray key or database, and builds.
package() {
    local list=$target/package-list.txt problems=0 pattern
    mkdir -p "$target"
    cargo package --list >"$list"
    if grep --invert-match --line-regexp --extended-regexp --file .ci/package.txt "$list"; then
        echo "^ in the package, but not in .ci/package.txt"
        problems=1
    fi
    while read -r pattern; do
        if ! grep --quiet --line-regexp --extended-regexp -- "$pattern" "$list"; then
            echo "not in the package: $pattern"
            problems=1
        fi
    done <.ci/package.txt
    ((problems == 0)) && cargo publish --dry-run --all-features
}

# A change that breaks users needs the version that says so.
compatibility() {
    local tag
    if ! tag=$(git describe --tags --abbrev=0 --match 'v*' 2>/dev/null); then
        echo "no tag v* yet, nothing to compare with"
        return
    fi
    # 916 seconds of one core to build: not before it is needed.
    install_cargo_tool cargo-semver-checks 0.51.0
    cargo semver-checks --baseline-rev "$tag"
}

# As docs.rs builds it: nightly's `doc_cfg`, on a stable compiler. What needs a feature must say so.
docs() {
    local feature
    RUSTC_BOOTSTRAP=1 RUSTDOCFLAGS="--cfg docsrs -D warnings" cargo doc --no-deps --all-features
    for feature in $(features_of_items); do
        if ! grep --quiet --recursive --include '*.html' \
            "Available on <strong>.*<code>$feature</code>" "$target/doc/tower_expect"; then
            echo "no page says: available on crate feature $feature only"
            return 1
        fi
    done
}

features_of_items() {
    grep --recursive --no-filename --after-context 1 '^ *#\[cfg(feature = ' src |
        grep --before-context 1 '^ *pub ' |
        sed --quiet 's/.*feature = "\([^"]*\)".*/\1/p' | sort --unique
}
