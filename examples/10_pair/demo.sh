#!/bin/sh
# Compiles the reader in C, and lets it read what a writer in TypeScript writes:
#
#   demo.sh [bun|deno|node] [name]
set -eu
cd "$(dirname "$0")"
case ${1:-bun} in
  deno) runtime="deno run --allow-ffi" ;;
  *) runtime=${1:-bun} ;;
esac
name=${2:-shmkit-pair}

directory=$(mktemp -d)
writer=
trap 'rm -r "$directory"; [ -z "$writer" ] || kill "$writer" 2>/dev/null || true' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

cc -O2 -o "$directory/reader" reader.c -pthread -lrt
$runtime writer.ts --name "$name" &
writer=$!
"$directory/reader" "$name"
wait "$writer"
writer=
