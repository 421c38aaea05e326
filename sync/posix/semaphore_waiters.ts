/**
 * Waiting for POSIX semaphores without blocking the event loop.
 *
 * A plain POSIX semaphore can wake a blocked thread and nothing else. So one helper per JavaScript
 * thread blocks in its stead, however many semaphores are awaited: on one of them at a time, in
 * slices, taking turns. A post to the one it blocks on arrives within about 0.1 ms; a post to another
 * one when the slice ends and all of them are tried. With several, slices are short while permits
 * come and get longer in quiet times.
 *
 * A permit that the helper took belongs to the longest-waiting caller of that semaphore. As soon as
 * nobody awaits a semaphore any more, the helper is stopped: what it has taken is posted back at
 * once, and what it takes until it notices it posts back itself, even if this thread is busy or
 * blocked then. It holds the process until its slice has ended, so that no permit is lost in a
 * process that ends by itself.
 *
 * @module
 */

import { MAX_SLICES, NativeSemaphore } from "../../ffi/mod.ts";
import { atExit } from "../../memory/exit.ts";

/** The longest slice. It also bounds how long the end of the process is held up. */
const SLICE_MS = 50;
/** With several semaphores, a slice is this part of the quiet time before it, but not shorter than: */
const QUIET_PART = 1 / 8;
const SHORTEST_SLICE_MS = 2;
/** When the helper comes back without a permit. */
const RUN_MS = 1000;
/** The most calls of one run. */
const MAX_CALLS = 1000;
/** A run that ends sooner, without a permit and unasked, was interrupted; it must not spin. */
const INTERRUPTED_MS = 1;

/** Somebody who waits. */
interface Waiter {
  /** The permit is the waiter's: it must not refuse. */
  grant(): void;
  /** There will be no permit: the helper thread cannot work. */
  fail(error: unknown): void;
}

/** Waiters in order of arrival, by semaphore. */
const queues = new Map<NativeSemaphore, Set<Waiter>>();
let running = false;
/** Whether another set of semaphores is awaited than when the run began. */
let changed = false;

/** How long a wait lasts. */
export interface WaitLimits {
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
  /** Where the wait puts a function that ends it with an error, for as long as it lasts. */
  readonly cancellations: Set<(reason: unknown) => void>;
}

/**
 * Waits in line for a permit.
 *
 * @returns Whether there was one; false when the time was over first.
 */
export function waitInLine(semaphore: NativeSemaphore, limits: WaitLimits): Promise<boolean> {
  const { timeoutMs, signal, cancellations } = limits;
  const { promise, resolve, reject } = Promise.withResolvers<boolean>();
  const leave = () => {
    clearTimeout(timer);
    signal?.removeEventListener("abort", abort);
    cancellations.delete(cancel);
    dequeue(semaphore, waiter);
  };
  const cancel = (reason: unknown) => {
    leave();
    reject(reason);
  };
  const abort = () => cancel(signal?.reason);
  const waiter: Waiter = {
    grant: () => {
      leave();
      resolve(true);
    },
    fail: cancel,
  };
  const expire = () => {
    leave();
    resolve(false);
  };

  // The runtimes' timers end at 2^31 - 1 ms, about 25 days: beyond that, there is none.
  const timer = timeoutMs > 0x7fffffff ? undefined : setTimeout(expire, timeoutMs);
  signal?.addEventListener("abort", abort);
  cancellations.add(cancel);
  enqueue(semaphore, waiter);
  return promise;
}

/** Whether somebody in this thread waits for the semaphore already. */
export function hasWaiters(semaphore: NativeSemaphore): boolean {
  return queues.has(semaphore);
}

function enqueue(semaphore: NativeSemaphore, waiter: Waiter): void {
  let queue = queues.get(semaphore);
  if (queue === undefined) {
    queues.set(semaphore, queue = new Set());
    noteChange();
  }
  queue.add(waiter);
  finishAtExit();
  if (!running) {
    running = true;
    void run().catch(failAll);
  }
}

function dequeue(semaphore: NativeSemaphore, waiter: Waiter): void {
  const queue = queues.get(semaphore);
  queue?.delete(waiter);
  if (queue?.size !== 0) return;
  queues.delete(semaphore);
  noteChange();
}

async function run(): Promise<void> {
  let lastGrant = performance.now();
  for (let turn = 0; true; turn++) {
    for (const each of [...queues.keys()]) grantAvailable(each);
    if (queues.size === 0) {
      running = false; // at once: whoever got the last permit may come back before a promise settles
      return;
    }
    changed = false;
    const start = performance.now();
    const slices = plan(queues.size, start - lastGrant);
    const granted = await NativeSemaphore.waitForAny(inTurn(turn), slices, deliver);
    const end = performance.now();
    if (granted) {
      lastGrant = end;
    } else if (!changed && end - start < INTERRUPTED_MS) {
      await new Promise((resolve) => setTimeout(resolve, SLICE_MS));
    }
  }
}

function failAll(error: unknown): void {
  running = false;
  for (const queue of [...queues.values()]) {
    for (const waiter of [...queue]) waiter.fail(error);
  }
}

/** The awaited semaphores, beginning with another one each time. */
function inTurn(turn: number): NativeSemaphore[] {
  const semaphores = [...queues.keys()];
  const first = turn % semaphores.length;
  return [...semaphores.slice(first), ...semaphores.slice(0, first)];
}

let finishesAtExit = false;

/** A process that is ended by force while it waits must not take a permit along. */
function finishAtExit(): void {
  if (finishesAtExit) return;
  finishesAtExit = true;
  atExit(() => {
    NativeSemaphore.stopWaiting()?.post();
    NativeSemaphore.finishWaiting();
  });
}

/** How long the helper blocks at a time, until it comes back. */
function plan(count: number, quietMs: number): number[] {
  const most = Math.max(1, Math.min(MAX_SLICES, Math.floor(MAX_CALLS / count)));
  const slices: number[] = [];
  for (let totalMs = 0; totalMs < RUN_MS && slices.length < most;) {
    const wanted = count === 1 ? SLICE_MS : (quietMs + totalMs) * QUIET_PART;
    const sliceMs = Math.min(Math.max(wanted, SHORTEST_SLICE_MS), SLICE_MS);
    slices.push(sliceMs);
    totalMs += sliceMs;
  }
  return slices;
}

/** Lets the helper begin anew with the semaphores that are awaited now. */
function noteChange(): void {
  changed = true;
  const taken = NativeSemaphore.stopWaiting();
  if (taken !== undefined) deliver(taken);
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
