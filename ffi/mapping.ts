/**
 * A mapped range, and how it ends without harming anyone who still uses its bytes.
 *
 * Users hold the `ArrayBuffer` over shared memory, and can do with it what JavaScript allows: give
 * it to an asynchronous native function that is still at work after `close()`, or transfer it away.
 * Unmapping the range then would end the process with a signal, or, when the next segment is mapped
 * at the same address, let the late write land there. So closing takes three steps:
 *
 * 1. the buffer is detached: every view of it becomes empty, and access throws or gives undefined
 *    (JSC refuses while an asynchronous native works on it; such views see what step 2 gives);
 * 2. private anonymous memory is mapped over the range: the shared pages are let go at once, and
 *    late access by address hits memory that belongs to nobody;
 * 3. the range is unmapped some time after the garbage collector has seen the old buffer go. Not at
 *    once: an asynchronous native may hold the memory without holding the buffer (`crypto.scrypt`
 *    in Deno). And never if somebody else had already detached the buffer, since its successor is
 *    out of sight. A range that waits costs address space, not memory.
 *
 * @module
 */

import type { Address } from "./runtimes/runtime.ts";
import { madvise, mlock, mmap, msync, munmap, remap } from "./libc/mman.ts";
import { shmat, shmdt, shmStatus } from "./libc/shm.ts";
import { futexWait, futexWake } from "./libc/futex.ts";
import { pageSize } from "./libc/unistd.ts";
import { errorCode, errorNumber } from "./errno.ts";
import { platform, runtime } from "./select.ts";

interface Range {
  readonly start: Address;
  readonly byteLength: number;
}

/** How long a range waits after its buffer has gone, and how many of them wait at most. */
const QUARANTINE_MS = 60_000;
const MAX_QUARANTINED = 512;

/** Ranges whose buffers have gone, oldest first. */
const quarantine: (Range & { readonly sinceMs: number })[] = [];

const abandoned = new FinalizationRegistry<Range>((range) => {
  const nowMs = performance.now();
  quarantine.push({ ...range, sinceMs: nowMs });
  while (
    quarantine.length > MAX_QUARANTINED ||
    nowMs - (quarantine[0]?.sinceMs ?? nowMs) > QUARANTINE_MS
  ) {
    const { start, byteLength } = quarantine.shift() as Range;
    munmap(start, byteLength);
  }
});

/** What is to be done with a range, by the names of the C constants without `MADV_`. */
export type Advice =
  | "NORMAL"
  | "RANDOM"
  | "SEQUENTIAL"
  | "WILLNEED"
  | "DONTNEED"
  | "HUGEPAGE"
  | "NOHUGEPAGE"
  | "DONTDUMP"
  | "DODUMP"
  | "COLD"
  | "PAGEOUT"
  | "POPULATE_READ"
  | "POPULATE_WRITE";

/** A range of memory that is shared with whoever maps the same file, or attaches the same segment. */
export class Mapping {
  /** What was asked for, in bytes. The range itself ends at the page. */
  readonly byteLength: number;
  /** Whether the bytes may be written. Writing to others is a fatal signal. */
  readonly writable: boolean;
  /** Where the bytes start. */
  readonly #start: Address;
  /** All that was mapped, which may be more than was asked for. */
  readonly #range: Range;
  #buffer: ArrayBuffer | undefined;
  #closed = false;

  /** @param whole Of what the bytes are a part, and where they start in it. */
  private constructor(
    start: Address,
    byteLength: number,
    writable: boolean,
    whole?: { readonly byteOffset: number; readonly byteLength: number },
  ) {
    this.byteLength = byteLength;
    this.writable = writable;
    this.#start = whole === undefined ? start : runtime().offsetAddress(start, whole.byteOffset);
    this.#range = { start, byteLength: whole?.byteLength ?? byteLength };
  }

  /**
   * Maps a part of a file.
   *
   * @param byteOffset Where it starts: a multiple of the page size.
   * @returns The mapping, or a negative error number.
   */
  static map(
    fd: number,
    byteLength: number,
    writable: boolean,
    byteOffset: number = 0,
  ): Mapping | number {
    const { PROT_READ, PROT_WRITE, MAP_SHARED } = platform().constants;
    const protection = writable ? PROT_READ | PROT_WRITE : PROT_READ;
    const mapped = mmap(byteLength, protection, MAP_SHARED, fd, byteOffset);
    return typeof mapped === "number" ? mapped : new Mapping(mapped.start, byteLength, writable);
  }

  /**
   * Attaches to a System V segment.
   *
   * @param byteOffset Where the bytes start that are wanted of it: a multiple of 8.
   * @param byteLength How many are wanted.
   * @returns The mapping, or a negative error number: `-EIDRM` when the segment has another size,
   * so that it is not the one that was meant. Ids come again, though not of what is attached.
   */
  static attach(
    id: number,
    size: number,
    writable: boolean,
    byteOffset: number = 0,
    byteLength: number = size - byteOffset,
  ): Mapping | number {
    const attached = shmat(id, writable ? 0 : platform().constants.SHM_RDONLY);
    if (typeof attached === "number") return attached;
    const status = shmStatus(id);
    if (typeof status === "number" || status.segsz !== size) {
      // Its length is not known: munmap() could take a neighbour along.
      shmdt(attached.start);
      return typeof status === "number" ? status : errorNumber("EIDRM");
    }
    return new Mapping(attached.start, byteLength, writable, { byteOffset, byteLength: size });
  }

