/**
 * Native memory per thread for the bytes that calls read, beside the scratch memory for their
 * strings and structs.
 *
 * @module
 */

import type { Address } from "../runtimes/runtime.ts";
import { runtime } from "../select.ts";
import { calloc } from "./stdlib.ts";

const BYTE_LENGTH = 65536;

/** Memory that a call may fill. What it has filled is copied out before the next call. */
export interface IoBuffer {
  readonly address: Address;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

let buffer: IoBuffer | undefined;

/** Gives the buffer of this thread: 64 KiB, made at the first use. */
export function ioBuffer(): IoBuffer {
  if (buffer !== undefined) return buffer;
  const { addressToNumber, viewMemory } = runtime();
  const address = calloc(BYTE_LENGTH);
  if (addressToNumber(address) === 0) throw new RangeError("No memory left for native calls");
  // The memory outlives the view: it is never freed.
  return buffer = { address, bytes: new Uint8Array(viewMemory(address, BYTE_LENGTH)) };
}
