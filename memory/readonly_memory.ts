/**
 * @module
 */

import { type Action, misuse } from "../errors.ts";
import type { Attachment } from "./attachment.ts";
import { MappedMemory } from "./mapped_memory.ts";
import { checkInteger } from "./options.ts";

/**
 * No compiler moves or merges loads across an operation of `Atomics`: one on this word before each
 * plain read makes the read a new one, also in a loop that waits for a peer.
 */
const fence = new Int32Array(1);

/**
 * The same bytes as arrays of every kind. An aligned element of a typed array is read by one load
 * everywhere; V8's `DataView` reads byte by byte until it is compiled, so that a peer's change in
 * between gives a value that never was. It serves the offsets that are not aligned.
 */
interface Views {
  readonly data: DataView<ArrayBuffer>;
  readonly u8: Uint8Array<ArrayBuffer>;
  readonly i16: Int16Array<ArrayBuffer>;
  readonly i32: Int32Array<ArrayBuffer>;
  readonly i64: BigInt64Array<ArrayBuffer>;
  readonly f32: Float32Array<ArrayBuffer>;
  readonly f64: Float64Array<ArrayBuffer>;
}

/** What can read a value of bytes: a layout. */
export interface ReadableLayout<Value> {
  /** How many bytes it reads. */
  readonly size: number;
  /** Reads them. */
  read(bytes: Uint8Array<ArrayBuffer>): Value;
}

/**
 * Attached memory that this process can read and cannot change.
 *
 * The pages are mapped read-only, and JavaScript has no read-only view: a write to one would end the
 * process. So this class hands out values and copies. The numbers are in the byte order of the
 * machine (little-endian), as C programs store them, and need not be aligned.
 *
 * A plain `get*` is a fresh read, and not torn if the offset is a multiple of the number's size, but
 * nothing about its order with other reads is promised: a value that says that others are ready is
 * to be read by a `load*`, which is `Atomics.load`.
 */
export abstract class ReadonlyMemory extends MappedMemory {
  readonly #attachment: Attachment;
  /** Where the bytes start in the buffer. */
  readonly #base: number;
  #views: Views | undefined;
  #generation = 0;

