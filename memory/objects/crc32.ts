/**
 * CRC-32, as zip and PNG have it (the polynomial 0x04c11db7, reflected).
 *
 * @module
 */

let table: Uint32Array | undefined;

function makeTable(): Uint32Array {
  return Uint32Array.from({ length: 256 }, (_, byte) => {
    let value = byte;
    for (let bit = 0; bit < 8; bit++) value = (value >>> 1) ^ (value & 1 ? 0xedb8_8320 : 0);
    return value;
  });
}

/**
 * The checksum of some bytes.
 *
 * @param before The checksum of what precedes them.
 */
export function crc32(bytes: Uint8Array, before: number = 0): number {
  table ??= makeTable();
  let value = ~before;
  for (const byte of bytes) value = (table[(value ^ byte) & 0xff] as number) ^ (value >>> 8);
  return ~value >>> 0;
}
