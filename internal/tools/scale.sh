#!/usr/bin/env bash
# Measures a store with a million sessions, and writes the result into the tables of docs/operations.md. STORE is one or several of
# its names, all by default; SESSIONS is how many.
set -euo pipefail
source "$(dirname "$0")/lib.sh"
for store in ${STORE:-memstore filestore sqlite postgresql mariadb redis}; do
	rounds=5
	if [ "$store" = filestore ]; then
		rounds=1 # one sweep of all that has expired
	fi
	(cd internal/integration && go run ./scale -store "$store" -sessions "${SESSIONS:-1000000}" -rounds "$rounds" -page "$root/docs/operations.md")
done
