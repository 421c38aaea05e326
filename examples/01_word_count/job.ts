/**
 * What is asked of either way to count, and what it gives back.
 *
 * @module
 */

import type { Runtime } from "./runtimes.ts";
import type { Worker } from "./workers.ts";

/** One count. */
export interface Job {
  /** What the progress line calls it. */
  readonly title: string;
  /** With this the names of all its objects start. */
  readonly run: string;
  /** The bytes of the text segment. */
  readonly text: Uint8Array;
  /** One for each worker. */
  readonly runtimes: readonly Runtime[];
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
}

/** The outcome. */
export interface Count {
  /** How often each word occurs. */
  readonly counts: ReadonlyMap<string, number>;
  /** From the start of the first worker until all are ready. */
  readonly startMs: number;
  /** From then until the counts of all are merged. */
  readonly countMs: number;
  /** Who has counted how much. */
  readonly shares: readonly Share[];
}

/** What one worker has contributed. */
export interface Share {
  readonly worker: Worker;
  /** How many chunks it has counted. */
  readonly chunks: number;
  /** Whether it died on the way. Then nothing is from it: the parent has counted its chunks again. */
  readonly failed: boolean;
}
