#!/usr/bin/env bash
# Takes the pictures of the demo that the README shows, with Chromium.
set -euo pipefail
source "$(dirname "$0")/lib.sh"

have google-chrome || need chromium chromium 'it takes the pictures'
mkdir -p docs/images
COATCHECK_SCREENSHOTS=$root/docs/images go test -C internal/integration -count=1 -run '^TestScreenshots$' ./browser
