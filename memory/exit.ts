/**
 * What is to be done when its creator ends in an orderly way without having closed it.
 *
 * @module
 */

import { getpid, gettid, runtimeServices } from "../ffi/mod.ts";

interface CleanUp {
  readonly begin: () => void;
  readonly finish: (() => void) | undefined;
}

const pending = new Set<CleanUp>();
let registered = false;
let begun = false;

/**
 * Runs a clean-up when the thread ends, unless it is called off before. Not after a fatal signal:
 * nothing runs then.
 *
 * @param begin What is done first. Handlers of others may come after that.
 * @param finish What is done behind it, if the process may go on: at once in a thread that is not the
 * main one, and in the main one behind the handlers of others. What it is for ends with the process.
 * @returns A function that calls it off.
 */
export function atExit(begin: () => void, finish?: () => void): () => void {
  if (!registered) {
    registered = true;
    runtimeServices().onExit(end);
  }
  const cleanUp = { begin, finish };
  pending.add(cleanUp);
  return () => {
    pending.delete(cleanUp);
  };
}

function end(): void {
  const isFirst = !begun;
  begun = true;
  if (isFirst) each(({ begin }) => begin());
  if (!isFirst || gettid() !== getpid()) each(({ finish }) => finish?.());
}

function each(run: (cleanUp: CleanUp) => void): void {
  for (const cleanUp of [...pending]) {
    try {
      run(cleanUp);
    } catch {
      // The others have a right to their turn, and nobody is left to be told.
    }
  }
}
