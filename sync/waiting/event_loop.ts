/**
 * Waiting with the event loop: attempts are looked at when there is mail, and when time has passed.
 *
 * The timer is the failure detector. Mail may go to whoever is dead, stopped, busy, or has just given
 * up; so each attempt that is under way is looked at every 50 ms, and one that lasts less often.
 * There is one timer and one mailbox for each thread. A promise that is pending keeps the process alive.
 *
 * @module
 */

import { type Attempt, SLICE_MS } from "../protocols/place.ts";
import { Lull } from "./lull.ts";

/** The runtimes' timers end at 2^31 - 1 ms, about 25 days: beyond that, there is none. */
const MAX_TIMER_MS = 0x7fff_ffff;

/** Whoever waits for long is looked at after so much of the time that it has waited, and at latest then. */
const PATIENCE = 0.1;
const MAX_SLEEP_MS = 250;

/** A thread whose event loop can wait for the words of an object. */
export interface Awaiter {
  /** Looks for a moment whether an attempt may work. */
  spin(attempt: Attempt): void;
  beginAwaiting(index: number, onMail: () => void): void;
  endAwaiting(index: number): void;
}

/** How long a wait lasts, and what ends it. */
export interface AwaitLimits {
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
  /**
   * Where the wait puts a function that ends it with an error, for as long as it lasts. Whoever calls
   * it removes it first, and those of all that end together: none of them gets anything then.
   */
  readonly cancellations: Set<(reason: unknown) => void>;
  /** Gets that function, too, for whoever has another reason. */
  readonly handOut?: (cancel: (reason: unknown) => void) => void;
}

/** Those of one thread who wait for the same: in the order in which they came, one at a time. */
export type Line = Set<Turn>;

/** Somebody in a line. */
interface Turn {
  readonly line: Line;
  /** Tries, from now on as the first of its line. @returns Whether it has ended with that. */
  look(quiet: boolean): boolean;
}

/** Whoever is first in a line, and waits. */
const turns = new Set<Turn>();
let timer: ReturnType<typeof setTimeout> | undefined;
/** When the timer is due. */
let dueMs = Infinity;

/**
 * Waits until an attempt has worked, without blocking the event loop.
 *
 * @param line Where it stands in line.
 * @param index The word that others change when the attempt may work.
 * @param take Called at the moment at which it has worked.
 * @returns What was taken; undefined when it was given up because the time was over.
 */
export function waitInLine<T extends object>(
  awaiter: Awaiter,
  line: Line,
  index: number,
  attempt: Attempt,
  limits: AwaitLimits,
  take: () => T,
): Promise<T | undefined> {
  const { timeoutMs, signal, cancellations, handOut } = limits;
  const { promise, resolve, reject } = Promise.withResolvers<T | undefined>();
  const startMs = performance.now();

  const turn: Turn = {
    line,
    look: (quiet) => {
      if (signal?.aborted) {
        end(signal.reason);
        return true;
      }
      // Its handle is being closed: it is about to be cancelled, as others of its line may be. Or the
      // thread is about to end, and would never release what it gets.
      if (!cancellations.has(cancel)) return false;
      if (!turns.has(turn)) {
        turns.add(turn);
        awaiter.beginAwaiting(index, lookAtAll); // before the attempt announces itself
      }
      try {
        const nowMs = performance.now();
        // Since others know of us, a wake-up may have been ours.
        const waitedMs = nowMs - startMs;
        if (!attempt.advance({ waitedMs, slept: true, quiet })) {
          startTimer(nowMs + sleepMs(attempt, waitedMs));
          return false;
        }
        const taken = take();
        leave();
        attempt.settle?.();
        resolve(taken);
      } catch (error) {
        leave();
        reject(error);
      }
      return true;
    },
  };
  const leave = () => {
    clearTimeout(deadline);
    signal?.removeEventListener("abort", abort);
    cancellations.delete(cancel);
    line.delete(turn);
    if (turns.delete(turn)) awaiter.endAwaiting(index);
    if (turns.size === 0) lull.expect();
  };
  const giveUp = () => {
    const hasTried = turns.has(turn);
    leave(); // so that a wake-up that is passed on does not come back
    if (hasTried) attempt.giveUp(true);
  };
  const end = (reason: unknown) => {
    reject(reason);
    giveUp();
  };
  const cancel = (reason: unknown) => {
    end(reason);
    lookInLine(line);
  };
  const abort = () => cancel(signal?.reason);
  const expire = () => {
    if (!turns.has(turn) || !turn.look(true)) {
      resolve(undefined);
      giveUp();
    }
    lookInLine(line);
  };

  const deadline = timeoutMs > MAX_TIMER_MS ? undefined : setTimeout(expire, timeoutMs);
  signal?.addEventListener("abort", abort);
  cancellations.add(cancel);
  handOut?.(cancel);
  line.add(turn);
  if (line.size === 1) {
    if (turns.size === 0) awaiter.spin(attempt);
    lookInLine(line);
  }
  return promise;
}

/** Lets the first of a line try, and whoever is first then: what they wait for may be there. */
export function lookInLine(line: Line): void {
  for (const first of line) {
    if (!first.look(false)) return;
  }
}

/** Lets everyone try who may: there is mail, or time has passed. */
function lookAtAll(): void {
  lookAround(false);
}

function lookAround(quiet: boolean): void {
  for (const turn of [...turns]) {
    if (turns.has(turn) && turn.look(quiet)) lookInLine(turn.line);
  }
}

/** When to look again: what is polite for a moment stays so. */
function sleepMs({ sleepMs, holdsUp = false }: Attempt, waitedMs: number): number {
  if (sleepMs < SLICE_MS || holdsUp) return sleepMs;
  return Math.max(sleepMs, Math.min(PATIENCE * waitedMs, MAX_SLEEP_MS));
}

function startTimer(atMs: number): void {
  // One that is due a little later will do: each of many that come one after another moves nothing.
  if (timer !== undefined && dueMs <= atMs + 1) return;
  clearTimeout(timer);
  dueMs = atMs;
  timer = setTimeout(() => {
    timer = undefined;
    lookAround(true);
  }, Math.max(atMs - performance.now(), 1));
}

const lull = new Lull(() => turns.size > 0, stopTimer);

function stopTimer(): void {
  clearTimeout(timer);
  timer = undefined;
}
