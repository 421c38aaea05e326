/**
 * Counting words in place, over bytes of UTF-8.
 *
 * What a word is says one regular expression, {@linkcode WORD}. Decoding a whole text for it would
 * cost more than everything else, so the count has two steps:
 *
 * 1. every *run* of bytes that can belong to a word is looked up in a hash table, as bytes;
 * 2. at the end each distinct run, of which there are few, is decoded and split by the expression.
 *
 * @module
 */

/**
 * A word is letters of any script with their marks. An apostrophe, straight or curved, belongs to
 * it where letters are on both sides: "don't" is one word. All words are counted in lower case.
 */
export const WORD: RegExp = /[\p{L}\p{M}]+(?:['’][\p{L}\p{M}]+)*/gu;

/**
 * For each byte what it counts as in a run, ASCII letters as small ones; 0 for what ends a run.
 * Bytes from 0x80 on are parts of characters outside ASCII: the second step tells which are letters.
 */
const FOLDED = Uint8Array.from({ length: 256 }, (_, byte) => {
  const character = String.fromCharCode(byte);
  if (/[a-z']/.test(character) || byte >= 0x80) return byte;
  return /[A-Z]/.test(character) ? byte + 0x20 : 0;
});

/** Whether a byte can belong to a word. */
export function isWordByte(byte: number): boolean {
  return FOLDED[byte] !== 0;
}

const NEWLINE = 0x0a;

/**
 * A hash table from runs of bytes to how often they occurred. It copies distinct runs only: nothing
 * in it refers to the text.
 */
export class WordTable {
  /** The distinct runs in order of appearance, each ended by a newline, which no run contains. */
  #runs = new Uint8Array(1 << 16);
  #runsByteLength = 0;
  /** By number of the run: where it starts in `#runs`, its hash, how often it occurred. */
  #starts = new Uint32Array(1 << 12);
  #hashes = new Int32Array(1 << 12);
  #counts = new Float64Array(1 << 12);
  #size = 0;
  /** Open addressing: 1 + the number of a run, 0 where free; at most half is taken. */
  #slots = new Int32Array(1 << 13);

  /**
   * Counts the words of a piece of text. It must not start or end within a word.
   *
   * @returns How many runs it has: about as many as words.
   */
  add(text: Uint8Array): number {
    this.#reserve(text.length + 1);
    const runs = this.#runs;
    const end = text.length;
    let found = 0;
    let position = 0;
    while (position < end) {
      let byte = FOLDED[text[position++] as number] as number;
      if (byte === 0) continue;
      // The run is written behind the last one, where it stays if it turns out to be new.
      let runEnd = this.#runsByteLength;
      let hash = 0x811c9dc5; // FNV-1a
      while (byte !== 0) {
        runs[runEnd++] = byte;
        hash = Math.imul(hash ^ byte, 0x01000193);
        byte = position < end ? FOLDED[text[position++] as number] as number : 0;
      }
      runs[runEnd++] = NEWLINE;
      this.#count(hash ^ (hash >>> 15), runEnd);
      found++;
    }
    return found;
  }

  /** Decodes the runs. @returns How often each word occurred. */
  counts(): Map<string, number> {
    const counts = new Map<string, number>();
    const runs = new TextDecoder().decode(this.#runs.subarray(0, this.#runsByteLength)).split("\n");
    for (let run = 0; run < this.#size; run++) {
      for (const match of (runs[run] as string).match(WORD) ?? []) {
        const word = match.toLowerCase();
        counts.set(word, (counts.get(word) ?? 0) + (this.#counts[run] as number));
      }
    }
    return counts;
  }

  /** Counts the run that was written last, and keeps it if it is new. */
  #count(hash: number, end: number): void {
    const slots = this.#slots;
    const mask = slots.length - 1;
    let slot = hash & mask;
    while (slots[slot] !== 0) {
      const run = (slots[slot] as number) - 1;
      if (this.#hashes[run] === hash && this.#equalsLast(run)) {
        (this.#counts[run] as number)++;
        return;
      }
      slot = (slot + 1) & mask;
    }
    const run = this.#size++;
    slots[slot] = run + 1;
    this.#starts[run] = this.#runsByteLength;
    this.#hashes[run] = hash;
    this.#counts[run] = 1;
    this.#runsByteLength = end;
    if (this.#size === this.#starts.length) this.#grow();
  }

  /** Both end with the only newline that they have, so that neither length is needed. */
  #equalsLast(run: number): boolean {
    const runs = this.#runs;
    let one = this.#starts[run] as number;
    let other = this.#runsByteLength;
    while (runs[one] === runs[other]) {
      if (runs[one] === NEWLINE) return true;
      one++;
      other++;
    }
    return false;
  }

  /** Makes room for the runs of so many bytes, so that the loop over them need not look. */
  #reserve(byteLength: number): void {
    const needed = this.#runsByteLength + byteLength;
    if (needed <= this.#runs.length) return;
    const runs = new Uint8Array(Math.max(needed, this.#runs.length * 2));
    runs.set(this.#runs);
    this.#runs = runs;
  }

  /** Doubles the table. */
  #grow(): void {
    const capacity = this.#starts.length * 2;
    const starts = new Uint32Array(capacity);
    const hashes = new Int32Array(capacity);
    const counts = new Float64Array(capacity);
    starts.set(this.#starts);
    hashes.set(this.#hashes);
    counts.set(this.#counts);
    this.#starts = starts;
    this.#hashes = hashes;
    this.#counts = counts;

    const slots = new Int32Array(capacity * 2);
    const mask = slots.length - 1;
    for (let run = 0; run < this.#size; run++) {
      let slot = (hashes[run] as number) & mask;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = run + 1;
    }
    this.#slots = slots;
  }
}
