/**
 * How the command ends, and the errors that say so.
 *
 * @module
 */

/** Done. Also when whoever reads the output has had enough of it, as `head` does. */
export const DONE = 0;
/** Something failed: for one of several targets, the others have been done all the same. */
export const FAILED = 1;
/** The command line makes no sense. Nothing has been done. */
export const MISUSED = 2;
/** This runtime cannot, or may not, call native functions. Nothing has been done. */
export const UNSUPPORTED = 3;
/** Ended by Ctrl-C, by SIGTERM: 128 and the number of the signal, as shells count. */
export const INTERRUPTED = 130;
export const TERMINATED = 143;

/** What `--help` says of them. */
export const EXIT_CODES: readonly (readonly [code: number, meaning: string])[] = [
  [DONE, "done"],
  [FAILED, "something failed; with several targets, the others have been done"],
  [MISUSED, "the command line makes no sense; nothing has been done"],
  [UNSUPPORTED, "this runtime cannot call native functions, or may not; nothing has been done"],
  [INTERRUPTED, "ended by Ctrl-C"],
  [TERMINATED, "ended by SIGTERM"],
];

/** A command line that makes no sense. */
export class UsageError extends Error {
  override readonly name: string = "UsageError";
}
