#!/usr/bin/env bash
# Makes a module proxy of the work tree, and installs and uses everything from it as one does who has no clone: the command, each
# module alone, a program with all of them, and the Go of the README.
set -euo pipefail
source "$(dirname "$0")/lib.sh"
go -C internal/release run . try
