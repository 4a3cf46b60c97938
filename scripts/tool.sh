#!/usr/bin/env bash
# The command line as a dotnet tool.
#
#   scripts/tool.sh pack DIR [RID...]   packs it into DIR: compiled ahead of time for each RID (by default for all that are released), and once for all other systems
#   scripts/tool.sh try                 packs it for this system, installs it from that package into a temporary folder, and runs it
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1

pack() {
    local out=$1 made
    shift
    made=$(mktemp -d "${TMPDIR:-/tmp}/millrace-pack.XXXXXX")
    # Beside the ordinary build, which has no runtime identifiers: neither may find the other's files.
    dotnet pack src/Millrace.Cli -c Release -v quiet --artifacts-path "$made" -o "$out" -p:AheadOfTime=true ${1:+"-p:AheadFor=\"$(IFS=';'; echo "$*")\""} || { rm -rf "$made"; return 1; }
    rm -rf "$made"
}

try() {
    local version
    work=$(mktemp -d "${TMPDIR:-/tmp}/millrace-tool.XXXXXX")
    trap 'rm -rf "$work"' EXIT
    pack "$work/packages" "$(dotnet --info | sed -n 's/^ *RID: *//p' | head -n 1)"
    version=$(ls "$work/packages" | sed -n 's/^Millrace\.Cli\.\([0-9].*\)\.nupkg$/\1/p')
    dotnet tool install Millrace.Cli --version "$version" --tool-path "$work/tool" --source "$work/packages" >/dev/null
    [ "$("$work/tool/millrace" --version)" = "$version" ] || { echo "tool.sh: the installed tool says another version than $version" >&2; return 1; }
    "$work/tool/millrace" db migrate --connection "$work/try.db" --quiet >/dev/null
    "$work/tool/millrace" list --connection "$work/try.db" --quiet >/dev/null
    echo "millrace $version was installed as a tool, and runs"
}

case ${1:-} in
    pack) [ $# -gt 1 ] || { echo "tool.sh: pack needs a directory" >&2; exit 2; }; shift; pack "$@" ;;
    try) try ;;
    *) sed -n '2,/^set -/{/^#/s/^# \{0,1\}//p}' "$0"; exit 2 ;;
esac
