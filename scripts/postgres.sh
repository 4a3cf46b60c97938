#!/usr/bin/env bash
# A throw-away PostgreSQL with a PgBouncer in front of it, for tests and benchmarks.
#
#   scripts/postgres.sh bin                prints the directory of PostgreSQL's programs; as root on Debian it installs them when there are none
#   scripts/postgres.sh start DIR          makes a cluster in DIR, starts it and a PgBouncer, writes DIR/env and prints it
#   scripts/postgres.sh start DIR alone    the same without PgBouncer
#   scripts/postgres.sh standby DIR OF     makes a copy of the running cluster in OF, in DIR, starts it as a standby that streams from it, and prints DIR/env
#   scripts/postgres.sh promote DIR        makes that standby a primary
#   scripts/postgres.sh crash DIR          stops the cluster at once, as a power cut would
#   scripts/postgres.sh resume DIR         starts it again on the same port
#   scripts/postgres.sh stop DIR           stops both and deletes DIR
#
# DIR must be absolute and not exist yet, or be empty. DIR/env holds MILLRACE_TEST_POSTGRES, MILLRACE_TEST_PGBOUNCER and MILLRACE_TEST_PGBIN.
set -euo pipefail

fail() { echo "postgres.sh: $*" >&2; exit 1; }

# PostgreSQL and PgBouncer both refuse to run as root.
as_owner() {
    if [ "$(id -u)" = 0 ]; then (cd / && runuser -u postgres -- "$@"); else "$@"; fi
}

find_bin() {
    local found
    # /usr/bin/pg_ctl may be a link into the real directory, which also holds initdb.
    if found=$(command -v pg_ctl); then
        found=$(dirname "$(readlink -f "$found")")
        if [ -x "$found/initdb" ]; then echo "$found"; return; fi
    fi
    found=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -t/ -k5 -n | tail -n 1)
    [ -n "$found" ] && [ -x "$found/pg_ctl" ] && echo "$found"
}

find_bouncer() {
    PATH="$PATH:/usr/sbin:/usr/local/sbin" command -v pgbouncer
}

