// The library: creating, writing and removing a segment; attaching, reading and closing. The same as
// segments.py. Creation reserves the memory here, and does not in Python.

import process from "node:process";
import { SharedSegment } from "../../mod.ts";

const ROUNDS = 3000;
const SIZE = 65536;
const NAME = `shmkit-bench-${process.pid}`;

function timeUs(body: () => void): number {
  for (let round = 0; round < 200; round++) body();
  const start = performance.now();
  for (let round = 0; round < ROUNDS; round++) body();
  return (performance.now() - start) / ROUNDS * 1e3;
}

const created = timeUs(() => {
  using segment = SharedSegment.create(NAME, { size: SIZE });
  segment.bytes[0] = 1;
  segment.unlink();
});

using kept = SharedSegment.create(NAME, { size: SIZE, lifetime: "creator" });
kept.bytes[0] = 1;
const attached = timeUs(() => {
  using segment = SharedSegment.open(NAME);
  if (segment.bytes[0] !== 1) throw new Error("lost a byte");
});
console.log(JSON.stringify({ "create and remove": created, "open and close": attached }));
