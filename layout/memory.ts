/**
 * A buffer, seen as elements of every type at once.
 *
 * **Why not `DataView`**: V8 and JSC read through one byte by byte until the code is compiled, so that
 * a peer's write in between gives a value that never was. An aligned element of a typed array is one
 * load and one store in every engine, compiled or not.
 *
 * @module
 */

/** The typed array for each kind of number. */
export type NumberArrays = {
  u8: Uint8Array<ArrayBuffer>;
  i8: Int8Array<ArrayBuffer>;
  u16: Uint16Array<ArrayBuffer>;
  i16: Int16Array<ArrayBuffer>;
  u32: Uint32Array<ArrayBuffer>;
  i32: Int32Array<ArrayBuffer>;
  u64: BigUint64Array<ArrayBuffer>;
  i64: BigInt64Array<ArrayBuffer>;
  f16: Float16Elements;
  f32: Float32Array<ArrayBuffer>;
  f64: Float64Array<ArrayBuffer>;
};

/** The bytes of layouts, as arrays of every kind. */
export interface Memory extends Readonly<NumberArrays> {
  /** What the arrays are views of. */
  readonly buffer: ArrayBuffer;
  /** Where the arrays start in the buffer: a multiple of 8. */
  readonly origin: number;
  /** Whose memory it is, when more than memory is needed: fields that synchronise ask it. */
  readonly owner?: object;
}

/** `Float16Array`, where the compiler's library has it; otherwise the array that is most like it. */
export type Float16Elements = typeof globalThis extends
  { Float16Array: new (buffer: ArrayBuffer) => infer Elements } ? Elements
  : Float32Array<ArrayBuffer>;

type ElementsClass<T> = new (buffer: ArrayBuffer, byteOffset: number, length: number) => T;

/** Not in every compiler's library yet, but in every runtime's. */
const Float16: ElementsClass<Float16Elements> =
  (globalThis as unknown as { Float16Array: ElementsClass<Float16Elements> }).Float16Array;

/** Positions in a memory stay below 2^31, where their arithmetic is that of small integers. */
const MAX_SHARED_BYTE_LENGTH = 2 ** 30;

/** All views of one buffer share its arrays. */
const shared = new WeakMap<ArrayBuffer, Memory>();

/** A memory, and where in it the bytes asked for start. */
export interface Place {
  readonly memory: Memory;
  readonly position: number;
}

/**
 * Finds bytes of a buffer.
 *
 * @param owner Whose memory it is; the arrays are not shared with others then.
 */
export function placeOf(
  buffer: ArrayBuffer,
  byteOffset: number,
  byteLength: number,
  owner?: object,
): Place {
  if (owner === undefined && byteOffset + byteLength <= MAX_SHARED_BYTE_LENGTH) {
    let memory = shared.get(buffer);
    // The arrays of a buffer that has grown, or has gone, are not as long as it.
    if (memory === undefined || memory.u8.length < byteOffset + byteLength) {
      const length = Math.min(buffer.byteLength, MAX_SHARED_BYTE_LENGTH);
      shared.set(buffer, memory = memoryOf(buffer, 0, length));
    }
    return { memory, position: byteOffset };
  }
  const origin = byteOffset - byteOffset % 8;
  const position = byteOffset - origin;
  return { memory: memoryOf(buffer, origin, position + byteLength, owner), position };
}

function memoryOf(buffer: ArrayBuffer, origin: number, byteLength: number, owner?: object): Memory {
  const count = (width: number) => Math.floor(byteLength / width);
  return {
    buffer,
    origin,
    u8: new Uint8Array(buffer, origin, byteLength),
    i8: new Int8Array(buffer, origin, byteLength),
    u16: new Uint16Array(buffer, origin, count(2)),
    i16: new Int16Array(buffer, origin, count(2)),
    u32: new Uint32Array(buffer, origin, count(4)),
    i32: new Int32Array(buffer, origin, count(4)),
    u64: new BigUint64Array(buffer, origin, count(8)),
    i64: new BigInt64Array(buffer, origin, count(8)),
    f16: new Float16(buffer, origin, count(2)),
    f32: new Float32Array(buffer, origin, count(4)),
    f64: new Float64Array(buffer, origin, count(8)),
    ...(owner === undefined ? {} : { owner }),
  };
}
