// Usage: lock.ts NAME COMMAND...
// Takes commands, one argument each, for the lock of a Guarded object:
//   count:N       locks N times, and counts each time
//   hold          locks, says "held", and keeps the lock
//   holdAsync     the same, by the event loop
//   wait          says "waiting", locks, says how long it took and whether an owner died, and releases
//   waitAsync     the same, by the event loop
//   thread        lets a worker lock, terminates it, and says "terminated"
// At the end it says "done" and waits until its standard input ends.

import process from "node:process";
import { isMainThread, Worker, workerData } from "node:worker_threads";
import { SharedObject } from "../../mod.ts";
import type { MutexGuard } from "../../mod.ts";
import { Guarded } from "../support/guarded.ts";

const [name, ...commands] = (isMainThread ? process.argv.slice(2) : workerData) as [
  string,
  ...string[],
];
const object = SharedObject.open(name, Guarded); // kept to the end, as its locks are
const { value } = object;
const { lock } = value.inner;

/** Guards that are kept until the end of the process. */
const kept: MutexGuard[] = [];

for (const command of commands) {
  const [verb, argument] = command.split(":");
  switch (verb) {
    case "count":
      count(Number(argument));
      break;
    case "hold":
      keep(lock.lock());
      break;
    case "holdAsync":
      keep(await lock.lockAsync());
      break;
    case "wait":
    case "waitAsync":
      await wait(verb === "waitAsync");
      break;
    case "thread":
      await thread();
      break;
    default:
      throw new Error(`unknown command ${command}`);
  }
}

if (isMainThread) {
  console.log("done");
  process.stdin.resume().on("end", () => process.exit(0));
}

function count(rounds: number): void {
  for (let round = 0; round < rounds; round++) {
    using _guard = lock.lock();
    if (value.inside.add(1) !== 0) console.log("another was inside");
    value.count++;
    value.inside.sub(1);
  }
}

function keep(guard: MutexGuard): void {
  kept.push(guard);
  value.holder.store(process.pid);
  if (isMainThread) console.log("held");
  else setInterval(() => {}, 1000);
}

async function wait(byEventLoop: boolean): Promise<void> {
  console.log("waiting");
  const startMs = performance.now();
  using guard = byEventLoop ? await lock.lockAsync() : lock.lock();
  console.log(JSON.stringify({ ms: performance.now() - startMs, ownerDied: guard.ownerDied }));
}

async function thread(): Promise<void> {
  const worker = new Worker(new URL(import.meta.url), { workerData: [name, "hold"] });
  while (value.holder.load() === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  await worker.terminate();
  console.log("terminated");
}
