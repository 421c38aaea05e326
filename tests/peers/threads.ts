// Usage: threads.ts NAME COUNT
// Lets several threads count in one segment and take permits of one semaphore; each opens both by
// name. Prints the sum, and how many permits were taken.

import process from "node:process";
import { isMainThread, Worker, workerData } from "node:worker_threads";
import { NamedSemaphore, SharedSegment } from "../../mod.ts";

const name: string = isMainThread ? process.argv[2] : workerData;

if (isMainThread) {
  const count = Number(process.argv[3]);
  const segment = SharedSegment.create(name, { size: 64, lifetime: "creator" });
  const semaphore = NamedSemaphore.create(name, { initialValue: 0 });
  const threads = Array.from({ length: count }, () =>
    new Promise((resolve, reject) => {
      const worker = new Worker(new URL(import.meta.url), { workerData: name });
      worker.on("exit", resolve).on("error", reject);
    }));
  semaphore.post(2 * count);
  await Promise.all(threads);
  const words = segment.view(Int32Array);
  console.log(words[0], words[1]);
  segment.close();
  semaphore.close();
  NamedSemaphore.unlink(name);
} else {
  using segment = SharedSegment.open(name);
  using semaphore = NamedSemaphore.open(name);
  const words = segment.view(Int32Array);
  for (let index = 0; index < 100_000; index++) Atomics.add(words, 0, 1);
  for (const taken of [semaphore.wait(), await semaphore.waitAsync()]) {
    if (taken) Atomics.add(words, 1, 1);
  }
}
