// The library: System V segments and anonymous memory, made, written to and given up; a segment that
// grows; a window. The same as kinds.c, which reserves the memory, too.

import { SharedSegment, SystemVSegment } from "../../mod.ts";

const ROUNDS = 3000;
const SIZE = 65536;

function timeUs(body: () => void): number {
  for (let round = 0; round < 200; round++) body();
  const start = performance.now();
  for (let round = 0; round < ROUNDS; round++) body();
  return (performance.now() - start) / ROUNDS * 1e3;
}

const created = timeUs(() => {
  using segment = SystemVSegment.create({ size: SIZE, lifetime: "lastDetach" });
  segment.bytes[0] = 1;
});

using kept = SystemVSegment.create({ size: SIZE, lifetime: "lastDetach" });
kept.bytes[0] = 1;
const name = { id: kept.id };
const attached = timeUs(() => {
  using segment = SystemVSegment.open(name);
  if (segment.bytes[0] !== 1) throw new Error("lost a byte");
});

const anonymous = timeUs(() => {
  using segment = SharedSegment.anonymous({ size: SIZE });
  segment.bytes[0] = 1;
});

using growing = SharedSegment.anonymous({ size: SIZE });
const resized = timeUs(() => {
  growing.resize(2 * SIZE);
  growing.bytes[SIZE] = 1;
  growing.resize(SIZE);
});

const windowed = timeUs(() => {
  using window = growing.window(4096, 4096);
  window.bytes[0] = 1;
});

console.log(JSON.stringify({
  "System V: create, remove": created,
  "System V: open, close": attached,
  "anonymous: create, close": anonymous,
  "grow and shrink": resized,
  "window": windowed,
}));
