/**
 * How objects are created and opened: what users can say, and the checks of it.
 *
 * @module
 */

import type { Action } from "../../errors.ts";
import {
  type CheckedMappingOptions,
  checkMapping,
  type MappingOptions,
} from "../memory_options.ts";
import {
  BOOLEANS,
  checkChoice,
  checkInteger,
  checkMode,
  checkOptions,
  type Trust,
  TRUSTS,
} from "../options.ts";
import type { Seal } from "../files/seals.ts";
import { MAX_PARTICIPANTS, OBJECT_LIFETIMES } from "./trailer.ts";

/**
 * Until when an object exists.
 *
 * - `"persist"`: until somebody unlinks it, or the machine is shut down;
 * - `"creator"`: until the handle that created it is closed, or its thread ends in an orderly way;
 * - `"lastDetach"`: until the last handle is closed, in whatever process. When the last process is
 *   killed, the name stays until somebody opens or creates it again, who finds it free, or until
 *   `shm gc` comes. Handles that only read count, too; of a process without the right to write, the
 *   last one leaves the name as a killed one does. Those that came by a descriptor or a path do not
 *   count; those of a worker that is terminated do, until its process ends.
 *
 * Whoever is attached at that moment keeps the memory until it closes, too.
 */
export type ObjectLifetime = "persist" | "creator" | "lastDetach";

/** How `SharedObject.create()` makes an object. */
export interface ObjectCreateOptions extends MappingOptions {
  /** Until when it exists; `"persist"` by default. */
  lifetime?: ObjectLifetime;
  /** The permission bits, exactly (the umask does not count); `0o600` by default. */
  mode?: number;
  /**
   * How many threads may synchronise on it at once, in all processes: 1 to 1000, 64 by default. Each
   * takes 128 bytes.
   */
  participants?: number;
}

/** How `SharedObject.open()` attaches to an object. */
export interface ObjectOpenOptions extends MappingOptions {
  /**
   * Whose objects are accepted; `"owner"` by default: only those that the effective user of this
   * process owns and not everybody can write to. `"anyone"` accepts every regular file: its owner
   * can change the bytes at any time, and end this process with SIGBUS by cutting it off.
   */
  trust?: Trust;
  /** True gives a `ReadonlySharedObject`. */
  readonly?: boolean;
}

/** How `SharedObject.openOrCreate()` opens or makes an object. */
export interface ObjectOpenOrCreateOptions extends ObjectCreateOptions {
  /** Whose objects are accepted when there is one; `"owner"` by default. */
  trust?: Trust;
}

/** How `SharedObject.anonymous()` makes an object. */
export interface ObjectAnonymousOptions extends MappingOptions {
  /** What tools such as `lsof` show of it: 1 to 249 bytes; `"shmkit"` by default. */
  label?: string;
  /** How many threads may synchronise on it at once, as {@linkcode ObjectCreateOptions} has it. */
  participants?: number;
}

/** How `SharedObject.fromDescriptor()` and `openFile()` attach to an object. */
export interface ObjectDescriptorOptions extends ObjectOpenOptions {
  /** Seals that it must have, or it is `ERR_SHM_TRUST`; none by default. */
  seals?: readonly Seal[];
}

/** Options of a creation that have been checked. */
export interface CheckedCreation extends CheckedMappingOptions {
  readonly lifetime: ObjectLifetime;
  readonly mode: number;
  readonly participants: number;
}

/** Options of an attachment that have been checked. */
export interface CheckedAccess extends CheckedMappingOptions {
  readonly trust: Trust;
  readonly writable: boolean;
}

/** Checks the options of a creation. */
export function checkObjectCreation(action: Action, options: ObjectCreateOptions): CheckedCreation {
  checkOptions(action, options);
  const { lifetime = "persist", mode = 0o600, participants = 64 } = options;
  return {
    lifetime: checkChoice(action, "lifetime", lifetime, OBJECT_LIFETIMES),
    mode: checkMode(action, mode),
    participants: checkInteger(action, "participants", participants, 1, MAX_PARTICIPANTS),
    ...checkMapping(action, options),
  };
}

/** Checks the options of an attachment. */
export function checkObjectAccess(action: Action, options: ObjectOpenOptions): CheckedAccess {
  checkOptions(action, options);
  return {
    trust: checkChoice(action, "trust", options.trust ?? "owner", TRUSTS),
    writable: !checkChoice(action, "readonly", options.readonly ?? false, BOOLEANS),
    ...checkMapping(action, options),
  };
}