  /** @ignore Made by the functions that attach to memory. */
  constructor(attachment: Attachment) {
    super(attachment);
    this.#attachment = attachment;
    this.#base = attachment.base;
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
    return new Uint8Array(this.#attachment.buffer("read"), this.#base, this.size);
  }

  /**
   * Copies bytes out.
   *
   * @param byteOffset Where to start.
   * @param byteLength How many bytes; up to the end by default.
   * @throws {RangeError} When the range is not within the segment.
   * @throws {ShmError} `ERR_SHM_CLOSED`.
   */
  copy(byteOffset: number = 0, byteLength?: number): Uint8Array<ArrayBuffer> {
    const { buffer } = this.#fresh(byteOffset, 0).u8;
    const most = this.size - byteOffset;
    const count = checkInteger(this.#action, "byteLength", byteLength ?? most, 0, most);
    return new Uint8Array(buffer, this.#base + byteOffset, count).slice();
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
    if (target.byteLength > this.size) {
      const rule = `target must have at most ${this.size} bytes`;
      throw new RangeError(misuse(this.#action, rule, target.byteLength));
    }
    const { buffer } = this.#fresh(byteOffset, target.byteLength).u8;
    const source = new Uint8Array(buffer, this.#base + byteOffset, target.byteLength);
    new Uint8Array(target.buffer, target.byteOffset, target.byteLength).set(source);
    return target;
  }

  /**
   * Copies a struct out, and reads it by its layout. It may be torn if its owner writes meanwhile.
   *
   * @param layout What the bytes mean: made by `t.struct`.
   * @param byteOffset Where the struct starts.
   * @returns The plain value.
   * @throws {RangeError} When it is not within the segment, or an enumeration holds a number that has
   * no name.
   * @throws {ShmError} `ERR_SHM_CLOSED`.
   */
  read<Value>(layout: ReadableLayout<Value>, byteOffset: number = 0): Value {
    if (typeof layout?.read !== "function") {
      throw new TypeError(misuse(this.#action, "layout must be made by t.struct()", layout));
    }
    this.#fresh(byteOffset, layout.size);
    return layout.read(this.copy(byteOffset, layout.size));
  }

  /** Reads an `int8_t`. Throws a `RangeError` outside the segment, as all of these do. */
  getInt8(byteOffset: number): number {
    return this.getUint8(byteOffset) << 24 >> 24;
  }

  /** Reads a `uint8_t`. */
  getUint8(byteOffset: number): number {
    return this.#fresh(byteOffset, 1).u8[this.#base + byteOffset] as number;
  }

  /** Reads an `int16_t`. */
  getInt16(byteOffset: number): number {
    const views = this.#fresh(byteOffset, 2);
    const at = this.#base + byteOffset;
    return at % 2 === 0 ? views.i16[at / 2] as number : views.data.getInt16(at, true);
  }

  /** Reads a `uint16_t`. */
  getUint16(byteOffset: number): number {
    return this.getInt16(byteOffset) & 0xffff;
  }

  /** Reads an `int32_t`. */
  getInt32(byteOffset: number): number {
    const views = this.#fresh(byteOffset, 4);
    const at = this.#base + byteOffset;
    return at % 4 === 0 ? views.i32[at / 4] as number : views.data.getInt32(at, true);
  }

  /** Reads a `uint32_t`. */
  getUint32(byteOffset: number): number {
    return this.getInt32(byteOffset) >>> 0;
  }

  /** Reads an `int64_t`. */
  getBigInt64(byteOffset: number): bigint {
    const views = this.#fresh(byteOffset, 8);
    const at = this.#base + byteOffset;
    return at % 8 === 0 ? views.i64[at / 8] as bigint : views.data.getBigInt64(at, true);
  }

  /** Reads a `uint64_t`. */
  getBigUint64(byteOffset: number): bigint {
    return BigInt.asUintN(64, this.getBigInt64(byteOffset));
  }

  /** Reads a `float`. */
  getFloat32(byteOffset: number): number {
    const views = this.#fresh(byteOffset, 4);
    const at = this.#base + byteOffset;
    return at % 4 === 0 ? views.f32[at / 4] as number : views.data.getFloat32(at, true);
  }

  /** Reads a `double`. */
  getFloat64(byteOffset: number): number {
    const views = this.#fresh(byteOffset, 8);
    const at = this.#base + byteOffset;
    return at % 8 === 0 ? views.f64[at / 8] as number : views.data.getFloat64(at, true);
  }

  /**
   * Reads an `int32_t` as `Atomics.load` does: never torn, and never after a read that follows it.
   *
   * @param byteOffset A multiple of 4.
   */
  loadInt32(byteOffset: number): number {
    const { i64 } = this.#aligned(byteOffset, 4);
    // 64 bits, because Atomics.load of less is compiled to a write in some engines (JSC), which is
    // fatal here. tests/engine_facts_test.ts tells when that changes.
    const at = this.#base + byteOffset;
    const word = Atomics.load(i64, Math.floor(at / 8));
    return Number(BigInt.asIntN(32, at % 8 === 0 ? word : word >> 32n));
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
    return Atomics.load(this.#aligned(byteOffset, 8).i64, (this.#base + byteOffset) / 8);
  }

  /**
   * Reads a `uint64_t` as `Atomics.load` does.
   *
   * @param byteOffset A multiple of 8.
   */
  loadBigUint64(byteOffset: number): bigint {
    return BigInt.asUintN(64, this.loadBigInt64(byteOffset));
  }

  get #action(): Action {
    return this.#attachment.action("read");
  }

  /** The views, for a plain read that no compiler takes for one that was made before. */
  #fresh(byteOffset: number, byteLength: number): Views {
    const views = this.#within(byteOffset, byteLength);
    Atomics.load(fence, 0);
    return views;
  }

  /** The views, for an atomic read. */
  #aligned(byteOffset: number, byteLength: number): Views {
    const views = this.#within(byteOffset, byteLength);
    const delta = this.#base % byteLength;
    if ((byteOffset + delta) % byteLength === 0) return views;
    const where = delta === 0 ? "" : ` plus ${delta}, where the window starts,`;
    const rule = `byteOffset${where} must be a multiple of ${byteLength}`;
    throw new RangeError(misuse(this.#action, rule, byteOffset));
  }

  #within(byteOffset: number, byteLength: number): Views {
    let views = this.#views;
    // They are empty when somebody has transferred the buffer away.
    if (this.#generation !== this.#attachment.generation || !views?.u8.length) {
      views = this.#views = viewsOf(this.#attachment.buffer("read"));
      this.#generation = this.#attachment.generation;
    }
    if (typeof byteOffset !== "number") {
      throw new TypeError(misuse(this.#action, "byteOffset must be a number", byteOffset));
    }
    const last = this.size - byteLength;
    if (byteOffset >= 0 && byteOffset <= last && byteOffset % 1 === 0) return views;
    const rule = last < 0
      ? `the segment must have at least ${byteLength} bytes`
      : `byteOffset must be an integer from 0 to ${last}`;
    throw new RangeError(misuse(this.#action, rule, last < 0 ? this.size : byteOffset));
  }
}

/** The buffer of a read-only mapping is a multiple of 8 long. */
function viewsOf(buffer: ArrayBuffer): Views {
  return {
    data: new DataView(buffer),
    u8: new Uint8Array(buffer),
    i16: new Int16Array(buffer),
    i32: new Int32Array(buffer),
    i64: new BigInt64Array(buffer),
    f32: new Float32Array(buffer),
    f64: new Float64Array(buffer),
  };
}
