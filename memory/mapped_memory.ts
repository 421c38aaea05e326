/**
 * @module
 */

import type { Attachment } from "./attachment.ts";
import type { MemoryAdvice } from "./memory_options.ts";

/** Memory that is attached to this process, of whatever kind: what all of them have in common. */
export abstract class MappedMemory implements Disposable {
  readonly #attachment: Attachment;

  /** @ignore Made by the functions that attach to memory. */
  constructor(attachment: Attachment) {
    this.#attachment = attachment;
  }

  /** The size, in bytes. */
  get size(): number {
    return this.#attachment.size;
  }

  /** Whether {@linkcode close} was called. */
  get closed(): boolean {
    return this.#attachment.closed;
  }

  /**
   * Tells the kernel how the memory will be used. Whole pages are meant: those that hold the bytes.
   *
   * @param advice `"willNeed"` reads ahead, `"cold"` and `"pageOut"` make pages the first to go to
   * swap, `"dontDump"` keeps them out of core files, `"hugePage"` asks for transparent huge pages;
   * none of them changes a byte.
   * @param byteOffset Where the range starts; at the first byte by default.
   * @param byteLength How long it is; up to the end by default.
   * @throws {TypeError} When there is no such advice.
   * @throws {RangeError} When the range is not within the memory.
   * @throws {ShmError} `ERR_SHM_CLOSED`; `EINVAL` when the kernel cannot do it for this memory.
   * @see {@link https://man7.org/linux/man-pages/man2/madvise.2.html | madvise(2)}
   */
  advise(advice: MemoryAdvice, byteOffset?: number, byteLength?: number): void {
    this.#attachment.advise(advice, byteOffset, byteLength);
  }

  /** Detaches from the memory. Every view becomes empty, and every window. Idempotent. */
  close(): void {
    this.#attachment.close();
  }

  /** As {@linkcode close}, for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }
}
