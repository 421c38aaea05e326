/**
 * How System V segments are named, created and opened: what users can say, and the checks of it.
 *
 * @module
 */

import { type Action, misuse } from "../../errors.ts";
import { failure, ftok as libcFtok } from "../../ffi/mod.ts";
import { checkHugePages, type HugePages } from "../huge_pages.ts";
import {
  type CheckedMappingOptions,
  checkMapping,
  type MappingOptions,
} from "../memory_options.ts";
import { BOOLEANS, checkChoice, checkInteger, checkMode, checkSize, TRUSTS } from "../options.ts";
import type { Trust } from "../options.ts";

/** A System V object, by the number that programs agree on or by the one that the kernel gave. */
export type SystemVName = { readonly key: number } | { readonly id: number };

/**
 * Until when a System V segment exists.
 *
 * - `"persist"`: until somebody removes it, or the machine is shut down;
 * - `"creator"`: until the handle that created it is closed, or its thread ends in an orderly way;
 * - `"lastDetach"`: until the last process detaches, whatever it dies of: the kernel sees to it. It
 *   is marked for removal from the start, so that it can be opened by its id only.
 *
 * In all cases whoever is attached keeps the memory until it detaches.
 */
export type SystemVLifetime = "persist" | "creator" | "lastDetach";

/** How `SystemVSegment.create()` makes a segment. */
export interface SystemVCreateOptions extends MappingOptions {
  /**
   * The number by which others find it: an integer from 1 to 2^32 - 1, or a negative one as a C
   * program may print it. Without one, the segment is private: it is found by its id.
   */
  key?: number;
  /** The size in bytes: an integer from 1 to 2^53 - 1. */
  size: number;
  /** The permission bits, exactly; `0o600` by default. */
  mode?: number;
  /** Which pages of the machine's pool to use; false by default. */
  hugePages?: HugePages;
  /** Until when it exists; `"persist"` by default. */
  lifetime?: SystemVLifetime;
}

/** How `SystemVSegment.open()` attaches to a segment. */
export interface SystemVOpenOptions extends MappingOptions {
  /** True gives a `ReadonlySystemVSegment`. */
  readonly?: boolean;
  /**
   * Whose segments are accepted; `"owner"` by default: only those that the effective user of this
   * process owns and not everybody can write to. `"anyone"` accepts all: others may then change the
   * bytes at any time, though not cut them off.
   */
  trust?: Trust;
}

/** How `SystemVSegment.openOrCreate()` opens or makes a segment. */
export interface SystemVOpenOrCreateOptions extends SystemVCreateOptions {
  /** The number by which others find it. */
  key: number;
  /** Whose segments are accepted when there is one; `"owner"` by default. */
  trust?: Trust;
}

/** A creation whose options have been checked. */
export interface SystemVCreation extends CheckedMappingOptions {
  /** Undefined for a private one. */
  readonly key: number | undefined;
  readonly size: number;
  readonly mode: number;
  readonly hugePages: HugePages;
  readonly lifetime: SystemVLifetime;
}

/** How to attach, checked. */
export interface SystemVAccess extends CheckedMappingOptions {
  readonly writable: boolean;
  readonly trust: Trust;
}

const LIFETIMES = ["persist", "creator", "lastDetach"] as const;

/** Checks a key, and makes it unsigned. */
export function checkKey(action: Action, value: unknown): number {
  const rule = "key must be an integer from 1 to 2^32 - 1, or from -2^31 to -1";
  if (typeof value !== "number") throw new TypeError(misuse(action, rule, value));
  if (!Number.isInteger(value) || value < -(2 ** 31) || value >= 2 ** 32) {
    throw new RangeError(misuse(action, rule, value));
  }
  if (value === 0) {
    const zero = "key must not be 0, which means a private segment: leave it out";
    throw new RangeError(misuse(action, zero, value));
  }
  return value >>> 0;
}

/** Checks by what a segment is to be found. */
export function checkSystemVName(action: Action, value: unknown): SystemVName {
  const rule = "it must be named as { key } or { id }";
  if (typeof value !== "object" || value === null) {
    throw new TypeError(misuse(action, rule, value));
  }
  const { key, id } = value as { key?: unknown; id?: unknown };
  if ((key === undefined) === (id === undefined)) {
    throw new TypeError(misuse(action, `${rule}, with one of both`, key ?? id));
  }
  return id === undefined
    ? { key: checkKey(action, key) }
    : { id: checkInteger(action, "id", id, 0, 2 ** 31 - 1, "2^31 - 1") };
}

/** Checks the options of a creation. */
export function checkSystemVCreation(
  action: Action,
  options: SystemVCreateOptions,
): SystemVCreation {
  if (typeof options !== "object" || options === null) {
    throw new TypeError(misuse(action, "options must be an object with a size", options));
  }
  const { key, size, mode = 0o600, hugePages = false, lifetime = "persist" } = options;
  return {
    key: key === undefined ? undefined : checkKey(action, key),
    size: checkSize(action, size),
    mode: checkMode(action, mode),
    hugePages: checkHugePages(action, hugePages),
    lifetime: checkChoice(action, "lifetime", lifetime, LIFETIMES),
    ...checkMapping(action, options),
  };
}

/** Checks how to attach. */
export function checkSystemVAccess(action: Action, options: SystemVOpenOptions): SystemVAccess {
  return {
    trust: checkChoice(action, "trust", options.trust ?? "owner", TRUSTS),
    writable: !checkChoice(action, "readonly", options.readonly ?? false, BOOLEANS),
    ...checkMapping(action, options),
  };
}

/** What messages call a segment, or something else. */
export function describeSystemVName(name: SystemVName, noun: string = "System V segment"): string {
  return "id" in name
    ? `${noun} with id ${name.id}`
    : `${noun} with key 0x${name.key.toString(16).padStart(8, "0")}`;
}

/**
 * Makes a key of a file and a number, as C programs do that want to meet: the same file (not only
 * the same path) and the same number give the same key. Different files may give the same one.
 *
 * @param path A file that exists, and is not replaced meanwhile.
 * @param projectId An integer from 1 to 255. C programs often have a character: `"A".charCodeAt(0)`.
 * @returns The key, from 1 to 2^32 - 1.
 * @throws {TypeError} When an argument has the wrong type.
 * @throws {RangeError} When the number is out of range.
 * @throws {ShmError} `ENOENT` when there is no such file, `EACCES` without the right to look.
 * @see {@link https://man7.org/linux/man-pages/man3/ftok.3.html | ftok(3)}
 *
 * @example
 * ```ts
 * import { ftok } from "@shmkit/shmkit";
 *
 * console.log(ftok("/", 1).toString(16));
 * ```
 */
export function ftok(path: string, projectId: number): number {
  const action = { verb: "make", noun: "key of a file" };
  if (typeof path !== "string" || path === "" || path.includes("\0") || path.length > 1000) {
    throw new TypeError(misuse(action, "path must be a string of 1 to 1000 characters", path));
  }
  const made = libcFtok(path, checkInteger(action, "projectId", projectId, 1, 255));
  if (typeof made !== "number") return made.key;
  throw failure({ ...action, name: path }, made, "ftok", "Check the path: the file must exist.");
}
