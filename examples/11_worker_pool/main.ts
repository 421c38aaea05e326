// Lets three workers, one in each runtime, compute a Game of Life, and kills one of them:
//
//   main.ts [--steps 300] [--kill-at 100] [--name NAME]

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { SharedObject } from "../../mod.ts";
import { cellsAfter, firstCells, HEIGHT, NAME, Pool, step, WIDTH, WORKERS } from "./pool.ts";

const { values } = parseArgs({
  options: {
    steps: { type: "string", default: "300" },
    "kill-at": { type: "string", default: "100" },
    name: { type: "string", default: NAME },
  },
});
const goal = Number(values.steps);

const RUNTIMES = {
  bun: ["bun"],
  deno: ["deno", "run", "--allow-ffi"],
  node: ["node", "--disable-warning=ExperimentalWarning"],
};
type Runtime = keyof typeof RUNTIMES;

SharedObject.unlink(values.name); // what a killed one has left
using object = SharedObject.create(values.name, Pool, { goal }, { lifetime: "creator" });
const pool = object.value;
pool.even.set(firstCells());

const workers = new Map<number, ChildProcess>();
process.on("exit", () => workers.forEach((worker) => worker.kill("SIGKILL")));
process.on("SIGINT", () => process.exit(130));
process.on("SIGTERM", () => process.exit(143));

/** Starts a worker. @returns A promise of its having joined. */
async function start(index: number, runtime: Runtime, ...args: string[]): Promise<void> {
  const [program, ...options] = RUNTIMES[runtime] as [string, ...string[]];
  const path = fileURLToPath(new URL("worker.ts", import.meta.url));
  const worker = spawn(
    program,
    [...options, path, String(index), "--name", values.name, ...args],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  workers.set(index, worker);
  const title = `worker ${index} in ${runtime}`.padEnd(17);
  worker.on("error", (error) => console.error(`${title}  ${error.message}`));
  worker.on("exit", (code, signal) => {
    workers.delete(index);
    if (code !== 0) console.log(`${title}  ended with ${signal ?? code}`);
  });
  const lines = createInterface({ input: worker.stdout });
  lines.on("line", (line) => console.log(`${title}  ${line}`));
  await Promise.race([once(lines, "line"), once(worker, "exit")]);
  if (!workers.has(index)) throw new Error(`${title.trim()} has not joined`);
}

const runtimes = Object.keys(RUNTIMES) as Runtime[];
await Promise.all(
  runtimes.map((runtime, index) =>
    start(index, runtime, ...(index === 1 ? ["--die-at", values["kill-at"]] : []))
  ),
);

do {
  await sleep(10);
  // One is missing, and whoever is left has been told: each of them is, when it arrives at the latest.
  const left = [...workers.keys()];
  const isTold = (index: number) => pool.seats[index]?.isTold.load() === 1;
  if (left.length < WORKERS && left.some(isTold) && left.every(isTold)) await repair();
} while (workers.size > 0);

const alone = [firstCells(), new Uint8Array(WIDTH * HEIGHT)] as const;
for (let steps = 0; steps < goal; steps++) {
  step(alone[steps % 2] as Uint8Array, alone[(steps + 1) % 2] as Uint8Array, 0, HEIGHT);
}
const [shared, expected] = [cellsAfter(pool, goal), alone[goal % 2] as Uint8Array];
const differences = shared.filter((cell, index) => cell !== expected[index]).length;
const living = shared.reduce((sum, cell) => sum + cell, 0);
console.log(`${pool.steps.load()} steps, ${living} cells live, ${differences} differences`);
if (pool.steps.load() !== goal || differences > 0) process.exitCode = 1;

/** Has a new worker in the place of each that is missing. Nobody is at the barrier meanwhile. */
async function repair(): Promise<void> {
  const left = [...workers.keys()];
  pool.meeting.reset(); // the dead make room
  for (const [index, seat] of pool.seats.entries()) {
    seat.isTold.store(0);
    seat.goOn.reset(); // a dead worker may not have seen that it was set
    if (!left.includes(index)) await start(index, runtimes[index] as Runtime);
  }
  console.log(`repaired, in step ${pool.steps.load()}`);
  for (const index of left) pool.seats[index]?.goOn.set();
}
