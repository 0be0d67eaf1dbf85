#!/usr/bin/env bash
# Changes the code in small ways, one at a time, and lists the changes that no test notices. SAMPLE is how many are drawn
# (0: all, which takes hours), SEED which ones; PACKAGES (folders, with commas between) and MATCH (a regexp for names) narrow
# the choice.
set -euo pipefail
source "$(dirname "$0")/lib.sh"
# Built here and run there, since the command works in the workspace, which the tools are no part of.
go -C internal/tools build -o "$root/out/mutants/" ./mutants
exec out/mutants/mutants -sample "${SAMPLE:-300}" -seed "${SEED:-1}" -packages "${PACKAGES:-}" -match "${MATCH:-}"
