/**
 * Doing something to several targets.
 *
 * @module
 */

import { DONE, FAILED } from "./exit_codes.ts";
import { report } from "./report.ts";

/**
 * Does something to each; an error with one is told at once and does not stop the others.
 *
 * @returns The exit code.
 */
export async function eachTarget<T>(
  targets: readonly T[],
  asJson: boolean,
  act: (target: T) => void | Promise<void>,
): Promise<number> {
  let code = DONE;
  for (const target of targets) {
    try {
      await act(target);
    } catch (error) {
      code = Math.max(code, await report(error, asJson), FAILED);
    }
  }
  return code;
}
