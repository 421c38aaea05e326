// Usage: engine_poll.ts NAME
// Polls words of a segment in loops that a compiler could turn into endless ones, if it took a load
// for one that it has made already. Prints the name of each loop when it starts and how often it
// went round when it ends. Loop number N waits for the byte at 64 * N to change.

import process from "node:process";
import { SharedSegment } from "../../mod.ts";

const [name] = process.argv.slice(2) as [string];
using segment = SharedSegment.open(name);
using reader = SharedSegment.open(name, { readonly: true });

const i8 = segment.view(Int8Array);
const u16 = segment.view(Uint16Array);
const i32 = segment.view(Int32Array);
const i64 = segment.view(BigInt64Array);
const f64 = segment.view(Float64Array);
const view = segment.view(DataView);
const fence = new Int32Array(1); // private: an Atomics operation on it is to be a barrier

interface Loop {
  readonly title: string;
  /** What the place is counted in. */
  readonly byteLength: number;
  wait(place: number): number;
}

// Each has a loop of its own, which the compilers see with one type of view. Rounds are counted by
// `| 0` because an overflow would make a compiler give up, and the load be made once more.
const loops: readonly Loop[] = [
  {
    title: "Atomics.load of Int8Array",
    byteLength: 1,
    wait(place) {
      let rounds = 0;
      while (Atomics.load(i8, place) === 0) rounds = (rounds + 1) | 0;
      return rounds;
    },
  },
  {
    title: "Atomics.load of Uint16Array",
    byteLength: 2,
    wait(place) {
      let rounds = 0;
      while (Atomics.load(u16, place) === 0) rounds = (rounds + 1) | 0;
      return rounds;
    },
  },
  {
    title: "Atomics.load of Int32Array",
    byteLength: 4,
    wait(place) {
      let rounds = 0;
      while (Atomics.load(i32, place) === 0) rounds = (rounds + 1) | 0;
      return rounds;
    },
  },
  {
    title: "Atomics.load of BigInt64Array",
    byteLength: 8,
    wait(place) {
      let rounds = 0;
      while (Atomics.load(i64, place) === 0n) rounds = (rounds + 1) | 0;
      return rounds;
    },
  },
  {
    title: "Int8Array behind Atomics.load",
    byteLength: 1,
    wait(place) {
      let rounds = 0;
      while (i8[place] === 0) {
        Atomics.load(fence, 0);
        rounds = (rounds + 1) | 0;
      }
      return rounds;
    },
  },
  {
    title: "Int32Array behind Atomics.load",
    byteLength: 4,
    wait(place) {
      let rounds = 0;
      while (i32[place] === 0) {
        Atomics.load(fence, 0);
        rounds = (rounds + 1) | 0;
      }
      return rounds;
    },
  },
  {
    title: "BigInt64Array behind Atomics.load",
    byteLength: 8,
    wait(place) {
      let rounds = 0;
      while (i64[place] === 0n) {
        Atomics.load(fence, 0);
        rounds = (rounds + 1) | 0;
      }
      return rounds;
    },
  },
  {
    title: "Float64Array behind Atomics.load",
    byteLength: 8,
    wait(place) {
      let rounds = 0;
      while (f64[place] === 0) {
        Atomics.load(fence, 0);
        rounds = (rounds + 1) | 0;
      }
      return rounds;
    },
  },
  {
    title: "DataView behind Atomics.load",
    byteLength: 1,
    wait(place) {
      let rounds = 0;
      while (view.getInt32(place, true) === 0) {
        Atomics.load(fence, 0);
        rounds = (rounds + 1) | 0;
      }
      return rounds;
    },
  },
  {
    title: "ReadonlySharedSegment.getInt32",
    byteLength: 1,
    wait(place) {
      let rounds = 0;
      while (reader.getInt32(place) === 0) rounds = (rounds + 1) | 0;
      return rounds;
    },
  },
  {
    title: "ReadonlySharedSegment.getFloat64",
    byteLength: 1,
    wait(place) {
      let rounds = 0;
      while (reader.getFloat64(place) === 0) rounds = (rounds + 1) | 0;
      return rounds;
    },
  },
  {
    title: "ReadonlySharedSegment.loadInt32",
    byteLength: 1,
    wait(place) {
      let rounds = 0;
      while (reader.loadInt32(place) === 0) rounds = (rounds + 1) | 0;
      return rounds;
    },
  },
];

for (const [index, { title, byteLength, wait }] of loops.entries()) {
  // The word behind has changed already: that gets the whole function compiled.
  for (let call = 0; call < 50_000; call++) wait((64 * index + 32) / byteLength);
  console.log(title);
  console.log(wait(64 * index / byteLength));
}
