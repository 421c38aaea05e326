/**
 * How segments are created and opened: what users can say, and the checks of it.
 *
 * @module
 */

import { type Action, misuse } from "../../errors.ts";
import { type Creation, placeOfName } from "./create.ts";
import { checkTransparentHugePages, type HugePages } from "../huge_pages.ts";
import {
  type CheckedMappingOptions,
  checkMapping,
  type MappingOptions,
} from "../memory_options.ts";
import { creatableName } from "../names.ts";
import { BOOLEANS, checkChoice, checkMode, checkSize, type Trust } from "../options.ts";
import type { Seal } from "./seals.ts";

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
export interface CreateOptions extends MappingOptions {
  /** The size in bytes: an integer from 1 to 2^53 - 1. It need not be a multiple of anything. */
  size: number;
  /** The permission bits, exactly (the umask does not count); `0o600` by default. */
  mode?: number;
  /**
   * Whether to reserve the memory now; true by default. Without it memory is taken page by page at
   * the first access, and **an access when none is left ends the process with SIGBUS**.
   */
  reserve?: boolean;
  /**
   * Whether to ask for transparent huge pages; false by default. Refused where the machine does not
   * have them for shared memory, as most do not. Pages of the pool are had by `anonymous()`.
   */
  hugePages?: boolean;
  /** Until when the segment exists; `"persist"` by default. */
  lifetime?: Lifetime;
}

/** How `SharedSegment.open()` attaches to a segment. */
export interface OpenOptions extends MappingOptions {
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

/** How `SharedSegment.anonymous()` makes memory. */
export interface AnonymousOptions extends MappingOptions {
  /** The size in bytes: an integer from 1 to 2^53 - 1. */
  size: number;
  /** What tools such as `lsof` show of it: 1 to 249 bytes; `"shmkit"` by default. */
  label?: string;
  /** What is forbidden once it is mapped here; nothing by default. All but `"write"`. */
  seal?: readonly Seal[];
  /** Whether to reserve the memory now; true by default. See {@linkcode CreateOptions.reserve}. */
  reserve?: boolean;
  /** Which pages of the machine's pool to use; false by default. */
  hugePages?: HugePages;
}

/** How `SharedSegment.fromDescriptor()` maps what it is given. */
export interface DescriptorOptions extends OpenOptions {
  /**
   * Seals that it must have, or it is `ERR_SHM_TRUST`; none by default. With `"shrink"` nobody can
   * end this process by cutting it off; with `"write"` or `"futureWrite"` nobody can change it any
   * more, except, with the latter, whoever had it mapped before.
   */
  seals?: readonly Seal[];
}

/** How `SharedSegment.openFile()` maps a file, or the memory behind a path. */
export interface FileOptions extends DescriptorOptions {
  /** The size in bytes: that it must have, or gets when it is created or empty. */
  size?: number;
  /** Whether to create it when there is none; false by default. Needs a size. */
  create?: boolean;
  /** The permission bits when it is created, exactly; `0o600` by default. */
  mode?: number;
}

const LIFETIMES = ["persist", "creator"] as const;

/** A creation whose options have been checked. */
export interface SegmentCreation extends Creation, CheckedMappingOptions {
  /** Whether to ask for transparent huge pages. */
  readonly hugePages: boolean;
}

/** The creation of a named segment. */
export interface NamedCreation extends SegmentCreation {
  readonly name: string;
  readonly lifetime: Lifetime;
}

/** Checks a name and the options of its creation. */
export function checkCreation(action: Action, name: string, options: CreateOptions): NamedCreation {
  const checkedName = creatableName(action, name);
  const named = { ...action, name: checkedName };
  if (typeof options !== "object" || options === null) {
    throw new TypeError(misuse(named, "options must be an object with a size", options));
  }
  const { size, mode = 0o600, reserve = true, lifetime = "persist" } = options;
  const creation = {
    name: checkedName,
    place: placeOfName(checkedName),
    size: checkSize(named, size),
    mode: checkMode(named, mode),
    reserve: checkChoice(named, "reserve", reserve, BOOLEANS),
    lifetime: checkChoice(named, "lifetime", lifetime, LIFETIMES),
    hugePages: checkChoice(named, "hugePages", options.hugePages ?? false, BOOLEANS),
    ...checkMapping(named, options),
  };
  if (creation.hugePages) checkTransparentHugePages(named);
  return creation;
}
