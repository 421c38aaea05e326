// Usage: engine_sum.ts NAME INDEX CHUNKS CHUNK_LENGTH
// One of several programs that change the same words at once, each CHUNKS * CHUNK_LENGTH times:
// the same as tests/c/engine_sum.c, which has the words' places.

import process from "node:process";
import { SharedSegment } from "../../mod.ts";

const [name, ...numbers] = process.argv.slice(2) as [string, ...string[]];
const [index, chunks, chunkLength] = numbers.map(Number) as [number, number, number];
using segment = SharedSegment.open(name);

const go = segment.view(Int32Array, 0, 1);
const sum = segment.view(Int32Array, 64, 1);
const difference = segment.view(Int32Array, 128, 1);
const exchanged = segment.view(Int32Array, 192, 1);
const toggled = segment.view(Int32Array, 256, 1);
const sum64 = segment.view(BigInt64Array, 320, 1);
const exchanged64 = segment.view(BigInt64Array, 384, 1);
const sum8 = segment.view(Uint8Array, 448, 1);
const sum16 = segment.view(Uint16Array, 512, 1);

// Each operation has a loop of its own, which the compilers see with one type of view.
const operations = [
  () => {
    for (let count = 0; count < chunkLength; count++) Atomics.add(sum, 0, 1);
  },
  () => {
    for (let count = 0; count < chunkLength; count++) Atomics.sub(difference, 0, 1);
  },
  () => {
    for (let count = 0; count < chunkLength; count++) {
      let seen = Atomics.load(exchanged, 0);
      while (true) {
        const found = Atomics.compareExchange(exchanged, 0, seen, seen + 1);
        if (found === seen) break;
        seen = found;
      }
    }
  },
  () => {
    for (let count = 0; count < chunkLength; count++) Atomics.xor(toggled, 0, 1 << index);
  },
  () => {
    for (let count = 0; count < chunkLength; count++) Atomics.add(sum64, 0, 1n);
  },
  () => {
    for (let count = 0; count < chunkLength; count++) {
      let seen = Atomics.load(exchanged64, 0);
      while (true) {
        const found = Atomics.compareExchange(exchanged64, 0, seen, seen + 1n);
        if (found === seen) break;
        seen = found;
      }
    }
  },
  () => {
    for (let count = 0; count < chunkLength; count++) Atomics.add(sum8, 0, 1);
  },
  () => {
    for (let count = 0; count < chunkLength; count++) Atomics.add(sum16, 0, 1);
  },
];

console.log("ready");
while (Atomics.load(go, 0) === 0);
for (let chunk = 0; chunk < chunks; chunk++) {
  for (const operation of operations) operation();
}
