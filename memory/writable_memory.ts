/**
 * @module
 */

import type { Attachment } from "./attachment.ts";
import { MappedMemory } from "./mapped_memory.ts";
import { makeView, type ViewClass } from "./view.ts";

/** Attached memory that this process may read and write. */
export abstract class WritableMemory extends MappedMemory {
  readonly #attachment: Attachment;
  #bytes: Uint8Array<ArrayBuffer> | undefined;
  #generation = 0;

  /** @ignore Made by the functions that attach to memory. */
  constructor(attachment: Attachment) {
    super(attachment);
    this.#attachment = attachment;
  }

  /**
   * All bytes, shared. The same array every time; `close()` detaches it, so that it becomes empty,
   * and so do `resize()` and `refresh()`, after which there is a new one.
   *
   * Posting it to a worker copies it: pass the name, and let the worker open its own handle.
   *
   * @throws {ShmError} `ERR_SHM_CLOSED` after `close()`, or when the buffer was transferred away.
   * @throws {RangeError} When there are more than an `ArrayBuffer` can hold (4 GiB in Bun): see
   * `window()`.
   */
  get bytes(): Uint8Array<ArrayBuffer> {
    const bytes = this.#bytes;
    // It is empty when somebody has transferred its buffer away.
    if (this.#generation === this.#attachment.generation && bytes?.length) return bytes;
    const buffer = this.#attachment.buffer("access");
    this.#generation = this.#attachment.generation;
    return this.#bytes = new Uint8Array(buffer, this.#attachment.base, this.size);
  }

  /**
   * A typed array or `DataView` over the bytes. All views share one buffer, which `close()`
   * detaches.
   *
   * @param type `Int32Array`, `Float64Array`, `DataView`, ...
   * @param byteOffset Where it starts; a multiple of the element size.
   * @param length The number of elements (bytes for `DataView`); as many as fit by default.
   * @throws {TypeError} When `type` is not a class of views.
   * @throws {RangeError} When it is misaligned or not within the memory.
   * @throws {ShmError} `ERR_SHM_CLOSED`.
   *
   * @example Counting in several processes
   * ```ts
   * import { SharedSegment } from "@shmkit/shmkit";
   *
   * using segment = SharedSegment.create("doc-counter", { size: 64, lifetime: "creator" });
   * const counter = segment.view(Int32Array, 0, 1);
   * Atomics.add(counter, 0, 1);
   * console.log(Atomics.load(counter, 0)); // 1
   * ```
   */
  view<V extends ArrayBufferView<ArrayBuffer>>(
    type: ViewClass<V>,
    byteOffset: number = 0,
    length?: number,
  ): V {
    const memory = {
      buffer: this.#attachment.buffer("view"),
      byteOffset: this.#attachment.base,
      byteLength: this.size,
    };
    return makeView(() => this.#attachment.action("view"), memory, type, byteOffset, length);
  }

  /**
   * Writes changes to the file that the memory comes from, and waits until they are there: the only
   * promise that a power failure keeps. Does nothing for memory that comes from no file.
   *
   * Blocks for as long as the disk takes.
   *
   * @param byteOffset Where the range starts; at the first byte by default.
   * @param byteLength How long it is; up to the end by default.
   * @throws {RangeError} When the range is not within the memory.
   * @throws {ShmError} `ERR_SHM_CLOSED`; `EIO` and the like when the disk fails.
   * @see {@link https://man7.org/linux/man-pages/man2/msync.2.html | msync(2)}
   */
  flush(byteOffset?: number, byteLength?: number): void {
    this.#attachment.flush(byteOffset, byteLength);
  }
}
