# shellcheck shell=bash disable=SC2154 # `target` is set by then
# What holds for the tree as a whole, beyond what its tests say. Sourced by .ci/run.

each_feature() {
    local features
    for features in "" tokio h2 serve; do
        echo "features: ${features:-none}"
        RUSTFLAGS="-D warnings" cargo check --lib --no-default-features --features "$features"
    done
    cargo test --quiet --no-default-features --lib --test service
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
