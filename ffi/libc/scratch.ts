/**
 * Native memory per thread for the strings and structs that calls take and fill.
 *
 *     0     256   struct            whatever the call in progress fills
 *     256   1280  background        the timespecs of the run that is made on another thread
 *     1536  3072  first string      NUL-terminated
 *     4608  3584  second string     NUL-terminated
 *
 * Calls are synchronous and one thread never makes two at a time, so that nothing is overwritten
 * while it is in use; the one run in the background has a place of its own.
 *
 * @module
 */

import type { Address } from "../runtimes/runtime.ts";
import { runtime } from "../select.ts";
import { encodeText } from "../text.ts";
import { calloc } from "./stdlib.ts";

const BYTE_LENGTH = 8192;
const BACKGROUND_OFFSET = 256;
const BACKGROUND_BYTE_LENGTH = 1280;
const STRING_OFFSETS = [1536, 4608] as const;
const STRING_BYTE_LENGTH = 3072;

/** The scratch memory of this thread. */
export interface Scratch {
  /** All of it. Plain access is right: only this thread's own calls write here. */
  readonly view: DataView<ArrayBuffer>;
  /** Where a call is to put its struct: offset 0 of the view. */
  readonly struct: Address;
  /** Where the timespecs of the background run lie. */
  readonly background: {
    readonly address: Address;
    readonly byteOffset: number;
    readonly byteLength: number;
  };
}

const encoder = new TextEncoder();

let scratch: Scratch | undefined;
let stringAddresses: readonly [Address, Address];

/** Gives the scratch memory of this thread. */
export function scratchMemory(): Scratch {
  if (scratch !== undefined) return scratch;
  const { addressToNumber, offsetAddress, viewMemory } = runtime();
  const start = calloc(BYTE_LENGTH);
  if (addressToNumber(start) === 0) throw new RangeError("No memory left for native calls");
  stringAddresses = [
    offsetAddress(start, STRING_OFFSETS[0]),
    offsetAddress(start, STRING_OFFSETS[1]),
  ];
  return scratch = {
    // The memory outlives the view: it is never freed.
    view: new DataView(viewMemory(start, BYTE_LENGTH)),
    struct: start,
    background: {
      address: offsetAddress(start, BACKGROUND_OFFSET),
      byteOffset: BACKGROUND_OFFSET,
      byteLength: BACKGROUND_BYTE_LENGTH,
    },
  };
}

/**
 * Puts a string where a C function can read it, until the next call.
 *
 * @param text At most 3071 bytes, without NUL; the callers have checked it. What is no UTF-8 is as
 * `encodeText` has it.
 * @param slot Which of the two strings of a call it is.
 */
export function cString(text: string, slot: 0 | 1 = 0): Address {
  const { view } = scratchMemory();
  const bytes = new Uint8Array(view.buffer, STRING_OFFSETS[slot], STRING_BYTE_LENGTH);
  if (text.isWellFormed()) {
    const { written } = encoder.encodeInto(text, bytes.subarray(0, -1));
    bytes[written] = 0;
  } else {
    const encoded = encodeText(text);
    bytes.set(encoded);
    bytes[encoded.length] = 0;
  }
  return stringAddresses[slot];
}

/** Reads a 64-bit unsigned integer of the struct that a call has filled. */
export function readSize(byteOffset: number): number {
  return Number(scratchMemory().view.getBigUint64(byteOffset, true));
}

/** Reads a `time_t` and the nanoseconds behind it, in milliseconds. */
export function readTimeMs(byteOffset: number): number {
  const { view } = scratchMemory();
  return Number(view.getBigInt64(byteOffset, true)) * 1000 +
    view.getUint32(byteOffset + 8, true) / 1e6;
}
