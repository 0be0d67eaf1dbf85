#!/usr/bin/env bash
# Lets the storm rage on each store for its part of FOR. STORE is one or several of its names, all by default; SEED is
# the number of the first round, which a failure names, and a random one by default; FOR=0s plays that round alone.
set -euo pipefail
source "$(dirname "$0")/lib.sh"

stores=(${STORE:-memstore filestore sqlite postgresql mariadb redis cluster})
COATCHECK_STORM_SEED=${SEED:-$((RANDOM * 32768 + RANDOM))}
whole=${FOR:-5m}
COATCHECK_STORM_PARTS=${#stores[@]}
COATCHECK_STORM_FOR=$whole
export COATCHECK_STORM_SEED COATCHECK_STORM_FOR COATCHECK_STORM_PARTS CGO_ENABLED=1

# rage MODULE PACKAGE TEST runs one test.
rage() {
	in_module "$1" go test -race -count=1 -timeout 2h -v -run "$3" "$2"
}

failed=()
for store in "${stores[@]}"; do
	echo "== storm: $store"
	every=TestTheStormKeepsThePromisesOnEveryStore
	case $store in
	memstore) rage . ./internal/storm 'TestTheStormKeepsThePromisesInMemory$' ;;
	filestore) rage . ./internal/storm 'TestTheStormKeepsThePromisesInFiles$' ;;
	sqlite) rage internal/integration . "$every/^SQLite\$" ;;
	postgresql) rage internal/integration . "$every/^PostgreSQL\$" ;;
	mariadb) rage internal/integration . "$every/^MySQL\$" ;;
	redis) rage internal/integration . "$every/^Redis\$" ;;
	cluster) rage internal/integration . "$every/^Redis_Cluster\$" ;;
	*)
		echo "STORE: $store is none of memstore, filestore, sqlite, postgresql, mariadb, redis, cluster" >&2
		exit 2
		;;
	esac || failed+=("$store")
done
if [ ${#failed[@]} -gt 0 ]; then
	echo "== the storm broke: ${failed[*]}" >&2
	exit 1
fi
