/**
 * The pieces in which a text is handed out.
 *
 * @module
 */

import { setImmediate } from "node:timers/promises";
import { isWordByte, WordTable } from "./tokenizer.ts";

/** Small enough that the last piece keeps nobody waiting, large enough to be worth the claim. */
const CHUNK_BYTE_LENGTH = 64 * 1024;

/** How many chunks a text has. */
export function chunkCountOf(byteLength: number): number {
  return Math.ceil(byteLength / CHUNK_BYTE_LENGTH);
}

/**
 * A view of the bytes of a chunk. Both ends are moved forward to behind a byte that belongs to no
 * word, so that no word is cut. A chunk that lies within one endless word is empty.
 *
 * Engines are slow at large indices, those past 2^31 in particular: in the view they are small.
 */
export function chunkOf(text: Uint8Array, chunk: number): Uint8Array {
  const start = chunk * CHUNK_BYTE_LENGTH;
  const end = Math.min(start + CHUNK_BYTE_LENGTH, text.length);
  const from = endOfWord(text, start, end);
  return text.subarray(from, from === end ? end : endOfWord(text, end, text.length));
}

function endOfWord(text: Uint8Array, start: number, limit: number): number {
  let position = start;
  while (position > 0 && position < limit && isWordByte(text[position - 1] as number)) position++;
  return position;
}

/**
 * Counts chunks one after the other. In between the event loop has its turn: signals are handled,
 * and a worker hears of the end of its parent.
 *
 * @param chunks Their numbers; drawn one at a time.
 * @param onCounted Called after each, with about how many words it had.
 */
export async function countChunks(
  text: Uint8Array,
  chunks: Iterable<number>,
  onCounted: (words: number) => void = () => {},
): Promise<Map<string, number>> {
  const table = new WordTable();
  for (const chunk of chunks) {
    onCounted(table.add(chunkOf(text, chunk)));
    await setImmediate();
  }
  return table.counts();
}
