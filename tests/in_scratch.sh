#!/usr/bin/env bash
# in_scratch.sh FOLDER COMMAND...: empties FOLDER and runs COMMAND there.
set -euo pipefail
scratch=$1
shift
rm -rf "$scratch"
mkdir -p "$scratch"
cd "$scratch"
exec "$@"
