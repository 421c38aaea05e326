// Usage: end_of_thread.ts NAME WAY
// Holds the mutex of an object of tests/support/locked.ts when it ends, which a handler of its own
// releases then, by whatever means: a way is `return`, `exit`, or `thread`, which is a worker that
// returns. Prints what came of it.

import { once } from "node:events";
import { writeSync } from "node:fs";
import process from "node:process";
import { isMainThread, Worker, workerData } from "node:worker_threads";
import { SharedObject } from "../../mod.ts";
import { Locked } from "../support/locked.ts";

const [name, way] = (isMainThread ? process.argv.slice(2) : workerData) as [string, string];
const say = (line: unknown) => writeSync(1, `${line}\n`);

if (isMainThread && way === "thread") {
  await once(new Worker(new URL(import.meta.url), { workerData: [name, way] }), "exit");
} else {
  const { lock, shared } = SharedObject.open(name, Locked).value;
  const guard = lock.lock();
  const end = () => {
    try {
      shared.withExclusive(() => say("another one"));
      guard.release();
      say(`released ${lock.tryLock()?.ownerDied}`);
    } catch (error) {
      say(error);
    }
  };
  process.on("exit", end);
  if (way === "exit") process.exit();
}
