// Plays along: looks at every frame, and changes direction now and then.
//
//   client.ts [--frames N] [--name NAME]
//
// It ends after N frames, when the server ends, or at Ctrl-C.

import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { SharedObject } from "../../mod.ts";
import { FrameReader, NAME, now, World } from "./game.ts";

const { values } = parseArgs({
  options: {
    frames: { type: "string", default: "Infinity" },
    name: { type: "string", default: NAME },
  },
});

const ctrlC = new AbortController();
process.on("SIGINT", () => ctrlC.abort(130));
process.on("SIGTERM", () => ctrlC.abort(143));

try {
  await play(Number(values.frames), ctrlC.signal);
} catch (error) {
  if (!ctrlC.signal.aborted) throw error;
}
if (ctrlC.signal.aborted) process.exitCode = ctrlC.signal.reason;

async function play(limit: number, signal: AbortSignal): Promise<void> {
  if (!SharedObject.exists(values.name)) console.log("waiting for a server");
  using object = await SharedObject.openAsync(values.name, World, { signal });
  const frames = new FrameReader(object);
  const { frame } = frames;
  const { seats } = object.value;
  // Who changes the 0 of a seat has it.
  const index = seats.findIndex(({ player }) => player.compareExchange(0, process.pid) === 0);
  const seat = seats[index];
  if (seat === undefined) throw new Error(`all ${seats.length} seats are taken`);
  console.log(`player ${index} of "${object.name}"`);

  let [seen, missed, torn, ages, previous] = [0, 0, 0, 0, 0];
  let [inputs, answers, waits, input, sent, next] = [0, 0, 0, seat.input.load(), 0, 0];
  let [lastFrame, reported] = [now(), now()];

  function report(): void {
    const mean = (sum: number, count: number) => (sum / Math.max(count, 1)).toFixed(2);
    console.log(
      `${seen} frames, ${missed} missed, ${frames.overtaken} overtaken, ${torn} torn, ` +
        `${mean(ages, seen)} ms old; ` +
        `${answers} of ${inputs} inputs answered in ${mean(waits, answers)} ms`,
    );
    reported = now();
  }

  try {
    while (seen < limit && !signal.aborted) {
      await sleep(1);
      if (sent === 0 && now() >= next) {
        input = (input & ~3) + 4 + Math.floor(4 * Math.random()) >>> 0;
        sent = now();
        inputs++;
        seat.input.store(input); // pairs with the load of the server
      }
      if (!frames.look()) {
        const quiet = now() - lastFrame;
        const isOver = quiet > 100 && !object.stat().linked; // the server has removed the name
        if (isOver || quiet > 5000) {
          console.log(isOver ? "the game is over" : "no frame for five seconds");
          break;
        }
        continue;
      }
      lastFrame = now();
      if (!frames.isWhole()) torn++;
      if (previous > 0) missed += frame.number - previous - 1;
      previous = frame.number;
      ages += lastFrame - frame.time;
      seen++;

      if (sent > 0 && frame.inputs[index] === input) {
        answers++;
        waits += lastFrame - sent;
        sent = 0;
        next = lastFrame + 100 * Math.random(); // at any moment between two frames
      }
      if (now() - reported > 1000) report();
    }
  } finally {
    seat.player.store(0);
    report();
  }
}
