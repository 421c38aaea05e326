/**
 * How memory is to be mapped, whatever kind it is: what users can say, and the checks of it.
 *
 * @module
 */

import { type Action, type ShmError, stateError } from "../errors.ts";
import { type Advice, failure, type Mapping, platform, refusal } from "../ffi/mod.ts";
import { BOOLEANS, checkChoice } from "./options.ts";

/** What the kernel is told of the use of memory. */
export type MemoryAdvice =
  | "normal"
  | "random"
  | "sequential"
  | "willNeed"
  | "dontNeed"
  | "cold"
  | "pageOut"
  | "hugePage"
  | "noHugePage"
  | "dontDump"
  | "doDump";

/** The C constants of {@linkcode MemoryAdvice}. */
export const ADVICES: Readonly<Record<MemoryAdvice, Advice>> = {
  normal: "NORMAL",
  random: "RANDOM",
  sequential: "SEQUENTIAL",
  willNeed: "WILLNEED",
  dontNeed: "DONTNEED",
  cold: "COLD",
  pageOut: "PAGEOUT",
  hugePage: "HUGEPAGE",
  noHugePage: "NOHUGEPAGE",
  dontDump: "DONTDUMP",
  doDump: "DODUMP",
};

/** How memory is mapped. */
export interface MappingOptions {
  /**
   * Whether to make every page present now, in this process; false by default. The first access to
   * a page then costs nothing, and takes no memory that is not there. About 0.1 to 0.3 ms per MiB.
   */
  prefault?: boolean;
  /**
   * Whether to keep all of it in memory, never in swap, until it is closed; false by default. Bounded
   * by `ulimit -l`.
   */
  mlock?: boolean;
}

/** Options that have been checked. */
export interface CheckedMappingOptions {
  readonly prefault: boolean;
  readonly mlock: boolean;
}

/** Checks how memory is to be mapped. */
export function checkMapping(action: Action, options: MappingOptions): CheckedMappingOptions {
  const { prefault = false, mlock = false } = options;
  return {
    prefault: checkChoice(action, "prefault", prefault, BOOLEANS),
    mlock: checkChoice(action, "mlock", mlock, BOOLEANS),
  };
}

/** Does what the options say; throws when it cannot be done, and leaves the mapping to the caller. */
export function applyMapping(
  action: Action,
  mapping: Mapping,
  { prefault, mlock }: CheckedMappingOptions,
): void {
  if (prefault) populate(action, mapping);
  if (!mlock) return;
  const result = mapping.lock();
  if (result < 0) {
    throw failure(
      action,
      result,
      "mlock",
      "Ask for less, raise the limit of locked memory (`ulimit -l`), or leave out { mlock }.",
    );
  }
}

/** Makes every page present, so that the first access to it costs nothing and cannot fail. */
function populate(action: Action, mapping: Mapping): void {
  const error = populationError(
    action,
    mapping.advise(mapping.writable ? "POPULATE_WRITE" : "POPULATE_READ"),
  );
  if (error?.code === "EINVAL") {
    throw stateError(
      action,
      "ERR_SHM_UNSUPPORTED",
      "this kernel cannot make pages present on request",
      "Use a kernel from 5.14 on, or leave out { prefault }.",
    );
  }
  if (error !== undefined) throw error;
}

/**
 * Makes every page of a read-only mapping present where the kernel can do it, so that a hole which
 * cannot be filled is an error now and not a fatal signal at some later access.
 */
export function fillForReading(action: Action, mapping: Mapping): void {
  const error = populationError(action, mapping.advise("POPULATE_READ"));
  if (error !== undefined && error.code !== "EINVAL") throw error;
}

function populationError(action: Action, result: number): ShmError | undefined {
  if (result >= 0) return undefined;
  const error = failure(action, result, "madvise");
  if (error.code !== "EFAULT") return error;
  // A page would have raised SIGBUS.
  return refusal(
    action,
    "ENOSPC",
    "madvise",
    "Not all of its pages are present, and there is no memory for the others: create it with its " +
      `pages reserved, or enlarge ${platform().sharedMemoryDirectory} (containers: --shm-size).`,
  );
}
