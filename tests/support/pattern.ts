/**
 * Bytes that a writer leaves and a reader expects; `tests/c/segment.c` makes the same.
 *
 * @module
 */

/** The positions that are written: all of a small segment, samples and both ends of a large one. */
function* positions(size: number): Generator<number> {
  const stride = size <= 65536 ? 1 : 65521;
  for (let position = 0; position < size; position += stride) yield position;
  yield size - 1;
}

const byteAt = (position: number, seed: number) => (position * 31 + seed) & 0xff;

/** Writes the pattern. */
export function writePattern(bytes: Uint8Array, seed: number): void {
  for (const position of positions(bytes.length)) bytes[position] = byteAt(position, seed);
}

/** Counts the positions whose byte is not the pattern's. */
export function countMismatches(bytes: Uint8Array, seed: number): number {
  let mismatches = 0;
  for (const position of positions(bytes.length)) {
    if (bytes[position] !== byteAt(position, seed)) mismatches++;
  }
  return mismatches;
}
