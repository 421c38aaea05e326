/**
 * @module
 */

import { type Action, misuse } from "../errors.ts";
import type { SegmentHandle, SegmentStat } from "./segment_handle.ts";

/**
 * No compiler moves or merges loads across an operation of `Atomics`: one on this word before each
 * plain read makes the read a new one, also in a loop that waits for a peer.
 */
const fence = new Int32Array(1);

/**
 * A POSIX shared-memory segment that this process can read and cannot change.
 *
 * Got from `SharedSegment.open(name, { readonly: true })`, which needs read permission only. The
 * pages are mapped read-only, and JavaScript has no read-only view: a write to one would end the
 * process. So this class hands out values and copies. The numbers are in the byte order of the
 * machine (little-endian), as C programs store them, and need not be aligned.
 *
 * A plain `get*` is one fresh read, but nothing about its order with other reads is promised: a
 * value that says that others are ready is to be read by a `load*`, which is `Atomics.load`.
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
export class ReadonlySharedSegment implements Disposable {
  readonly #handle: SegmentHandle;
  #view: DataView<ArrayBuffer> | undefined;
  #words: BigInt64Array<ArrayBuffer> | undefined;

  /** @ignore Use `SharedSegment.open(name, { readonly: true })`. */
  constructor(handle: SegmentHandle) {
    this.#handle = handle;
    handle.watch(this);
  }

  /** The name, without a leading slash. */
  get name(): string {
    return this.#handle.name;
  }

  /** The size when it was opened, in bytes. */
  get size(): number {
    return this.#handle.size;
  }

  /** The descriptor, open for reading; it belongs to this handle, so do not close it. */
  get fd(): number {
    return this.#handle.fd;
  }

  /** Whether `close()` was called. */
  get closed(): boolean {
    return this.#handle.closed;
  }

  /**
   * All bytes, without a copy. **A write to this array ends the process with SIGSEGV, and so do
   * `Atomics` operations on it** (in Bun even some loads). It is for passing large data to a native
   * function that only reads, and is detached by `close()`.
   *
   * @throws {ShmError} `ERR_SHM_CLOSED`.
   * @throws {RangeError} When the segment is larger than an `ArrayBuffer` can be.
   */
  get unsafeBytes(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.#handle.buffer("read"), 0, this.size);
  }

  /**
   * Copies bytes out.
   *
   * @param byteOffset Where to start.
   * @param byteLength How many bytes; up to the end by default.
   * @throws {RangeError} When the range is not within the segment.
   * @throws {ShmError} `ERR_SHM_CLOSED`.
   */
  copy(byteOffset: number = 0, byteLength: number = this.size - byteOffset): Uint8Array<
    ArrayBuffer
  > {
    const view = this.#fresh(byteOffset, byteLength);
    return new Uint8Array(view.buffer, byteOffset, byteLength).slice();
  }

  /**
   * Copies bytes into an array until it is full.
   *
   * @param target What to fill.
   * @param byteOffset Where in the segment to start.
   * @returns The target.
   * @throws {RangeError} When the segment has fewer bytes behind the offset than the target.
   * @throws {ShmError} `ERR_SHM_CLOSED`.
   */
  copyInto<T extends ArrayBufferView>(target: T, byteOffset: number = 0): T {
    if (!ArrayBuffer.isView(target)) {
      throw new TypeError(misuse(this.#action, "target must be an array or DataView", target));
    }
    const { buffer } = this.#fresh(byteOffset, target.byteLength);
    const source = new Uint8Array(buffer, byteOffset, target.byteLength);
    new Uint8Array(target.buffer, target.byteOffset, target.byteLength).set(source);
    return target;
  }

  /** Reads an `int8_t`. Throws a `RangeError` outside the segment, as all of these do. */
  getInt8(byteOffset: number): number {
    return this.#fresh(byteOffset, 1).getInt8(byteOffset);
  }

  /** Reads a `uint8_t`. */
  getUint8(byteOffset: number): number {
    return this.#fresh(byteOffset, 1).getUint8(byteOffset);
  }

  /** Reads an `int16_t`. */
  getInt16(byteOffset: number): number {
    return this.#fresh(byteOffset, 2).getInt16(byteOffset, true);
  }

  /** Reads a `uint16_t`. */
  getUint16(byteOffset: number): number {
    return this.#fresh(byteOffset, 2).getUint16(byteOffset, true);
  }

  /** Reads an `int32_t`. */
  getInt32(byteOffset: number): number {
    return this.#fresh(byteOffset, 4).getInt32(byteOffset, true);
  }

  /** Reads a `uint32_t`. */
  getUint32(byteOffset: number): number {
    return this.#fresh(byteOffset, 4).getUint32(byteOffset, true);
  }

  /** Reads an `int64_t`. */
  getBigInt64(byteOffset: number): bigint {
    return this.#fresh(byteOffset, 8).getBigInt64(byteOffset, true);
  }

  /** Reads a `uint64_t`. */
  getBigUint64(byteOffset: number): bigint {
    return this.#fresh(byteOffset, 8).getBigUint64(byteOffset, true);
  }

  /** Reads a `float`. */
  getFloat32(byteOffset: number): number {
    return this.#fresh(byteOffset, 4).getFloat32(byteOffset, true);
  }

  /** Reads a `double`. */
  getFloat64(byteOffset: number): number {
    return this.#fresh(byteOffset, 8).getFloat64(byteOffset, true);
  }

  /**
   * Reads an `int32_t` as `Atomics.load` does: never torn, and never after a read that follows it.
   *
   * @param byteOffset A multiple of 4.
   */
  loadInt32(byteOffset: number): number {
    this.#check(byteOffset, 4, true);
    const word = Atomics.load(this.#atomicWords(), byteOffset >>> 3);
    return Number(BigInt.asIntN(32, (byteOffset & 4) === 0 ? word : word >> 32n));
  }

  /**
   * Reads a `uint32_t` as `Atomics.load` does.
   *
   * @param byteOffset A multiple of 4.
   */
  loadUint32(byteOffset: number): number {
    return this.loadInt32(byteOffset) >>> 0;
  }

  /**
   * Reads an `int64_t` as `Atomics.load` does.
   *
   * @param byteOffset A multiple of 8.
   */
  loadBigInt64(byteOffset: number): bigint {
    this.#check(byteOffset, 8, true);
    return Atomics.load(this.#atomicWords(), byteOffset / 8);
  }

  /**
   * Reads a `uint64_t` as `Atomics.load` does.
   *
   * @param byteOffset A multiple of 8.
   */
  loadBigUint64(byteOffset: number): bigint {
    return BigInt.asUintN(64, this.loadBigInt64(byteOffset));
  }

  /** What the kernel knows of the segment now. */
  stat(): SegmentStat {
    return this.#handle.stat();
  }

  /** Detaches from the segment, which goes on to exist. Idempotent. */
  close(): void {
    this.#handle.close();
  }

  /** As {@linkcode close}, for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }

  get #action(): Action {
    return { verb: "read", noun: "segment", name: this.name };
  }

  /** A view of the bytes for one read that no compiler has made before. */
  #fresh(byteOffset: number, byteLength: number): DataView<ArrayBuffer> {
    this.#check(byteOffset, byteLength, false);
    Atomics.load(fence, 0);
    return this.#view as DataView<ArrayBuffer>;
  }

  #check(byteOffset: number, byteLength: number, aligned: boolean): void {
    if (this.#handle.closed || this.#view === undefined || this.#view.buffer.detached) {
      this.#view = new DataView(this.#handle.buffer("read"));
    }
    const last = this.size - byteLength;
    if (!Number.isSafeInteger(byteOffset) || byteOffset < 0 || !(byteOffset <= last)) {
      const rule = last < 0 || !(byteLength >= 0)
        ? `byteLength must be an integer from 0 to ${this.size}`
        : `byteOffset must be an integer from 0 to ${last}`;
      throw new RangeError(misuse(this.#action, rule, last < 0 ? byteLength : byteOffset));
    }
    if (aligned && byteOffset % byteLength !== 0) {
      const rule = `byteOffset must be a multiple of ${byteLength}`;
      throw new RangeError(misuse(this.#action, rule, byteOffset));
    }
  }

  /** 64-bit words, because narrower atomic loads may write: the mapping ends no earlier. */
  #atomicWords(): BigInt64Array<ArrayBuffer> {
    return this.#words ??= new BigInt64Array(this.#handle.buffer("read"));
  }
}
