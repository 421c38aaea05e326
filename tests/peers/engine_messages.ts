// Usage: engine_messages.ts NAME first|second COUNT
// One of two programs that send each other messages through two rings, first one way, then the
// other: the payload is written and read plainly, between an Atomics.load that says "yours" and an
// Atomics.store that says "sent" or "read". Prints how many were not what the other had written.
// tests/c/engine_messages.c does the same.
//
//     0     int32  number of the last message that was sent
//     128   int32  number of the last message that was read
//     256   512K   8192 slots: 12 int32, double, 4 bytes, int32 checksum
//     ...          the same once more for the way back

import process from "node:process";
import { SharedSegment } from "../../mod.ts";

const SLOTS = 8192; // so many that neither waits long for one that is not running
const SLOT_BYTE_LENGTH = 64;
const RING_BYTE_LENGTH = 256 + SLOTS * SLOT_BYTE_LENGTH;
const WORDS = 12;
const MULTIPLIER = 0x9e3779b1;

const [name, role, count] = process.argv.slice(2) as [string, string, string];
using segment = SharedSegment.open(name);
const words = segment.view(Int32Array);
const { bytes } = segment;
const view = segment.view(DataView);

// Each way is one loop with everything in it, so that a compiler sees all plain accesses beside the
// atomic ones.

function send(ring: number, from: number, to: number): void {
  for (let number = from; number < to; number++) {
    while (number - Atomics.load(words, ring / 4 + 32) > SLOTS);
    const byteOffset = ring + 256 + (number % SLOTS) * SLOT_BYTE_LENGTH;
    const start = byteOffset / 4;
    for (let index = 0; index < WORDS; index++) {
      words[start + index] = Math.imul(number + index, MULTIPLIER);
    }
    view.setFloat64(byteOffset + 48, number + 0.25, true);
    for (let index = 0; index < 4; index++) bytes[byteOffset + 56 + index] = number + index;
    words[start + 15] = checksum(start);
    Atomics.store(words, ring / 4, number);
  }
}

function receive(ring: number, from: number, to: number): number {
  let wrong = 0;
  let sink = 0;
  for (let number = from; number < to; number++) {
    const byteOffset = ring + 256 + (number % SLOTS) * SLOT_BYTE_LENGTH;
    const start = byteOffset / 4;
    // Reads that are too early: what they find must not be taken for the message.
    sink ^= (words[start] as number) ^ (words[start + WORDS - 1] as number);
    sink ^= view.getFloat64(byteOffset + 48, true) ^ (bytes[byteOffset + 57] as number);
    while (Atomics.load(words, ring / 4) < number);
    wrong += isRight(byteOffset, number) ? 0 : 1;
    Atomics.store(words, ring / 4 + 32, number);
  }
  words[ring / 4 + 48] = sink; // nobody reads it, but the early reads have to be made
  return wrong;
}

function isRight(byteOffset: number, number: number): boolean {
  const start = byteOffset / 4;
  let wrong = (words[start + 15] as number) ^ checksum(start);
  for (let index = 0; index < WORDS; index++) {
    wrong |= (words[start + index] as number) ^ Math.imul(number + index, MULTIPLIER);
  }
  for (let index = 0; index < 4; index++) {
    wrong |= (bytes[byteOffset + 56 + index] as number) ^ ((number + index) & 0xff);
  }
  return wrong === 0 && view.getFloat64(byteOffset + 48, true) === number + 0.25;
}

function checksum(start: number): number {
  let sum = 0;
  for (let index = 0; index < 15; index++) sum ^= words[start + index] as number;
  return sum;
}

let wrong = 0;
const end = Number(count) + 1;
const CHUNK = 50_000; // entered several times, and long enough to be replaced while it runs
for (const [ring, sender] of [[0, "first"], [RING_BYTE_LENGTH, "second"]] as const) {
  for (let from = 1; from < end; from += CHUNK) {
    const to = Math.min(from + CHUNK, end);
    if (role === sender) send(ring, from, to);
    else wrong += receive(ring, from, to);
  }
}
console.log(wrong);