install_packages() {
    [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || return 1
    echo "postgres.sh: installing $*" >&2
    { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@"; } >&2
}

bin() {
    local found
    if found=$(find_bin); then echo "$found"; return; fi
    install_packages postgresql pgbouncer && found=$(find_bin) && { echo "$found"; return; }
    fail "no PostgreSQL here: pg_ctl is neither on the path nor under /usr/lib/postgresql. Install it (Debian: apt-get install postgresql pgbouncer), or set MILLRACE_TEST_POSTGRES to the connection string of a server."
}

bouncer() {
    local found
    if found=$(find_bouncer); then echo "$found"; return; fi
    install_packages pgbouncer && found=$(find_bouncer) && { echo "$found"; return; }
    fail "no pgbouncer here. Install it (Debian: apt-get install pgbouncer), or set MILLRACE_TEST_PGBOUNCER=none to have its tests counted as skipped."
}

# A port nobody listens on. Somebody may take it before we do, so whoever uses it tries again with another.
free_port() {
    local port
    while :; do
        port=$((20000 + RANDOM % 12000))
        (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || { echo "$port"; return; }
    done
}

is_open() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

start_server() {
    local dir=$1 bin=$2 port=$3
    # -w waits until it answers. TCP only, so that no socket file is left anywhere.
    as_owner "$bin/pg_ctl" start -w -t 60 -D "$dir/data" -l "$dir/postgres.log" -o "-p $port" >/dev/null 2>&1
}

start_bouncer() {
    local dir=$1 program=$2 port=$3 server_port=$4 tries
    # Plain settings on purpose: what works here works with Debian's package as it comes.
    cat >"$dir/pgbouncer.ini" <<INI
[databases]
* = host=127.0.0.1 port=$server_port
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = $port
unix_socket_dir =
auth_type = trust
auth_file = $dir/users.txt
pool_mode = transaction
max_client_conn = 1000
default_pool_size = 30
logfile = $dir/pgbouncer.log
pidfile = $dir/pgbouncer.pid
INI
    echo '"postgres" ""' >"$dir/users.txt"
    [ "$(id -u)" != 0 ] || chown postgres "$dir/pgbouncer.ini" "$dir/users.txt"
    as_owner "$program" -q -d "$dir/pgbouncer.ini" >/dev/null 2>&1 || return 1
    for ((tries = 0; tries < 100; tries++)); do
        is_open "$port" && return 0
        sleep 0.05
    done
    return 1
}

start() {
    local dir=$1 bin program port bouncer_port='' try
    bin=$(bin)
    [ "${2:-}" = alone ] || program=$(bouncer)
    mkdir -p "$dir"
    [ "$(id -u)" != 0 ] || chown postgres "$dir"
    # Names and texts of any language, sorted by bytes whatever the machine's language is.
    as_owner "$bin/initdb" -D "$dir/data" -U postgres -A trust -E UTF8 --no-locale >"$dir/initdb.log" 2>&1 || { cat "$dir/initdb.log" >&2; fail "initdb failed"; }
    cat >>"$dir/data/postgresql.conf" <<CONF
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
max_connections = 300
max_prepared_transactions = 0
fsync = on
shared_buffers = 256MB
autovacuum_naptime = 10s
CONF
    for ((try = 0; ; try++)); do
        port=$(free_port)
        start_server "$dir" "$bin" "$port" && break
        [ "$try" -lt 4 ] || { tail -n 20 "$dir/postgres.log" >&2; fail "PostgreSQL does not start"; }
    done
    if [ -n "${program:-}" ]; then
        for ((try = 0; ; try++)); do
            bouncer_port=$(free_port)
            start_bouncer "$dir" "$program" "$bouncer_port" "$port" && break
            [ "$try" -lt 4 ] || { cat "$dir/pgbouncer.log" >&2; stop "$dir"; fail "pgbouncer does not start"; }
        done
    fi
    {
        echo "export MILLRACE_TEST_POSTGRES='Host=127.0.0.1;Port=$port;Username=postgres;Database=postgres'"
        [ -z "$bouncer_port" ] || echo "export MILLRACE_TEST_PGBOUNCER='Host=127.0.0.1;Port=$bouncer_port;Username=postgres;Database=postgres'"
        echo "export MILLRACE_TEST_PGBIN='$bin'"
    } | tee "$dir/env"
    echo "$port" >"$dir/port"
}

standby() {
    local dir=$1 of=$2 bin port try
    bin=$(bin)
    [ -f "$of/port" ] || fail "$of holds no cluster"
    mkdir -p "$dir"
    [ "$(id -u)" != 0 ] || chown postgres "$dir"
    # -R writes down where to stream from.
    as_owner "$bin/pg_basebackup" -D "$dir/data" -h 127.0.0.1 -p "$(cat "$of/port")" -U postgres -R -X stream -c fast >"$dir/backup.log" 2>&1 \
        || { cat "$dir/backup.log" >&2; fail "pg_basebackup failed"; }
    for ((try = 0; ; try++)); do
        port=$(free_port)
        start_server "$dir" "$bin" "$port" && break
        [ "$try" -lt 4 ] || { tail -n 20 "$dir/postgres.log" >&2; fail "the standby does not start"; }
    done
    echo "export MILLRACE_TEST_POSTGRES='Host=127.0.0.1;Port=$port;Username=postgres;Database=postgres'" | tee "$dir/env"
    echo "$port" >"$dir/port"
}

promote() { as_owner "$(bin)/pg_ctl" promote -w -D "$1/data" >/dev/null || { tail -n 20 "$1/postgres.log" >&2; fail "the standby was not promoted"; }; }

crash() { as_owner "$(bin)/pg_ctl" stop -m immediate -w -D "$1/data" >/dev/null; }

resume() { start_server "$1" "$(bin)" "$(cat "$1/port")" || { tail -n 20 "$1/postgres.log" >&2; fail "PostgreSQL does not start again"; }; }

stop() {
    local dir=$1 bin
    [ -d "$dir/data" ] || fail "$dir holds no cluster"
    if [ -f "$dir/pgbouncer.pid" ]; then kill "$(cat "$dir/pgbouncer.pid")" 2>/dev/null || true; fi
    bin=$(find_bin) && as_owner "$bin/pg_ctl" stop -m immediate -w -D "$dir/data" >/dev/null 2>&1 || true
    rm -rf "$dir"
}

command=${1:-}
case $command in
    bin) bin ;;
    start | standby | promote | crash | resume | stop)
        case ${2:-} in /*) ;; *) fail "$command needs an absolute directory" ;; esac
        "$command" "$2" "${3:-}" ;;
    *) sed -n '2,/^set -/{/^#/s/^# \{0,1\}//p}' "$0"; exit 2 ;;
esac
