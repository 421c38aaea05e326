// Usage: thread_ends.ts
// Starts a thread and terminates it. Prints whether it was gone before, whether it was another one
// and did not start before the first, and whether it was gone in the end.

import { once } from "node:events";
import process from "node:process";
import { isMainThread, parentPort, Worker } from "node:worker_threads";
import { gettid, isThreadGone, threadStart } from "../../ffi/mod.ts";

if (isMainThread) {
  const worker = new Worker(new URL(import.meta.url));
  const [{ thread, start }] = await once(worker, "message");
  const before = isThreadGone(process.pid, thread);
  const another = thread !== gettid() && start >= threadStart() && threadStart() > 0;
  await worker.terminate();
  const end = performance.now() + 10_000;
  while (!isThreadGone(process.pid, thread) && performance.now() < end) {
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  console.log(
    before,
    another,
    isThreadGone(process.pid, thread),
    isThreadGone(process.pid, gettid()),
  );
} else {
  setInterval(() => {}, 1000);
  parentPort?.postMessage({ thread: gettid(), start: threadStart() });
}
