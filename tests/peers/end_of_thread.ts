// Usage: end_of_thread.ts NAME WAY
// Holds the mutex of an object of tests/support/locked.ts when a thread ends, whose own handler wants to
// share the read-write lock, for 300 ms, and then to release the mutex and to lock it again. Prints what
// came of it. A way is `return`; `exit`, with two more who await the mutex; or `thread`: a worker that
// returns, after which the main thread prints what it gets.

import { once } from "node:events";
import { writeSync } from "node:fs";
import process from "node:process";
import { isMainThread, Worker, workerData } from "node:worker_threads";
import { SharedObject } from "../../mod.ts";
import { Locked } from "../support/locked.ts";

const [name, way] = (isMainThread ? process.argv.slice(2) : workerData) as [string, string];
const say = (line: unknown) => writeSync(1, `${line}\n`);
const attempt = (what: () => unknown) => {
  try {
    say(what());
  } catch (error) {
    say((error as { code?: string }).code ?? error);
  }
};
const { lock, shared } = SharedObject.open(name, Locked).value;

if (isMainThread && way === "thread") {
  await once(new Worker(new URL(import.meta.url), { workerData: [name, way] }), "exit");
  say(`died ${lock.lock({ timeout: 5000 }).ownerDied}`);
} else {
  shared.lockShared().release();
  const guard = lock.lock();
  process.on("exit", () => {
    attempt(() => `shared ${shared.lockShared().ownerDied}`);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300);
    attempt(() => `released ${guard.release()}`);
    attempt(() => `again ${lock.tryLock()?.ownerDied}`);
  });
  if (way === "exit") {
    for (let waiter = 0; waiter < 2; waiter++) void lock.lockAsync();
    process.exit();
  }
}
