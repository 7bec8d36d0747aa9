# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# The Debian packages we need and why; installs what is missing. To be sourced, by ./test and ./demo.
#
#   packages_install GROUP...   groups: build, test, demo, bench. Returns 1 after one line if it cannot.
#   packages_promtool DIR       promtool into DIR unless it is there; never fails, says so instead.
#   packages_servers DIR        redis, nginx, memcached, postgresql below DIR/servers, likewise.
#
# To add a package: a row in the table; tests/house/packages_test.sh checks the table's form.

# package | groups | reason
packages_table='
gcc                  | build       | compiles everything
meson                | build       | describes the build and runs the tests
ninja-build          | build       | runs the build
pkg-config           | build       | finds the libraries below
libc6-dev            | build       | headers of the C library
libelf-dev           | build       | reads rules out of ELF files
libdw-dev            | build       | gives names and lines to stacks
libcurl4-openssl-dev | build       | delivers alerts to webhooks
libsqlite3-dev       | build       | keeps the outbox of alerts
libjansson-dev       | build       | reads and writes JSON
libyaml-dev          | build       | reads contracts, writes rule files
libssl-dev           | build       | SHA-256 of what the gate judged
libseccomp-dev       | build       | filter of system calls for the sandbox
libclang-14-dev      | build       | reads the tokens a candidate wrote
bubblewrap           | test,demo   | the sandbox of the gate
valgrind             | test,demo   | the gate counts instructions and looks for leaks with it
python3              | build,test  | runs meson, sums the tests
libcmocka-dev        | test        | unit tests
clang                | test,demo   | everything must compile with it too; the gate builds with it
libclang-rt-dev      | test        | sanitizers of clang
g++                  | test        | tocsin.h must also compile as C++
gcc-aarch64-linux-gnu  | test      | libtocsin must also build for arm64
g++-aarch64-linux-gnu  | test      | so must tocsin.h as C++
libc6-dev-arm64-cross  | test      | the C library of arm64, for these
qemu-user              | test      | runs on this machine what was built for arm64
clang-format         | test        | checks the layout of the source
binutils             | test,demo   | nm, readelf and objdump look into what was built
redis-tools          | test,demo   | redis-benchmark puts load on examples/kvd
sqlite3              | test        | must run the same with libtocsin-inside
bindfs               | test        | a file system that can be made to hang
libjemalloc2         | test        | redis-server needs it; measured beside our accounting
liblua5.1-0          | test        | redis-server needs it
liblzf1              | test        | redis-server needs it
libevent-2.1-7       | test        | memcached needs it
libpq5               | test        | psql and pgbench need it
wrk                  | test        | puts load on nginx
libmemcached-tools   | test        | memaslap puts load on memcached
libpcp3-dev          | bench       | measured beside our probes: headers of PCP
libpcp-mmv1-dev      | bench       | measured beside our probes: counters in a mapped file
prometheus-cpp-dev   | bench       | measured beside our probes: counters and histograms
liblttng-ust-dev     | bench       | measured beside our probes: tracepoints
libglib2.0-dev       | bench       | measured beside our probes: a structured log
'

packages_say()
{
        printf 'tocsin: %s\n' "$*" >&2
}

