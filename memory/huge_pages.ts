/**
 * Huge pages: of which kind there are some, and what to say when there are none.
 *
 * @module
 */

import {
  type Action,
  misuse,
  ShmError,
  stateError,
  systemError,
  type SystemErrorCode,
} from "../errors.ts";
import { listDirectory, platform, readTextFile } from "../ffi/mod.ts";

/**
 * Huge pages from the machine's pool: true for those of its usual size, or their size in bytes, as
 * in `2 ** 21` or `2 ** 30`. They are faster for large memory that is accessed all over, and never
 * swapped. The size of the memory must be a multiple of theirs.
 */
export type HugePages = boolean | number;

/** Checks which huge pages are asked for. */
export function checkHugePages(action: Action, value: unknown): HugePages {
  if (typeof value === "boolean") return value;
  if (typeof value === "number" && Number.isInteger(Math.log2(value))) {
    // More does not fit where the kernel wants it: it would ask for pages of another size.
    if (value > 2 ** 12 && value < 2 ** 63) return value;
  }
  const rule = "hugePages must be true, false or the size of a huge page in bytes";
  if (typeof value === "number") throw new RangeError(misuse(action, rule, value));
  throw new TypeError(misuse(action, rule, value));
}

/**
 * The flags of huge pages for memfd_create(2) and shmget(2).
 *
 * @param flag The flag that asks for them.
 * @param shift Where their size goes, as a power of two; without one, the usual size is meant.
 */
export function hugePageFlags(hugePages: HugePages, flag: number, shift: number): number {
  if (hugePages === false) return 0;
  // The size is in the highest six bits: it may make the number negative.
  return flag | (hugePages === true ? 0 : Math.log2(hugePages) << shift);
}

/** Checks that the size of memory is a multiple of its pages. */
export function checkHugePageMultiple(action: Action, size: number, pageByteLength: number): void {
  if (size % pageByteLength === 0) return;
  const rule = `size must be a multiple of ${pageByteLength}, the size of a huge page here`;
  throw new RangeError(misuse(action, rule, size));
}

/** Does something that takes huge pages, and says so when it fails because there are not enough. */
export function orNoHugePages<T>(action: Action, hugePages: HugePages, attempt: () => T): T {
  try {
    return attempt();
  } catch (error) {
    const isShort = error instanceof ShmError &&
      ["ENOMEM", "ENOSPC", "ENODEV", "EINVAL", "EOPNOTSUPP"].includes(error.code);
    throw hugePages !== false && isShort ? noHugePages(action, hugePages, error) : error;
  }
}

/** What the errors of system calls carry. */
type SystemFailure = ShmError & { code: SystemErrorCode; errno: number; syscall: string };

function noHugePages(action: Action, hugePages: HugePages, cause: ShmError): ShmError {
  const pools = hugePagePools().map(({ pageByteLength, free, total }) =>
    `${free} of ${total} pages of ${pageByteLength} bytes are free`
  );
  const { code, errno, syscall } = cause as SystemFailure;
  return systemError(
    action,
    { code, errno, syscall },
    `Huge pages of ${hugePages === true ? "the usual size" : `${hugePages} bytes`} were asked ` +
      `for, and ${pools.join(", ") || "this kernel has none"}. Configure some (as root: ` +
      "`sysctl vm.nr_hugepages=N`), ask for less, or leave out { hugePages }.",
    "there are not enough huge pages",
  );
}

interface Pool {
  readonly pageByteLength: number;
  readonly free: number;
  readonly total: number;
}

/** The pools of huge pages of this machine. */
function hugePagePools(): Pool[] {
  const directory = platform().hugePageDirectory;
  const names = listDirectory(directory);
  if (typeof names === "number") return [];
  return names.flatMap((name) => {
    const kibibytes = Number(/^hugepages-(\d+)kB$/.exec(name)?.[1]);
    const count = (file: string) => Number(readTextFile(`${directory}/${name}/${file}`));
    const [free, total] = [count("free_hugepages"), count("nr_hugepages")];
    if (!(kibibytes > 0 && total >= 0)) return [];
    return [{ pageByteLength: kibibytes * 1024, free, total }];
  }).sort((a, b) => a.pageByteLength - b.pageByteLength);
}

/** Throws unless shared memory with a name can get transparent huge pages when it is advised so. */
export function checkTransparentHugePages(action: Action): void {
  const setting = readTextFile(platform().transparentHugePages);
  const chosen = typeof setting === "string" ? /\[(\w+)\]/.exec(setting)?.[1] : undefined;
  if (chosen !== undefined && ["always", "within_size", "advise", "force"].includes(chosen)) return;
  throw stateError(
    action,
    "ERR_SHM_UNSUPPORTED",
    chosen === undefined
      ? "this kernel has no transparent huge pages for shared memory"
      : `transparent huge pages for shared memory are set to "${chosen}" on this machine`,
    `Write "advise" to ${platform().transparentHugePages} (as root), or use pages of the pool: ` +
      "SharedSegment.anonymous(), SystemVSegment, or openFile() on a hugetlbfs, with { hugePages }.",
  );
}