  /** Whether the range fits into one `ArrayBuffer` of this runtime. */
  get isViewable(): boolean {
    return this.byteLength <= runtime().maxBufferByteLength;
  }

  /**
   * The bytes of the range. One buffer per mapping, made at the first use; detached by `close()`,
   * or by whoever transferred it away. Not to be asked for after `close()`.
   */
  get buffer(): ArrayBuffer {
    if (this.#closed) throw new TypeError("The mapping is closed");
    // The memory outlives the view: close() detaches it before the range is given up.
    return this.#buffer ??= runtime().viewMemory(this.#start, this.#viewByteLength());
  }

  /**
   * Advises the kernel about the pages that hold some bytes. `POPULATE_READ` and `POPULATE_WRITE`
   * make them present, so that a lack of memory is an error now and not a signal later.
   *
   * @returns 0, or a negative error number; `-EINVAL` on kernels that do not know the advice.
   */
  advise(advice: Advice, byteOffset: number = 0, byteLength: number = this.byteLength): number {
    const { start, length } = this.#pages(byteOffset, byteLength);
    return madvise(start, length, platform().constants[`MADV_${advice}`]);
  }

  /** Writes the changes of the pages that hold some bytes to the file, and waits for it. */
  flush(byteOffset: number, byteLength: number): number {
    const { start, length } = this.#pages(byteOffset, byteLength);
    return msync(start, length, platform().constants.MS_SYNC);
  }

  /** Keeps all of it in memory, until it is closed. @returns 0, or a negative error number. */
  lock(): number {
    return mlock(this.#start, this.byteLength);
  }

  /**
   * Blocks this thread while a word has a value, until it is woken or the time is over: futex(2).
   * Others wake it through any mapping of the same memory, in whatever process.
   *
   * @param byteOffset Where the 32-bit word is: a multiple of 4.
   * @param expected The value, signed or unsigned.
   * @param timeoutMs How long at most: more than 0, and finite.
   * @returns 0 when woken, possibly for no reason; or a negative error number: `-EAGAIN` when the
   * word has another value, `-ETIMEDOUT`, or `-EINTR` after a signal.
   */
  futexWait(byteOffset: number, expected: number, timeoutMs: number): number {
    return futexWait(this.#wordAddress(byteOffset), expected, timeoutMs);
  }

  /**
   * Wakes threads that are blocked by {@linkcode futexWait} on a word.
   *
   * @param byteOffset Where the 32-bit word is: a multiple of 4.
   * @param count How many at most: up to 2^31 - 1, which means all.
   * @returns How many were woken, or a negative error number.
   */
  futexWake(byteOffset: number, count: number): number {
    return futexWake(this.#wordAddress(byteOffset), count);
  }

  /** Detaches every view and gives the shared memory up. Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    const range = this.#range;
    const buffer = this.#buffer;
    this.#buffer = undefined; // a handle that is kept must not keep the range
    if (buffer === undefined) { // nobody ever saw the address
      inWholePages(range.byteLength, (byteLength) => munmap(range.start, byteLength));
      return;
    }
    const ours = !buffer.detached;
    if (ours) buffer.transfer(0);
    const { PROT_READ, PROT_WRITE, MAP_PRIVATE, MAP_ANONYMOUS, MAP_FIXED, MAP_NORESERVE } =
      platform().constants;
    const protection = PROT_READ | PROT_WRITE;
    const flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE;
    const byteLength = inWholePages(
      range.byteLength,
      (byteLength) => remap(range.start, byteLength, protection, flags),
    );
    if (ours && byteLength !== undefined) abandoned.register(buffer, { ...range, byteLength });
  }

  /** Where a 32-bit word is. Checked, since what lies elsewhere is not ours to wait for. */
  #wordAddress(byteOffset: number): Address {
    if (this.#closed) throw new TypeError("The mapping is closed");
    if (!(byteOffset >= 0 && byteOffset + 4 <= this.byteLength && byteOffset % 4 === 0)) {
      throw new RangeError(`No word at byte ${byteOffset} of ${this.byteLength}`);
    }
    return runtime().offsetAddress(this.#start, byteOffset);
  }

  /** Whole pages that hold some bytes. */
  #pages(byteOffset: number, byteLength: number): { start: Address; length: number } {
    const { addressToNumber, offsetAddress } = runtime();
    const start = offsetAddress(this.#start, byteOffset);
    const before = addressToNumber(start) % pageSize();
    return { start: offsetAddress(start, -before), length: before + byteLength };
  }

  /**
   * Read-only mappings are seen up to the next multiple of 8, which is still within the page, so
   * that their last word can be read by a 64-bit load.
   */
  #viewByteLength(): number {
    return this.writable ? this.byteLength : Math.ceil(this.byteLength / 8) * 8;
  }
}

/**
 * Does something to a range that ends with a page of unknown size. Huge pages can only be replaced
 * whole: a length that ends within one is refused (`EINVAL`) and changes nothing, so that the first
 * that is not refused is the length of the range. Any other refusal ends it: longer would be wrong.
 *
 * @param attempt Gives 0, or a negative error number.
 * @returns The length, or undefined when it could not be done.
 */
function inWholePages(
  byteLength: number,
  attempt: (byteLength: number) => number,
): number | undefined {
  for (const pageByteLength of [1, ...platform().hugePageSizes]) {
    const length = Math.ceil(byteLength / pageByteLength) * pageByteLength;
    const result = attempt(length);
    if (result >= 0) return length;
    if (errorCode(result) !== "EINVAL") return undefined;
  }
  return undefined;
}
