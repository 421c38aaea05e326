#!/bin/sh
# Compiles the peer in C++, and lets it hit the player of an owner in TypeScript:
#
#   demo.sh [bun|deno|node] [name]
set -eu
cd "$(dirname "$0")"
case ${1:-bun} in
  deno) runtime="deno run --allow-ffi" ;;
  *) runtime=${1:-bun} ;;
esac
name=${2:-shmkit-player}

directory=$(mktemp -d)
owner=
trap 'rm -r "$directory"; [ -z "$owner" ] || kill "$owner" 2>/dev/null || true' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

g++ -std=c++17 -O2 -o "$directory/peer" peer.cpp
$runtime owner.ts "$name" &
owner=$!
"$directory/peer" "$name"
wait "$owner"
owner=
