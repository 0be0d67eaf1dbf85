#!/usr/bin/env bash
# Measures session libraries side by side, and writes the measured part of docs/benchmarks.md with its pictures. ROUNDS is how often
# everything is measured, SESSIONS how many the largest store of the curves has.
set -euo pipefail
source "$(dirname "$0")/lib.sh"

need '/usr/lib/postgresql/*/bin/initdb' postgresql 'it is measured'
need mariadb-install-db mariadb-server 'it is measured'
need redis-server redis-server 'it is measured'
mkdir -p out docs/images
(cd bench && go run . -rounds "${ROUNDS:-5}" -sessions "${SESSIONS:-100000}" -page "$root/docs/benchmarks.md" -images "$root/docs/images" -raw "$root/out/bench-peers.txt")
"$(tool benchstat)" -row /what -col /library -filter '/store:memory' out/bench-peers.txt
echo 'All measurements are in out/bench-peers.txt, for benchstat; the tables are in docs/benchmarks.md.'
