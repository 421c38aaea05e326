/**
 * What is to be removed when its creator ends in an orderly way without having closed it.
 *
 * @module
 */

import { runtimeServices } from "../ffi/mod.ts";

const pending = new Set<() => void>();
let registered = false;

/**
 * Runs a clean-up when the thread ends, unless it is called off before. Not after a fatal signal:
 * nothing runs then.
 *
 * @returns A function that calls it off.
 */
export function atExit(cleanUp: () => void): () => void {
  if (!registered) {
    registered = true;
    runtimeServices().onExit(() => {
      for (const each of pending) {
        try {
          each();
        } catch {
          // The others have a right to their turn, and nobody is left to be told.
        }
      }
    });
  }
  pending.add(cleanUp);
  return () => {
    pending.delete(cleanUp);
  };
}
