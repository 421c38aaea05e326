// Looks at the frames of writer.ts, and at whether each of them is whole:
//
//   reader.ts [--frames N] [--save FILE.png] [--name NAME]
//
// It ends after N frames, when the writer ends, or at Ctrl-C. --save keeps the last frame.

import { writeFileSync } from "node:fs";
import process from "node:process";
import { parseArgs } from "node:util";
import { type Frame, FrameReader } from "./frames.ts";
import { encodePng } from "./png.ts";

const { values } = parseArgs({
  options: {
    frames: { type: "string", default: "Infinity" },
    save: { type: "string" },
    name: { type: "string", default: "shmkit-frames" },
  },
});

const ctrlC = new AbortController();
process.on("SIGINT", () => ctrlC.abort(130));
process.on("SIGTERM", () => ctrlC.abort(143));

try {
  await watch(Number(values.frames), ctrlC.signal);
} catch (error) {
  if (!ctrlC.signal.aborted) throw error;
  process.exitCode = ctrlC.signal.reason;
}

async function watch(limit: number, signal: AbortSignal): Promise<void> {
  using frames = await FrameReader.open(values.name, signal);
  console.log(`looking at ${frames.width} x ${frames.height}`);
  const start = performance.now();
  let last: Frame | undefined;
  let [received, dropped, torn, ages, previous] = [0, 0, 0, 0, -1];

  function report(): void {
    const seconds = (performance.now() - start) / 1000;
    const megabytes = received * frames.frameByteLength / 1e6;
    console.log(
      `${received} frames in ${seconds.toFixed(1)} s: ${
        (received / seconds).toFixed(1)
      } frames/s, ` +
        `${(megabytes / seconds).toFixed(0)} MB/s, ${dropped} dropped, ${torn} torn, ` +
        `${(ages / received).toFixed(2)} ms old`,
    );
  }

  const timer = setInterval(report, 1000);
  try {
    while (received < limit) {
      const frame = await frames.next(signal);
      if (frame === undefined) break;
      const age = performance.timeOrigin + performance.now() - frame.time;
      const isIntact = frame.isIntact();
      if (frames.isReplaced) break; // it may have been drawn upon meanwhile
      if (!isIntact) torn++;
      if (previous >= 0) dropped += frame.number - previous - 1;
      previous = frame.number;
      ages += age;
      received++;
      last = frame;
    }
  } finally {
    clearInterval(timer);
    report();
  }
  if (frames.isReplaced) {
    console.log("another reader has taken over");
  } else if (values.save !== undefined && last !== undefined) {
    writeFileSync(values.save, encodePng(last));
    console.log(`frame ${last.number} is in ${values.save}`);
  }
}
