/**
 * Ctrl-C, and the other signals that ask a program to end.
 *
 * @module
 */

import { constants } from "node:os";
import process from "node:process";

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** One Ctrl-C may come twice: from the terminal, and passed on by a parent such as npx. */
const SAME_KEY_PRESS_MS = 500;

/** Why the program ends before it is done. */
export class Interruption extends Error {
  readonly exitCode: number;

  constructor(signal: (typeof SIGNALS)[number]) {
    super(`Interrupted by ${signal}`);
    this.exitCode = 128 + constants.signals[signal];
  }
}

/**
 * Turns the first signal into an abort: whoever waits is told, and everything is cleaned up on the
 * way out. A later one ends the process at once; what has to be done even then is done on `exit`.
 */
export function abortOnSignals(): AbortSignal {
  const controller = new AbortController();
  let firstMs = 0;
  for (const name of SIGNALS) {
    process.on(name, () => {
      const interruption = new Interruption(name);
      if (!controller.signal.aborted) {
        firstMs = performance.now();
        controller.abort(interruption);
      } else if (performance.now() - firstMs > SAME_KEY_PRESS_MS) {
        process.exit(interruption.exitCode);
      }
    });
  }
  return controller.signal;
}
