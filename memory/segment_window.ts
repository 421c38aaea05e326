/**
 * Parts of memory that has more bytes than an `ArrayBuffer` can hold, or than should be seen at once.
 *
 * @module
 */

import type { Attachment } from "./attachment.ts";
import { ReadonlyMemory } from "./readonly_memory.ts";
import { WritableMemory } from "./writable_memory.ts";

/**
 * A part of attached memory, with a mapping of its own.
 *
 * Got from `window(byteOffset, byteLength)`. It ends with the memory that it is a part of; closing it
 * earlier gives back its address space. Offsets count from the start of the window, and views are
 * aligned as they are in the memory: a window that starts at 4 has no `Float64Array` at 0.
 *
 * @example Memory of a size that not every runtime has an `ArrayBuffer` for
 * ```ts
 * import { SharedSegment } from "@shmkit/shmkit";
 *
 * using large = SharedSegment.anonymous({ size: 6 * 2 ** 30, reserve: false });
 * using window = large.window(5 * 2 ** 30, 4096);
 * window.bytes[0] = 1;
 * ```
 */
export class SegmentWindow extends WritableMemory {
  /** Where it starts in the memory that it is a part of, in bytes. */
  readonly byteOffset: number;

  /** @ignore Use `window()`. */
  constructor(attachment: Attachment, byteOffset: number) {
    super(attachment);
    this.byteOffset = byteOffset;
  }
}

/** A part of attached memory that can only be read. */
export class ReadonlySegmentWindow extends ReadonlyMemory {
  /** Where it starts in the memory that it is a part of, in bytes. */
  readonly byteOffset: number;

  /** @ignore Use `window()`. */
  constructor(attachment: Attachment, byteOffset: number) {
    super(attachment);
    this.byteOffset = byteOffset;
  }
}
