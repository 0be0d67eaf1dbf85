#!/usr/bin/env bash
# go mod tidy in every module, the tools' too. Arguments go to it: with -diff it changes nothing and fails when it would.
set -euo pipefail
source "$(dirname "$0")/lib.sh"
each tidy go mod tidy "$@"
echo "== tidy: ./internal/tools"
go -C internal/tools mod tidy "$@"
