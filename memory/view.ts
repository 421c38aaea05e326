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

/**
 * Makes a view.
 *
 * @param size The bytes of the buffer that may be seen.
 * @param length The number of elements; as many as fit by default.
 */
export function makeView<V extends ArrayBufferView<ArrayBuffer>>(
  action: Action,
  buffer: ArrayBuffer,
  size: number,
  type: ViewClass<V>,
  byteOffset: number,
  length: number | undefined,
): V {
  const width = elementWidth(action, type);
  if (!Number.isSafeInteger(byteOffset) || byteOffset < 0 || byteOffset > size) {
    const rule = `byteOffset must be an integer from 0 to ${size}`;
    throw new RangeError(misuse(action, rule, byteOffset));
  }
  if (byteOffset % width !== 0) {
    const rule = `byteOffset must be a multiple of ${width} for ${type.name}`;
    throw new RangeError(misuse(action, rule, byteOffset));
  }
  const most = Math.floor((size - byteOffset) / width);
  const count = length ?? most;
  if (!Number.isSafeInteger(count) || count < 0 || count > most) {
    const rule = `length must be an integer from 0 to ${most} at byteOffset ${byteOffset}`;
    throw new RangeError(misuse(action, rule, length));
  }
  return new type(buffer, byteOffset, count);
}

function elementWidth(action: Action, type: unknown): number {
  const prototype = typeof type === "function" ? type.prototype : undefined;
  const isTypedArray = prototype instanceof Object.getPrototypeOf(Uint8Array);
  const isDataView = prototype === DataView.prototype || prototype instanceof DataView;
  if (!isTypedArray && !isDataView) {
    throw new TypeError(misuse(action, "type must be a class of typed arrays, or DataView", type));
  }
  return (type as { BYTES_PER_ELEMENT?: number }).BYTES_PER_ELEMENT ?? 1;
}
