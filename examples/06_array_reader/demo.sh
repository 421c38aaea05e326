#!/bin/sh
# Starts a writer in TypeScript and the reader in Python:
#
#   demo.sh [bun|deno|node] [name]
set -eu
cd "$(dirname "$0")"
case ${1:-bun} in
  deno) runtime="deno run --allow-ffi" ;;
  *) runtime=${1:-bun} ;;
esac
name=${2:-shmkit-recording}

$runtime writer.ts "$name" &
writer=$!
trap 'kill "$writer" 2>/dev/null && wait "$writer" || true' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
python3 -B reader.py "$name"
