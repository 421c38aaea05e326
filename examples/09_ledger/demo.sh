#!/bin/sh
# Lets two clerks transfer money in one ledger, of which one is killed in the middle of a transfer:
#
#   demo.sh [bun|deno|node] [name]
set -eu
cd "$(dirname "$0")"
case ${1:-bun} in
  deno) runtime="deno run --allow-ffi" ;;
  *) runtime=${1:-bun} ;;
esac
name=${2:-shmkit-ledger}

clerk=
trap '[ -z "$clerk" ] || kill "$clerk" 2>/dev/null || true' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

$runtime clerk.ts --name "$name" &
clerk=$!
# The ledger goes with the last who has it open: if only the one that dies had, nobody would repair it.
while [ ! -e "/dev/shm/$name" ] && kill -0 "$clerk"; do sleep 0.1; done
$runtime clerk.ts --name "$name" --die-at 200 || true
sleep 1
kill -TERM "$clerk"
wait "$clerk" || [ $? -eq 143 ]
clerk=
