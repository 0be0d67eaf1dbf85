#!/usr/bin/env bash
# Runs benchmarks of one module with a profile of the processor and one of the memory, keeps them in out/, and prints what costs most.
# BENCH chooses the benchmarks (a regular expression), MODULE the module's folder, TOP how many functions are printed.
set -euo pipefail
source "$(dirname "$0")/lib.sh"
mkdir -p out
echo '*' >out/.gitignore

run() {
	in_module "${MODULE:-.}" go test -run '^$' -bench "${BENCH:-^Benchmark(Read|Write|FirstSave)\$}" -benchmem -benchtime "${BENCHTIME:-2s}" -o "$root/out/profiled.test" "$@" "${PACKAGE:-.}"
}
run -cpuprofile "$root/out/cpu.prof"
run -memprofile "$root/out/mem.prof" -memprofilerate 4096 >"$root/out/mem.txt" # by itself, for it takes a fifth of the processor

top() {
	echo "== $1"
	go tool pprof -top -nodecount "${TOP:-25}" "${@:3}" "$root/out/profiled.test" "$root/out/$2" 2>/dev/null | sed -n '/flat%/,$p'
}
top 'processor, by what a function does itself' cpu.prof
top 'processor, with what it calls' cpu.prof -cum
top 'bytes allocated' mem.prof -sample_index alloc_space
echo "The profiles: go tool pprof -http=localhost:0 out/profiled.test out/cpu.prof"
