// Usage: close_late.ts NAME TICKS
// Closes a semaphore some microtasks after the helper thread has reported a permit.

import process from "node:process";
import type { Worker } from "node:worker_threads";
import { NamedSemaphore } from "../../mod.ts";

const [name, ticks] = process.argv.slice(2) as [string, string];
const semaphore = NamedSemaphore.open(name);

process.on("worker", (worker: Worker) => {
  worker.on("message", async () => {
    for (let tick = 0; tick < Number(ticks); tick++) await undefined;
    semaphore.close();
  });
});
setTimeout(() => NamedSemaphore.open(name).post(), 100);
console.log(await semaphore.waitAsync().catch((error) => error.code));
