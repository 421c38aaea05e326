// Usage: engine_observe.ts NAME
// Reads words that another program counts up (count_forever.ts), more than three million times in
// each way: plainly, then plainly again behind an Atomics.load of a private word. Ends when some of
// the compiled loops have seen a word change between the two, which they cannot if a compiler takes
// the second load for the first; fails for a word that went back, as one that is read in pieces may.

import process from "node:process";
import { SharedSegment } from "../../mod.ts";

const ROUNDS = 100_000;
const LOOPS = 30;
const SEEING_LOOPS = 5;
/** Fewer may have been seen by a loop that was being replaced, or at an interruption. */
const CHANGES = 10;
const DEADLINE_MS = 90_000;

const [name] = process.argv.slice(2) as [string];
using segment = SharedSegment.open(name, { readonly: true });
const { buffer } = segment.unsafeBytes;
const i32 = new Int32Array(buffer);
const i64 = new BigInt64Array(buffer);
const f64 = new Float64Array(buffer);
const view = new DataView(buffer);
const fence = new Int32Array(1);

/** Each gives the number of changes seen, or -1 for a word that went back. */
const ways: Record<string, () => number> = {
  Int32Array: () => {
    let changes = 0;
    let last = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const before = i32[2] as number;
      Atomics.load(fence, 0);
      const after = i32[2] as number;
      if (before < last || after < before) return -1;
      if (after !== before) changes++;
      last = after;
    }
    return changes;
  },
  BigInt64Array: () => {
    let changes = 0;
    let last = 0n;
    for (let round = 0; round < ROUNDS; round++) {
      const before = i64[2] as bigint;
      Atomics.load(fence, 0);
      const after = i64[2] as bigint;
      if (before < last || after < before) return -1;
      if (after !== before) changes++;
      last = after;
    }
    return changes;
  },
  Float64Array: () => {
    let changes = 0;
    let last = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const before = f64[3] as number;
      Atomics.load(fence, 0);
      const after = f64[3] as number;
      if (before < last || after < before) return -1;
      if (after !== before) changes++;
      last = after;
    }
    return changes;
  },
  // One that is not compiled reads byte by byte: it sees changes, but also values that never were.
  DataView: () => {
    let changes = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const before = view.getInt32(8, true);
      Atomics.load(fence, 0);
      if (view.getInt32(8, true) !== before) changes++;
    }
    return changes;
  },
  // The same with another operation in between.
  "Atomics.add": () => {
    let changes = 0;
    let last = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const before = i32[2] as number;
      Atomics.add(fence, 0, 1);
      const after = i32[2] as number;
      if (before < last || after < before) return -1;
      if (after !== before) changes++;
      last = after;
    }
    return changes;
  },
  "Atomics.store": () => {
    let changes = 0;
    let last = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const before = i32[2] as number;
      Atomics.store(fence, 0, round);
      const after = i32[2] as number;
      if (before < last || after < before) return -1;
      if (after !== before) changes++;
      last = after;
    }
    return changes;
  },
};

for (const [way, observe] of Object.entries(ways)) {
  const deadline = performance.now() + DEADLINE_MS;
  let seeing = 0;
  for (let loop = 0; loop < LOOPS || seeing < SEEING_LOOPS; loop++) {
    if (performance.now() > deadline) throw new Error(`${way}: ${seeing} loops saw changes`);
    const changes = observe();
    if (changes < 0) throw new Error(`${way}: a word went back`);
    if (loop >= LOOPS / 2 && changes >= CHANGES) seeing++; // before, it may not be compiled
  }
  console.log(way);
}
