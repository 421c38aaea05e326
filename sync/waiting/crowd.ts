/**
 * Waiting with the event loop, each for itself: what they wait for may be there for all at once.
 *
 * @module
 */

import { type Line, lookInLine } from "./event_loop.ts";

/** Those of one thread who wait for the same, each in a line of its own. */
export type Crowd = Set<Line>;

/** Calls a function with a line in which nobody else stands. */
export async function inCrowd<T>(crowd: Crowd, wait: (line: Line) => Promise<T>): Promise<T> {
  const line: Line = new Set();
  crowd.add(line);
  try {
    return await wait(line);
  } finally {
    crowd.delete(line);
  }
}

/** Lets all of them try: their own thread gets no mail from itself. */
export function lookInCrowd(crowd: Crowd): void {
  for (const line of crowd) lookInLine(line);
}
