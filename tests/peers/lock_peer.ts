// Usage: lock_peer.ts NAME ROUNDS HOLD_US SEED
// tests/c/lock_peer.c, in TypeScript: locks, works and unlocks, by waiting and in the event loop.

import process from "node:process";
import { SharedObject } from "../../mod.ts";
import { LockRecord } from "../support/lock_record.ts";

const [name, rounds, holdUs, seed] = process.argv.slice(2) as [string, string, string, string];
const self = (Number(seed) % 0x7fff_0000) + 0x8000;
using object = SharedObject.open(name, LockRecord);
const record = object.value;

let state = Number(seed) >>> 0;
const random = (): number => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return state / 2 ** 32;
};

function violate(what: string): void {
  record.violations.add(1);
  console.error(`lock_peer.ts: ${what}`);
}

let [round, died] = [0, 0];
for (; round < Number(rounds) && record.stop.load() === 0; round++) {
  const lock = record.lock;
  const timeout = 20_000;
  using guard = random() < 0.3 ? await lock.lockAsync({ timeout }) : lock.lock({ timeout });
  if (guard.ownerDied) {
    died++;
    record.reports.add(1);
    record.count = record.check;
    record.witness.store(0);
    guard.markConsistent();
  }
  if (record.witness.exchange(self) !== 0) violate("somebody is in already");
  record.count++;
  const untilMs = performance.now() + random() * Number(holdUs) / 1000;
  while (performance.now() < untilMs);
  if (record.count !== record.check + 1n) violate("somebody else has counted");
  record.check++;
  if (record.witness.exchange(0) !== self) violate("somebody has come in");
}
console.log(JSON.stringify({ rounds: round, died }));
