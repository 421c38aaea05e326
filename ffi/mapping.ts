/**
 * A mapped range, and how it ends without harming anyone who still uses its bytes.
 *
 * Users hold the `ArrayBuffer` over shared memory, and can do with it what JavaScript allows: give
 * it to an asynchronous native function that is still at work after `close()`, or transfer it away.
 * Unmapping the range then would end the process with a signal, or, when the next segment is mapped
 * at the same address, let the late write land there. So closing takes three steps:
 *
 * 1. the buffer is detached: every view of it becomes empty, and access throws or gives undefined;
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
import { madvise, mmap, munmap, remap } from "./libc/mman.ts";
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

/** A range of memory that is shared with whoever maps the same file. */
export class Mapping {
  /** The length of the file, in bytes. The range itself ends at the page. */
  readonly byteLength: number;
  /** Whether the bytes may be written. Writing to others is a fatal signal. */
  readonly writable: boolean;
  readonly #start: Address;
  #buffer: ArrayBuffer | undefined;
  #closed = false;

  private constructor(start: Address, byteLength: number, writable: boolean) {
    this.#start = start;
    this.byteLength = byteLength;
    this.writable = writable;
  }

  /** Maps a file from its start. @returns The mapping, or a negative error number. */
  static map(fd: number, byteLength: number, writable: boolean): Mapping | number {
    const { PROT_READ, PROT_WRITE, MAP_SHARED } = platform().constants;
    const protection = writable ? PROT_READ | PROT_WRITE : PROT_READ;
    const mapped = mmap(byteLength, protection, MAP_SHARED, fd);
    return typeof mapped === "number" ? mapped : new Mapping(mapped.start, byteLength, writable);
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
    // The memory outlives the view: close() detaches it before the range is given up.
    return this.#buffer ??= runtime().viewMemory(this.#start, this.#viewByteLength());
  }

  /**
   * Makes every page present, so that a hole in the file is an error now and not a signal later.
   * @returns 0, or a negative error number; `-EINVAL` on kernels before 5.14.
   */
  populateForReading(): number {
    return madvise(this.#start, this.byteLength, platform().constants.MADV_POPULATE_READ);
  }

  /** Detaches every view and gives the shared memory up. Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    const range = { start: this.#start, byteLength: this.#viewByteLength() };
    const buffer = this.#buffer;
    this.#buffer = undefined; // a handle that is kept must not keep the range
    if (buffer === undefined) {
      munmap(range.start, range.byteLength); // nobody ever saw the address
      return;
    }
    const ours = !buffer.detached;
    if (ours) buffer.transfer(0);
    const { PROT_READ, PROT_WRITE, MAP_PRIVATE, MAP_ANONYMOUS, MAP_FIXED, MAP_NORESERVE } =
      platform().constants;
    remap(
      range.start,
      range.byteLength,
      PROT_READ | PROT_WRITE,
      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE,
    );
    if (ours) abandoned.register(buffer, range);
  }

  /**
   * Read-only mappings are seen up to the next multiple of 8, which is still within the page, so
   * that their last word can be read by a 64-bit load.
   */
  #viewByteLength(): number {
    return this.writable ? this.byteLength : Math.ceil(this.byteLength / 8) * 8;
  }
}
