/**
 * @module
 */

import { ReadonlyMemory } from "./readonly_memory.ts";
import type { Seal } from "./files/seals.ts";
import type { SegmentHandle } from "./files/segment_handle.ts";
import type { SegmentStat } from "./segment_info.ts";
import { ReadonlySegmentWindow } from "./segment_window.ts";

/**
 * A segment that this process can read and cannot change.
 *
 * Got from `SharedSegment.open(name, { readonly: true })`, which needs read permission only, from
 * `openFile` and `fromDescriptor` with the same option, and from `freeze()`. See
 * {@linkcode ReadonlyMemory} for how it is read.
 *
 * @example
 * ```ts
 * import { SharedSegment } from "@shmkit/shmkit";
 *
 * using writer = SharedSegment.create("doc-readonly", { size: 64, lifetime: "creator" });
 * writer.view(Int32Array)[1] = 42;
 *
 * using reader = SharedSegment.open("doc-readonly", { readonly: true });
 * console.log(reader.getInt32(4)); // 42
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man7/shm_overview.7.html | shm_overview(7)}
 */
export class ReadonlySharedSegment extends ReadonlyMemory {
  readonly #handle: SegmentHandle;

  /** @ignore Use `SharedSegment.open(name, { readonly: true })`. */
  constructor(handle: SegmentHandle) {
    super(handle);
    this.#handle = handle;
    handle.watch(this);
  }

  /** The family: of a name in shared memory, anonymous, or a file elsewhere. */
  get kind(): SegmentStat["kind"] {
    return this.#handle.identity.kind;
  }

  /** The name, without a leading slash; of anonymous memory its label; of a file its path. */
  get name(): string {
    return this.#handle.identity.name;
  }

  /** The descriptor, open for reading. It belongs to this handle: do not close it. */
  get fd(): number {
    return this.#handle.fd;
  }

  /** A path by which other processes of this user can open it, as long as this handle is open. */
  get path(): string {
    return this.#handle.path;
  }

  /**
   * What may never again be done to it; empty for what is not anonymous.
   *
   * @throws {ShmError} `ERR_SHM_SIZE` when it was sealed against shrinking after bytes had been cut
   * off that are attached here: see {@linkcode refresh}.
   */
  get seals(): readonly Seal[] {
    return this.#handle.seals();
  }

  /** What the kernel knows of the segment now. */
  stat(): SegmentStat {
    return this.#handle.stat();
  }

  /**
   * Follows a change of the size that a peer has made: attaches to all of the segment, and makes
   * every view of before empty.
   *
   * @returns Whether the size had changed.
   */
  refresh(): boolean {
    return this.#handle.refresh();
  }

  /**
   * Attaches to a part of the segment once more, for segments with more bytes than fit into an
   * `ArrayBuffer`.
   *
   * @param byteOffset Where the part starts.
   * @param byteLength How many bytes it has: 1 at least.
   * @throws {RangeError} When it is not within the segment.
   */
  window(byteOffset: number, byteLength: number): ReadonlySegmentWindow {
    return new ReadonlySegmentWindow(this.#handle.window(byteOffset, byteLength), byteOffset);
  }
}