# Rows of the groups as "package reason", one a line, each package once.
packages_of()
{
        local name groups reason wanted

        while IFS='|' read -r name groups reason; do
                name=${name// /} groups=,${groups// /},
                for wanted in "$@"; do
                        if [[ -n $name && $groups == *,"$wanted",* ]]; then
                                printf '%s %s\n' "$name" "${reason# }"
                                break
                        fi
                done
        done <<<"$packages_table"
}

packages_is_installed()
{
        [[ $(dpkg-query --show --showformat='${db:Status-Status}' "$1" 2>/dev/null) == installed ]]
}

# Runs a command as root. With sudo a person may be asked for the password on the terminal.
packages_as_root()
{
        if [[ $(id -u) == 0 ]]; then
                env "$@"
        else
                sudo env "$@"
        fi
}

# Output of apt-get is shown only if it fails: whoever watches wants to see the tests.
packages_apt_get()
{
        local output status=0

        output=$(packages_as_root DEBIAN_FRONTEND=noninteractive apt-get -qq \
                -o DPkg::Lock::Timeout=300 "$@" 2>&1 </dev/null) || status=$?
        if [[ $status != 0 ]]; then
                packages_say "apt-get $1 failed with status $status:"
                tail -n 20 <<<"$output" >&2
        fi
        return "$status"
}

packages_install()
{
        local name reason
        local missing=()

        if ! command -v dpkg-query >/dev/null; then
                packages_say "this is no Debian: nothing is installed; needed are" \
                        "$(packages_of "$@" | cut -d ' ' -f 1 | paste -sd ' ')"
                return 0 # the build says what it does not find
        fi
        while read -r name reason; do
                packages_is_installed "$name" && continue
                [[ ${#missing[@]} == 0 ]] && packages_say "these packages are missing:"
                printf '  %-20s  %s\n' "$name" "$reason" >&2
                missing+=("$name")
        done < <(packages_of "$@")
        [[ ${#missing[@]} == 0 ]] && return 0

        if [[ $(id -u) != 0 ]] && ! command -v sudo >/dev/null; then
                packages_say "error: cannot install them without root or sudo; as root, run:" \
                        "apt-get install --no-install-recommends ${missing[*]}"
                return 1
        fi
        packages_say "installing them with apt-get$([[ $(id -u) == 0 ]] || echo ', as root by sudo')"
        packages_apt_get update &&
                packages_apt_get install --yes --no-install-recommends "${missing[@]}" && return 0
        packages_say "error: could not install ${missing[*]}"
        return 1
}

# promtool judges the rules that we export. Its package also starts a server, which nobody who runs
# our tests has asked for; so the tool is taken out of the package and nothing is installed.
packages_promtool()
{
        local directory=$1 draft

        if command -v promtool >/dev/null || [[ -x $directory/promtool ]]; then
                return 0
        fi
        packages_say "fetching promtool, which checks exported rules (19 MB, not installed)"
        mkdir -p "$directory"
        draft=$(mktemp -d "$directory/draft-XXXXXX") || return 0
        if (cd "$draft" && packages_fetch prometheus && dpkg-deb --extract ./*.deb .) &&
                mv "$draft/usr/bin/promtool" "$directory/promtool"; then
                :
        else
                packages_say "warning: promtool cannot be fetched; tests that need it are skipped"
        fi
        rm -rf "$draft"
        return 0
}

# Servers that must run the same with libtocsin-inside. As packages they would start: they are only
# unpacked. redis-server is a name of a program of redis-tools.
packages_servers()
{
        local directory=$1 draft name

        if [[ -d $directory/servers ]] || ! command -v dpkg-deb >/dev/null; then
                return 0
        fi
        packages_say "fetching redis, nginx, memcached and postgresql (22 MB, not installed)"
        mkdir -p "$directory"
        draft=$(mktemp -d "$directory/draft-XXXXXX") || return 0
        chmod 755 "$draft" # others than root are to run what is in it
        for name in redis-server redis-tools nginx memcached postgresql-15 postgresql-client-15; do
                mkdir "$draft/deb"
                (cd "$draft/deb" && packages_fetch "$name" && dpkg-deb --extract ./*.deb "$draft") ||
                        packages_say "warning: $name cannot be fetched; its test is skipped"
                rm -rf "$draft/deb"
        done
        rm -rf "$draft"/usr/{include,share/doc} # foreign source: house.sh would read it
        mv "$draft" "$directory/servers"
        return 0
}

# A package file into the working directory; the lists may have to be fetched first.
packages_fetch()
{
        apt-get -qq download "$1" >/dev/null 2>&1 </dev/null && return 0
        if [[ $(id -u) == 0 ]] || command -v sudo >/dev/null; then
                packages_apt_get update && apt-get -qq download "$1" >/dev/null 2>&1 </dev/null
        else
                return 1
        fi
}
