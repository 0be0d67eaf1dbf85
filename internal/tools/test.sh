#!/usr/bin/env bash
# Vets and tests every module with the race detector. Arguments go to go test.
set -euo pipefail
source "$(dirname "$0")/lib.sh"

if [ "$(go env GOOS)" = linux ]; then
	compiler=$(go env CC)
	need "${compiler%% *}" 'gcc libc6-dev' 'on Linux the race detector needs a C compiler'
	export CGO_ENABLED=1
	need '/usr/lib/postgresql/*/bin/initdb' postgresql 'internal/integration starts a PostgreSQL server'
	need /usr/sbin/pgbouncer pgbouncer 'internal/integration starts PgBouncer in front of PostgreSQL'
	need mariadb-install-db mariadb-server 'internal/integration starts a MariaDB server'
	need redis-server redis-server 'internal/integration starts Redis servers and a cluster'
	have google-chrome || need chromium chromium 'internal/integration opens the demo in a browser'
fi

# What tests and servers keep for a moment takes half the time in memory, where the system has plenty and TMPDIR is not set.
# A run that was killed leaves its folder to the next one.
in_memory() {
	local left plenty=8000
	[ "$(go env GOOS)" = linux ] && [ -z "${TMPDIR:-}" ] && [ -w /dev/shm ] || return 1
	for left in /dev/shm/coatcheck.*; do
		[ ! -e "$left" ] || kill -0 "${left##*.}" 2>/dev/null || rm -rf "$left"
	done
	room "$plenty" /dev/shm memory 2>/dev/null || return 1
	awk -v plenty="$plenty" '/^MemAvailable:/ { exit !($2 / 1024 > plenty) }' /proc/meminfo || return 1
	memory=/dev/shm/coatcheck.$$
	mkdir -m 1777 "$memory"
	cp "$(type -P true)" "$memory/true" && "$memory/true" 2>/dev/null || return 1 # programs may not run there
}
memory=
if in_memory; then
	export GOTMPDIR=${GOTMPDIR:-/tmp} TMPDIR=$memory # what is built stays on the disk
fi

room 3000 "${TMPDIR:-/tmp}" 'tests and servers keep their data there (TMPDIR)'
mkdir -p "$(go env GOCACHE)"
room 3000 "$(go env GOCACHE)" 'what is compiled is kept there (GOCACHE)'

# Under the race detector a program that ends waits a second for what its goroutines may still do, and these are a hundred.
export GORACE="atexit_sleep_ms=0 ${GORACE:-}"

# All of go vet, on what is compiled for the tests.
check() {
	go test -race -vet=all -shuffle=on -count=1 -timeout 40m "$@" ./...
}
export -f check

# others tests all modules but that of the servers and the tools.
others() {
	local failed=0
	chosen=$(modules | grep -vx "$servers") each test bash -ec 'check "$@"' check -p 1 "$@" || failed=1
	rest "$@" || failed=1
	return "$failed"
}

# beside tests the module of the servers.
beside() {
	local failed=0
	chosen=$servers each test bash -ec 'check "$@"' check "$@" || failed=1
	rest "$@" || failed=1
	return "$failed"
}

# rest tests what the race detector is of no use to, and the tools. Of the two above, the one that is done first does this.
rest() {
	local failed=0
	mkdir "$said/rest" 2>/dev/null || return 0
	echo '== test: values with the second version of encoding/json, which later versions of Go have by default'
	GOEXPERIMENT=jsonv2 go test -count=1 . ./internal/data || failed=1

	echo '== test: every case of the explorer'
	CGO_ENABLED=0 go test -trimpath -vet=all -count=1 -cpu 1 ./internal/explore || failed=1

	# The tools need a newer Go than the library, which is tested with the oldest that it supports too.
	if ! go -C internal/tools list -m >/dev/null 2>&1; then
		echo "== test: ./internal/tools needs a newer Go than $(go env GOVERSION), and is left to it"
		return "$failed"
	fi
	echo '== test: ./internal/tools'
	(cd internal/tools && check "$@") || failed=1
	return "$failed"
}

# The tests with servers wait for these much of the time, and take about as long as all others: the two go on beside each
# other. What the first say is printed when they are over.
servers=./internal/integration
said=$(mktemp -d)
stage
set -m # it gets a group of processes, which can be ended as a whole
beside "$@" </dev/null >"$said/servers" 2>&1 &
group=$!
set +m
trap 'kill -- "-$group" 2>/dev/null || true; unstage; rm -rf "$said" "$memory"' EXIT

status=0
others "$@" 2>&1 | tee "$said/others" || status=1
wait "$group" || status=1
cat "$said/servers"

echo '== test: how many seconds each package took'
awk -F '\t' '$1 ~ /^(ok  |FAIL)$/ && $3 ~ /^[0-9.]+s/ { printf "%7.1f %s\n", $3, $2 }' "$said/servers" "$said/others" | sort -rn
grep -h '^== .* failed in' "$said/servers" "$said/others" >&2 || exit "$status"
exit 1
