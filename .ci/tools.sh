# shellcheck shell=bash
# The programs that the steps need, each installed unless it is there already. Sourced by .ci/run.

# Debian's packages: the independent clients of tests/wire and tests/http2.
install_packages() {
    local missing=()
    need() { command -v "$1" >/dev/null || missing+=("$2"); }
    need curl curl
    need nghttp nghttp2-client
    need java default-jdk-headless
    need node nodejs
    need go golang-go
    ((${#missing[@]})) || return 0
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -qqy --no-install-recommends "${missing[@]}"
}
