/**
 * Text and bytes of a fixed size.
 *
 * @module
 */

import type { Description } from "./description.ts";
import type { AggregateField, ValueField } from "./field.ts";
import { checkSize } from "./limits.ts";
import type { Memory } from "./memory.ts";
import { misfit, refuseClosed } from "./messages.ts";

/** Text in UTF-8 with a NUL behind it, in a fixed number of bytes: `char[size]`. */
export interface CString extends ValueField<string> {
  /** The name of the kind. */
  readonly kind: "cstring";
}

/** Bytes without further meaning: `uint8_t[size]`. */
export interface Bytes extends
  AggregateField<
    Uint8Array<ArrayBuffer>,
    ArrayLike<number>,
    Uint8Array<ArrayBuffer>
  > {
  /** The name of the kind. */
  readonly kind: "bytes";
}

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

class CStringField implements CString {
  readonly kind = "cstring";
  readonly size: number;
  readonly alignment = 1;
  readonly assignable = true;
  readonly plain = true;

  constructor(size: number) {
    this.size = size;
    Object.freeze(this);
  }

  describe(): Description {
    return { kind: "cstring", size: this.size };
  }

  attach(memory: Memory, position: number, path: string): string {
    return this.load(memory, position, path);
  }

  load(memory: Memory, position: number, path: string): string {
    if (memory.u8[position] === undefined) refuseClosed(path);
    const bytes = memory.u8.subarray(position, position + this.size);
    // A copy, because a peer that writes meanwhile must not move the end under the decoder.
    const copy = bytes.slice();
    const end = copy.indexOf(0);
    return decoder.decode(end < 0 ? copy : copy.subarray(0, end));
  }

  check(value: unknown, path: string): void {
    if (typeof value !== "string") throw new TypeError(misfit(path, "must be a string", value));
    if (value.includes("\0")) {
      throw new RangeError(misfit(path, "must not contain NUL, which ends a C string", value));
    }
    if (!value.isWellFormed()) {
      throw new RangeError(misfit(path, "must be text without lone surrogates", value));
    }
    const most = this.size - 1;
    if (value.length <= most / 3) return;
    const { length } = encoder.encode(value);
    if (length <= most) return;
    const rule = `must take at most ${most} bytes in UTF-8, takes ${length}`;
    throw new RangeError(misfit(path, rule, value));
  }

  store(memory: Memory, position: number, value: unknown): void {
    const bytes = memory.u8.subarray(position, position + this.size);
    const { written } = encoder.encodeInto(value as string, bytes.subarray(0, -1));
    bytes.fill(0, written);
  }
}

class BytesField implements Bytes {
  readonly kind = "bytes";
  readonly size: number;
  readonly alignment = 1;
  readonly assignable = false;
  readonly plain = true;

  constructor(size: number) {
    this.size = size;
    Object.freeze(this);
  }

  describe(): Description {
    return { kind: "bytes", size: this.size };
  }

  attach(memory: Memory, position: number): Uint8Array<ArrayBuffer> {
    return memory.u8.subarray(position, position + this.size);
  }

  load(memory: Memory, position: number, path: string, into?: unknown): Uint8Array<ArrayBuffer> {
    if (memory.u8[position] === undefined) refuseClosed(path);
    const bytes = this.attach(memory, position);
    if (!(into instanceof Uint8Array && into.length === this.size)) return bytes.slice();
    into.set(bytes);
    return into as Uint8Array<ArrayBuffer>;
  }

  check(value: unknown, path: string): void {
    checkArrayLike(value, this.size, "bytes", path);
    if (value instanceof Uint8Array) return;
    for (let index = 0; index < this.size; index++) {
      const byte = value[index];
      if (typeof byte === "number" && (byte & 0xff) === byte) continue;
      const message = misfit(`${path}[${index}]`, "must be an integer from 0 to 255", byte);
      throw typeof byte === "number" ? new RangeError(message) : new TypeError(message);
    }
  }

  store(memory: Memory, position: number, value: unknown): void {
    this.attach(memory, position).set(value as ArrayLike<number>);
  }
}

/** Throws unless a value has so many elements. */
export function checkArrayLike(
  value: unknown,
  length: number,
  what: string,
  path: string,
): asserts value is ArrayLike<unknown> {
  const received = typeof value === "object" && value !== null
    ? (value as ArrayLike<unknown>).length
    : undefined;
  if (typeof received !== "number") {
    throw new TypeError(misfit(path, `must be an array of ${length} ${what}`, value));
  }
  if (received === length) return;
  throw new RangeError(`${path} must have ${length} ${what}, received ${received}`);
}

/**
 * Makes a field of text: UTF-8 with a NUL behind it, `char[size]` in C.
 *
 * Text that does not fit is refused, never cut off. Whatever a peer left behind the NUL is ignored
 * when read, and zeroed when written; bytes that are not UTF-8 read as U+FFFD.
 *
 * @param size In bytes, with the NUL: text of up to `size - 1` bytes.
 */
export function cstring(size: number): CString {
  checkSize(size, "cstring", 2);
  return new CStringField(size);
}

/**
 * Makes a field of bytes, which views have as a `Uint8Array`.
 *
 * @param size In bytes.
 */
export function bytes(size: number): Bytes {
  checkSize(size, "bytes", 1);
  return new BytesField(size);
}
