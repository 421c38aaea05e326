// Usage: read_forever.ts NAME
// Reads a word of a segment three million times by each of the ways that the read-only form offers,
// while a writer counts it up, and checks that it never goes back and does not stand still.

import process from "node:process";
import { SharedSegment } from "../../mod.ts";

const READS = 3_000_000;

using segment = SharedSegment.open(process.argv[2] as string, { readonly: true });
const target = new Uint32Array(1);

const ways: Record<string, () => number> = {
  getUint32: () => segment.getUint32(8),
  getInt32: () => segment.getInt32(8),
  loadUint32: () => segment.loadUint32(8),
  loadInt32: () => segment.loadInt32(12),
  getBigUint64: () => Number(segment.getBigUint64(16)),
  loadBigUint64: () => Number(segment.loadBigUint64(16)),
  getFloat64: () => segment.getFloat64(24),
  copyInto: () => segment.copyInto(target, 8)[0] as number,
};

console.log("ready");
for (const [name, read] of Object.entries(ways)) {
  // Polling as users would write it: a loop that a compiler could turn into an endless one.
  const start = read();
  let polls = 0;
  while (read() === start) {
    if (++polls > 1e9) throw new Error(`${name} never saw a change`);
  }
  let last = 0;
  let changes = 0;
  for (let index = 0; index < READS; index++) {
    const value = read();
    if (value < last) throw new Error(`${name} went back from ${last} to ${value}`);
    if (value > last) changes++;
    last = value;
  }
  if (changes < 2) throw new Error(`${name} stood still at ${last}`);
}
console.log("done");
