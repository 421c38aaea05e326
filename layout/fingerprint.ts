/**
 * A short name for a layout.
 *
 * @module
 */

import type { Description } from "./description.ts";

const OFFSET_BASIS = 0xcbf2_9ce4_8422_2325n;
const PRIME = 0x0000_0100_0000_01b3n;

/**
 * FNV-1a in 64 bits, over the description as JSON without spaces: 16 hexadecimal digits. It tells
 * layouts apart that differ by mistake, not by malice.
 */
export function fingerprintOf(description: Description): string {
  return fingerprintOfText(new TextEncoder().encode(JSON.stringify(description)));
}

/** The same, of a description that is such JSON already, in UTF-8. */
export function fingerprintOfText(text: Uint8Array): string {
  let hash = OFFSET_BASIS;
  for (const byte of text) {
    hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * PRIME);
  }
  return hash.toString(16).padStart(16, "0");
}
