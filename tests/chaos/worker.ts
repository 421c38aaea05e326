// Usage: worker.ts JOB
// Does rounds of a scenario until it is killed, or told to stop. JOB is JSON, as in fleet.ts.
// A host of threads starts them and terminates them as the lines of its standard input say.

import process from "node:process";
import { isMainThread, Worker as Thread, workerData } from "node:worker_threads";
import { gettid } from "../../ffi/mod.ts";
import { type InferLive, SharedObject } from "../../mod.ts";
import type { Job } from "./fleet.ts";
import type { Context, Worker } from "./scenario.ts";
import { scenarios } from "./scenarios.ts";

const job = JSON.parse(isMainThread ? process.argv[2] as string : workerData) as Job;
if (job.task === "beat") beat(job);
else if (job.task === "threads") host();
else await work(job);

async function work({ scenario: name, object: objectName, place, count, seed }: Job) {
  let state = seed >>> 0;
  const random = (below: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor(state / 2 ** 32 * below);
  };
  const scenario = scenarios[name];
  using object = SharedObject.open(objectName, scenario.layout);
  const { value } = object;
  const self = value.workers[place] as InferLive<typeof Worker>;
  const busy = () => {
    const kind = random(20);
    const endMs = performance.now() + (kind === 0 ? 2 : kind < 6 ? 0.1 : 0);
    while (performance.now() < endMs);
  };
  const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

  if (isMainThread) process.stdin.on("end", () => process.exit()).resume();
  self.tid.store(gettid());
  self.ready.store(1);
  while (self.seat.load() === 0) {
    await sleep(2);
    if (value.stop.load() !== 0) return process.exit();
  }
  const context: Context<typeof scenario.layout> = {
    object,
    value,
    self,
    seat: self.seat.load(),
    count,
    random,
    work: busy,
    pass: async () => {
      if (random(2) > 0) busy();
      else await sleep(random(5));
    },
    violation: (what) => console.log(`VIOLATION ${JSON.stringify(job)}: ${what}`),
  };
  while (value.stop.load() === 0) {
    const worked = await scenario.round(context).catch((error) => {
      context.violation(String((error as Error).stack ?? error)); // before the object is closed
      process.exit(1);
    });
    self.turns.add(1);
    if (worked) self.rounds.add(1);
    if (random(8) === 0) await sleep(random(3));
  }
  if (isMainThread) process.exit();
}

/** Sleeps, and says how late it was. */
function beat({ scenario, object: name }: Job): void {
  using object = SharedObject.open(name, scenarios[scenario].layout);
  const { lateUs, stop } = object.value;
  const never = new Int32Array(new SharedArrayBuffer(4));
  const parent = process.ppid; // another one, when this has ended
  while (stop.load() === 0 && process.ppid === parent) {
    const startMs = performance.now();
    Atomics.wait(never, 0, 0, 1);
    const late = performance.now() - startMs - 1.2;
    if (late > 0) lateUs.add(Math.round(late * 1000));
  }
}

/** Starts and terminates threads: `{"start": Job}` and `{"terminate": place}`. */
function host(): void {
  const threads = new Map<number, Thread>();
  let unread = "";
  process.stdin.setEncoding("utf8").on("data", (text: string) => {
    const lines = (unread + text).split("\n");
    unread = lines.pop() as string;
    for (const line of lines) {
      const { start, terminate } = JSON.parse(line) as { start?: Job; terminate?: number };
      if (start !== undefined) {
        const thread = new Thread(new URL(import.meta.url), { workerData: JSON.stringify(start) });
        thread.on("error", (error) => console.log(`VIOLATION ${JSON.stringify(start)}: ${error}`));
        threads.set(start.place, thread);
      } else if (terminate !== undefined) {
        void threads.get(terminate)?.terminate().then(() => console.log(`ENDED ${terminate}`));
      }
    }
  }).on("end", () => process.exit());
}
