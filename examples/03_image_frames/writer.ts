// Shows a picture as a film, in shared memory:
//
//   writer.ts [--fps 60] [--size 640x480] [--frames N] [--name NAME]
//
// With --fps 0 it draws as fast as it can. It ends after N frames, or at Ctrl-C.

import { readFileSync } from "node:fs";
import process from "node:process";
import { setImmediate as nextTurn, setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { drawFrame } from "./camera.ts";
import { FrameWriter } from "./frames.ts";
import { decodePng } from "./png.ts";

const { values } = parseArgs({
  options: {
    fps: { type: "string", default: "60" },
    size: { type: "string", default: "640x480" },
    frames: { type: "string", default: "Infinity" },
    name: { type: "string", default: "shmkit-frames" },
  },
});
const [fps, limit] = [Number(values.fps), Number(values.frames)];
const [width, height] = values.size.split("x").map(Number) as [number, number];

let ending = 0;
process.on("SIGINT", () => ending = 130);
process.on("SIGTERM", () => ending = 143);

const picture = decodePng(readFileSync(new URL("./cat.png", import.meta.url)));
using frames = FrameWriter.create(values.name, width, height);
console.log(`showing ${width} x ${height} as "${values.name}"`);

const start = performance.now();
let number = 0;
let dropped = 0;
while (number < limit && ending === 0 && !frames.isReplaced) {
  const frame = frames.back;
  drawFrame(frame, picture, number);
  frame.seal(number);
  if (!frames.publish()) dropped++;
  number++;
  const early = start + number * 1000 / fps - performance.now(); // with 0 frames/s, never
  if (fps > 0 && early > 0) await sleep(early);
  else await nextTurn();
}

const seconds = (performance.now() - start) / 1000;
const megabytes = number * frames.frameByteLength / 1e6;
console.log(
  `${number} frames in ${seconds.toFixed(1)} s: ${(number / seconds).toFixed(1)} frames/s, ` +
    `${(megabytes / seconds).toFixed(0)} MB/s, ${dropped} dropped`,
);
if (frames.isReplaced) console.log("another writer has taken over");
process.exitCode = ending;
