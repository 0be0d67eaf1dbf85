#!/usr/bin/env bash
# Runs the benchmarks of every module and keeps what they print in out/bench.txt; the run before it is compared with it.
# BENCH chooses the benchmarks (a regular expression), COUNT how often each runs, COATCHECK_BENCH_SESSIONS the population of
# the large stores (docs/benchmarks.md).
set -euo pipefail
source "$(dirname "$0")/lib.sh"
mkdir -p out
echo '*' >out/.gitignore
if [ -f out/bench.txt ]; then
	mv out/bench.txt out/bench-before.txt
fi

each bench go test -run '^$' -bench "${BENCH:-.}" -benchmem -count "${COUNT:-6}" -timeout 60m ./... </dev/null | tee out/bench.txt

benchstat=$(tool benchstat)
if [ -f out/bench-before.txt ]; then
	"$benchstat" out/bench-before.txt out/bench.txt
else
	"$benchstat" out/bench.txt
fi
