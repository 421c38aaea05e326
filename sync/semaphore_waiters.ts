/**
 * Waiting for POSIX semaphores without blocking the event loop.
 *
 * A plain POSIX semaphore can wake a blocked thread and nothing else. So one helper per JavaScript
 * thread blocks in its stead, on one semaphore at a time and in slices, however many are awaited:
 *
 * - one semaphore awaited: the helper blocks on it, and a post arrives within about 0.1 ms;
 * - several: it takes turns, and after each slice all of them are tried: a post to a semaphore whose
 *   turn it is not arrives within {@linkcode SHARED_SLICE_MS}.
 *
 * A permit that the helper took belongs to the longest-waiting caller of that semaphore. When there
 * is none any more (all were aborted or timed out), it is posted back. The helper holds the process
 * until its slice has ended, so that no permit is lost in a process that ends by itself.
 *
 * @module
 */

import { NativeSemaphore } from "../ffi/mod.ts";

/** How long the helper blocks at a time: also the time by which it can delay a process's end. */
const SLICE_MS = 50;
/** How long it blocks when it has to take turns. */
const SHARED_SLICE_MS = 20;
/** A wait that comes back sooner and without a permit was interrupted; it must not spin. */
const INTERRUPTED_MS = 1;

interface Waiter {
  /** The permit is the waiter's: it must not refuse. */
  grant(): void;
}

/** Waiters in order of arrival; those of one semaphore object. */
const queues = new Map<NativeSemaphore, Set<Waiter>>();
let running = false;

/** Waits in line for a permit; the caller removes itself when it gives up. */
export function enqueue(semaphore: NativeSemaphore, waiter: Waiter): void {
  let queue = queues.get(semaphore);
  if (queue === undefined) queues.set(semaphore, queue = new Set());
  queue.add(waiter);
  if (!running) {
    running = true;
    void run();
  }
}

/** Leaves the line. */
export function dequeue(semaphore: NativeSemaphore, waiter: Waiter): void {
  const queue = queues.get(semaphore);
  queue?.delete(waiter);
  if (queue?.size === 0) queues.delete(semaphore);
}

/** Whether somebody in this thread waits for the semaphore already. */
export function hasWaiters(semaphore: NativeSemaphore): boolean {
  return queues.has(semaphore);
}

async function run(): Promise<void> {
  let turn = 0;
  try {
    while (queues.size > 0) {
      const semaphores = [...queues.keys()];
      for (const each of semaphores) grantAvailable(each);
      const semaphore = semaphores[turn++ % semaphores.length] as NativeSemaphore;
      if (!queues.has(semaphore)) continue;
      const sliceMs = queues.size === 1 ? SLICE_MS : SHARED_SLICE_MS;
      const start = performance.now();
      const taken = await semaphore.timedWaitInBackground(sliceMs);
      if (taken) deliver(semaphore);
      else if (performance.now() - start < INTERRUPTED_MS) await pause();
    }
  } finally {
    running = false;
  }
}

/** Takes what is there for those who wait. */
function grantAvailable(semaphore: NativeSemaphore): void {
  while (queues.has(semaphore) && semaphore.tryWait() === 0) deliver(semaphore);
}

/** Hands a taken permit to the first in line, or gives it back. */
function deliver(semaphore: NativeSemaphore): void {
  const [first] = queues.get(semaphore) ?? [];
  if (first === undefined) {
    semaphore.post();
    return;
  }
  dequeue(semaphore, first);
  first.grant();
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, SHARED_SLICE_MS));
}
