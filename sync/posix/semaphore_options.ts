/**
 * How semaphores are created and opened: what users can say, and the checks of it.
 *
 * @module
 */

import { type Action, misuse } from "../../errors.ts";
import { platform } from "../../ffi/mod.ts";
import { creatableName } from "../../memory/names.ts";
import { checkInteger, checkMode, type Trust } from "../../memory/options.ts";

/** How `NamedSemaphore.create()` makes a semaphore. */
export interface SemaphoreCreateOptions {
  /** The number of permits at first: an integer from 0 to 2^31 - 1. */
  initialValue: number;
  /** The permission bits, exactly (the umask does not count); `0o600` by default. */
  mode?: number;
}

/** How `NamedSemaphore.open()` attaches to a semaphore. */
export interface SemaphoreOpenOptions {
  /**
   * Whose semaphores are accepted; `"owner"` by default: only those that the effective user of this
   * process owns and not everybody can write to.
   */
  trust?: Trust;
}

/** A creation whose options have been checked. */
export interface SemaphoreCreation {
  readonly name: string;
  readonly initialValue: number;
  readonly mode: number;
}

/** Checks a name and the options of its creation. */
export function checkCreation(
  action: Action,
  name: string,
  options: SemaphoreCreateOptions,
): SemaphoreCreation {
  const checkedName = creatableName(action, name);
  const named = { ...action, name: checkedName };
  if (typeof options !== "object" || options === null) {
    throw new TypeError(misuse(named, "options must be an object with initialValue", options));
  }
  const { initialValue, mode = 0o600 } = options;
  const { SEM_VALUE_MAX } = platform().constants;
  return {
    name: checkedName,
    initialValue: checkInteger(named, "initialValue", initialValue, 0, SEM_VALUE_MAX),
    mode: checkMode(named, mode),
  };
}
