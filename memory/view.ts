/**
 * Typed arrays over a part of a buffer, with errors that say what would have been right.
 *
 * @module
 */

import { type Action, misuse } from "../errors.ts";

/** A class of typed arrays, or `DataView`. */
export type ViewClass<V extends ArrayBufferView<ArrayBuffer>> = new (
  buffer: ArrayBuffer,
  byteOffset?: number,
  length?: number,
) => V;

/** A part of a buffer. */
export interface BufferPart {
  readonly buffer: ArrayBuffer;
  readonly byteOffset: number;
  readonly byteLength: number;
}

/**
 * Makes a view.
 *
 * @param action What is being done, for messages.
 * @param memory The bytes that may be seen.
 * @param length The number of elements; as many as fit by default.
 */
export function makeView<V extends ArrayBufferView<ArrayBuffer>>(
  action: () => Action,
  memory: BufferPart,
  type: ViewClass<V>,
  byteOffset: number,
  length: number | undefined,
): V {
  const width = elementWidth(action, type);
  const size = memory.byteLength;
  if (!Number.isSafeInteger(byteOffset) || byteOffset < 0 || byteOffset > size) {
    const rule = `byteOffset must be an integer from 0 to ${size}`;
    throw new RangeError(misuse(action(), rule, byteOffset));
  }
  const start = memory.byteOffset + byteOffset;
  if (start % width !== 0) {
    const where = memory.byteOffset % width === 0
      ? `must be a multiple of ${width}`
      : `plus ${
        memory.byteOffset % width
      }, where the window starts, must be a multiple of ${width}`;
    throw new RangeError(misuse(action(), `byteOffset ${where} for ${type.name}`, byteOffset));
  }
  const most = Math.floor((size - byteOffset) / width);
  const count = length ?? most;
  if (!Number.isSafeInteger(count) || count < 0 || count > most) {
    const rule = `length must be an integer from 0 to ${most} at byteOffset ${byteOffset}`;
    throw new RangeError(misuse(action(), rule, length));
  }
  return new type(memory.buffer, start, count);
}

/** The widths of the usual classes: the look at another one takes longer. */
const WIDTHS: ReadonlyMap<unknown, number> = new Map<unknown, number>([
  [Int8Array, 1],
  [Uint8Array, 1],
  [Int16Array, 2],
  [Uint16Array, 2],
  [Int32Array, 4],
  [Uint32Array, 4],
  [Float32Array, 4],
  [Float64Array, 8],
  [BigInt64Array, 8],
  [BigUint64Array, 8],
  [DataView, 1],
]);

function elementWidth(action: () => Action, type: unknown): number {
  const known = WIDTHS.get(type);
  if (known !== undefined) return known;
  const prototype = typeof type === "function" ? type.prototype : undefined;
  const isTypedArray = prototype instanceof Object.getPrototypeOf(Uint8Array);
  const isDataView = prototype === DataView.prototype || prototype instanceof DataView;
  if (!isTypedArray && !isDataView) {
    throw new TypeError(
      misuse(action(), "type must be a class of typed arrays, or DataView", type),
    );
  }
  return (type as { BYTES_PER_ELEMENT?: number }).BYTES_PER_ELEMENT ?? 1;
}
