// Plays a game with whoever comes:
//
//   server.ts [--fps 60] [--frames N] [--name NAME]
//
// With --fps 0 it plays as fast as it can. It ends after N frames, or at Ctrl-C.

import process from "node:process";
import { setImmediate as nextTurn, setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { SharedObject } from "../../mod.ts";
import { type FrameView, FrameWriter, NAME, World } from "./game.ts";

const { values } = parseArgs({
  options: {
    fps: { type: "string", default: "60" },
    frames: { type: "string", default: "Infinity" },
    name: { type: "string", default: NAME },
  },
});
const [fps, limit] = [Number(values.fps), Number(values.frames)];

let ending = 0;
process.on("SIGINT", () => ending = 130);
process.on("SIGTERM", () => ending = 143);

const WIDTH = 1000;
const DIRECTIONS = [[3, 0], [0, 3], [-3, 0], [0, -3]] as const;

SharedObject.unlink(values.name); // what a killed server has left
using object = SharedObject.create(values.name, World, {}, { lifetime: "creator" });
const { seats } = object.value;
const frames = new FrameWriter(object);
console.log(`playing "${object.name}"${fps > 0 ? ` at ${fps} frames/s` : ""}`);

const start = performance.now();
let [reported, last] = [start, start];
let intervals: number[] = [];

frames.publish(({ entities }) => {
  for (const [index, entity] of entities.entries()) {
    entity.position.set([WIDTH * Math.random(), WIDTH * Math.random()]);
    entity.velocity.set([4 * Math.random() - 2, 4 * Math.random() - 2]);
    entity.health = 100;
    entity.kind = index < seats.length ? "player" : "drone";
    entity.flags.color = index % 16;
  }
});
for (let number = 1; number < limit && ending === 0; number++) {
  const early = start + number * 1000 / fps - performance.now(); // with 0 frames/s, never
  if (fps > 0 && early > 0) await sleep(early);
  else await nextTurn();
  frames.publish(draw);
  const time = performance.now();
  intervals.push(time - last);
  last = time;
  if (time - reported > 1000) report();
}
report();
process.exitCode = ending;

/** Moves everything by one step. */
function draw({ entities, inputs }: FrameView): void {
  for (const [index, seat] of seats.entries()) {
    const input = seat.input.load();
    inputs[index] = input;
    const entity = entities[index] as typeof entities[number];
    entity.flags.seated = seat.player.load() !== 0;
    if (entity.flags.seated) entity.velocity.set(DIRECTIONS[input % 4] as readonly number[]);
  }
  for (const entity of entities) {
    entity.flags.bounced = false;
    for (const axis of [0, 1]) {
      const velocity = entity.velocity[axis] as number;
      const position = entity.position[axis] as number + velocity;
      entity.position[axis] = Math.min(Math.max(position, 0), WIDTH);
      if (position >= 0 && position <= WIDTH) continue;
      entity.velocity[axis] = -velocity;
      entity.flags.bounced = true;
      entity.health = entity.health > 1 ? entity.health - 1 : 100;
    }
  }
}

/** Says how even the frames were since the last time. */
function report(): void {
  const sorted = intervals.toSorted((one, other) => one - other);
  const at = (part: number) => (sorted[Math.floor(part * (sorted.length - 1))] ?? 0).toFixed(2);
  const players = seats.filter(({ player }) => player.load() !== 0).length;
  const seconds = (last - reported) / 1000;
  console.log(
    `${intervals.length} frames in ${seconds.toFixed(1)} s, one every ${at(0.5)} ms ` +
      `(${at(0)} to ${at(1)}), ${players} players`,
  );
  reported = last;
  intervals = [];
}
