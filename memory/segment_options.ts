/**
 * How segments are created and opened: what users can say, and the checks of it.
 *
 * @module
 */

import { type Action, misuse } from "../errors.ts";
import type { Creation } from "./create.ts";
import { creatableName } from "./names.ts";
import { BOOLEANS, checkChoice, checkMode, checkSize, type Trust } from "./options.ts";

/**
 * Until when a named segment exists.
 *
 * - `"persist"`: until somebody unlinks it, or the machine is shut down;
 * - `"creator"`: until the handle that created it is closed, or its thread ends in an orderly way.
 *   It stays after a fatal signal and after `worker.terminate()`; in Deno also after an uncaught
 *   error, and when a web worker closes itself.
 *
 * Whoever is attached at that moment keeps the memory until it closes, too.
 */
export type Lifetime = "persist" | "creator";

/** How `SharedSegment.create()` makes a segment. */
export interface CreateOptions {
  /** The size in bytes: an integer from 1 to 2^53 - 1. It need not be a multiple of anything. */
  size: number;
  /** The permission bits, exactly (the umask does not count); `0o600` by default. */
  mode?: number;
  /**
   * Whether to reserve the memory now; true by default. Without it memory is taken page by page at
   * the first access, and **an access when none is left ends the process with SIGBUS**.
   */
  reserve?: boolean;
  /** Until when the segment exists; `"persist"` by default. */
  lifetime?: Lifetime;
}

/** How `SharedSegment.open()` attaches to a segment. */
export interface OpenOptions {
  /**
   * Whose segments are accepted; `"owner"` by default: only those that the effective user of this
   * process owns and not everybody can write to. `"anyone"` accepts every regular file: its owner
   * can change the bytes at any time, and end this process with SIGBUS by cutting it off.
   */
  trust?: Trust;
  /**
   * Whether to reserve memory for pages that the creator left out; true by default. See
   * {@linkcode CreateOptions.reserve} for what happens without it.
   */
  reserve?: boolean;
  /** True gives a `ReadonlySharedSegment`. */
  readonly?: boolean;
}

/** How `SharedSegment.openOrCreate()` opens or makes a segment. */
export interface OpenOrCreateOptions extends CreateOptions {
  /** Whose segments are accepted when there is one; `"owner"` by default. */
  trust?: Trust;
}

const LIFETIMES = ["persist", "creator"] as const;

/** A creation whose options have been checked. */
export interface SegmentCreation extends Creation {
  readonly lifetime: Lifetime;
}

/** Checks a name and the options of its creation. */
export function checkCreation(
  action: Action,
  name: string,
  options: CreateOptions,
): SegmentCreation {
  const checkedName = creatableName(action, name);
  const named = { ...action, name: checkedName };
  if (typeof options !== "object" || options === null) {
    throw new TypeError(misuse(named, "options must be an object with a size", options));
  }
  const { size, mode = 0o600, reserve = true, lifetime = "persist" } = options;
  return {
    name: checkedName,
    size: checkSize(named, size),
    mode: checkMode(named, mode),
    reserve: checkChoice(named, "reserve", reserve, BOOLEANS),
    lifetime: checkChoice(named, "lifetime", lifetime, LIFETIMES),
  };
}
