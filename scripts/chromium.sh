#!/usr/bin/env bash
# Chromium for the tests that look at the dashboard as people do.
#
#   scripts/chromium.sh bin    prints where it is; as root on Debian it installs it when there is none
set -euo pipefail

fail() { echo "chromium.sh: $*" >&2; exit 1; }

find_bin() {
    local name
    for name in chromium chromium-browser google-chrome-stable google-chrome; do
        command -v "$name" && return
    done
    return 1
}

install_packages() {
    [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || return 1
    echo "chromium.sh: installing $*" >&2
    { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@"; } >&2
}

bin() {
    find_bin && return
    # Without a font every letter is an empty box, and pictures show nothing.
    install_packages chromium fonts-dejavu-core && find_bin && return
    fail "no Chromium here. Install it (Debian: apt-get install chromium fonts-dejavu-core), set MILLRACE_TEST_CHROMIUM to the path of another, or to none to have its tests counted as skipped."
}

case ${1:-} in
    bin) bin ;;
    *) sed -n '2,/^set -/{/^#/s/^# \{0,1\}//p}' "$0"; exit 2 ;;
esac
