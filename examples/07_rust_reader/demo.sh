#!/bin/sh
# Compiles the reader in Rust, and lets it open the throttle of an engine in TypeScript:
#
#   demo.sh [bun|deno|node] [name]
set -eu
cd "$(dirname "$0")"
case ${1:-bun} in
  deno) runtime="deno run --allow-ffi" ;;
  *) runtime=${1:-bun} ;;
esac
name=${2:-shmkit-engine}

directory=$(mktemp -d)
writer=
trap 'rm -r "$directory"; [ -z "$writer" ] || { kill "$writer" && wait "$writer"; } || true' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

rustc --edition 2021 -O -o "$directory/reader" reader.rs
$runtime writer.ts "$name" &
writer=$!
"$directory/reader" 80 "$name"
