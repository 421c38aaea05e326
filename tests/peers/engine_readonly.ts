// Usage: engine_readonly.ts NAME 8|16|32|64
// Loads a word of a read-only mapping three million times by Atomics.load. Ends with 0 and prints
// "survived" when no compiled load writes to what it loads.

import process from "node:process";
import { SharedSegment } from "../../mod.ts";

const LOADS = 3_000_000;

const [name, bits] = process.argv.slice(2) as [string, string];
using segment = SharedSegment.open(name, { readonly: true });
const { buffer } = segment.unsafeBytes;

function load(words: Uint8Array | Uint16Array | Int32Array, loads: number): number {
  let sum = 0;
  for (let count = 0; count < loads; count++) sum += Atomics.load(words, count & 7);
  return sum;
}

function load64(words: BigInt64Array, loads: number): number {
  let zeros = 0;
  for (let count = 0; count < loads; count++) if (Atomics.load(words, count & 7) === 0n) zeros++;
  return zeros;
}

const widths: Record<string, (loads: number) => number> = {
  8: (loads) => load(new Uint8Array(buffer), loads),
  16: (loads) => load(new Uint16Array(buffer), loads),
  32: (loads) => load(new Int32Array(buffer), loads),
  64: (loads) => load64(new BigInt64Array(buffer), loads),
};

console.log("loading");
for (let part = 0; part < 30; part++) widths[bits]?.(LOADS / 30);
console.log("survived");
