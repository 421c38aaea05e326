// Usage: terminate.ts NAME COUNT
// Lets so many workers lock the lock of a Guarded object, one after another: terminates each while it
// holds it, or just after. Prints how many owners had died, and how many descriptors were open after a
// tenth of them, and are at the end, as JSON.

import { readdirSync } from "node:fs";
import process from "node:process";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { SharedObject } from "../../mod.ts";
import { Guarded } from "../support/guarded.ts";

const descriptors = () => readdirSync("/proc/self/fd").length;

if (isMainThread) {
  const [name, count] = process.argv.slice(2) as [string, string];
  using object = SharedObject.open(name, Guarded);
  const { lock } = object.value.inner;
  let died = 0;
  let early = 0;
  const startMs = performance.now();
  for (let round = 1; round <= Number(count); round++) {
    const worker = new Worker(new URL(import.meta.url), { workerData: [name, round % 2 === 0] });
    await new Promise((resolve, reject) => worker.on("message", resolve).on("error", reject));
    await worker.terminate();
    if (round % 2 === 0) {
      using guard = await lock.lockAsync({ timeout: 5000 });
      if (guard.ownerDied) died++;
      guard.markConsistent();
    }
    if (round === Math.ceil(Number(count) / 10)) early = descriptors();
  }
  const ms = Math.round(performance.now() - startMs);
  console.log(JSON.stringify({ died, early, late: descriptors(), ms }));
} else {
  const [name, holds] = workerData as [string, boolean];
  const object = SharedObject.open(name, Guarded);
  const guard = object.value.inner.lock.lock({ timeout: 5000 });
  if (!holds) guard.release();
  parentPort?.postMessage("locked");
  setInterval(() => {}, 1000);
}
