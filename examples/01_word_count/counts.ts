/**
 * How often each word occurs: as text between processes, merged, compared, sorted.
 *
 * @module
 */

/** What follows a table that goes through a pipe, so that the other end knows that it is complete. */
export const END_OF_TABLE = 0x04;

/** Writes counts as lines such as `the 1234`. Never empty. */
export function encodeCounts(counts: ReadonlyMap<string, number>): Uint8Array<ArrayBuffer> {
  const lines = Array.from(counts, ([word, count]) => `${word} ${count}`);
  return new TextEncoder().encode(`${lines.join("\n")}\n`);
}

/** Reads what {@linkcode encodeCounts} wrote. Whatever else there is does not matter. */
export function decodeCounts(bytes: Uint8Array): Map<string, number> {
  const counts = new Map<string, number>();
  for (const line of new TextDecoder().decode(bytes).split("\n")) {
    const space = line.indexOf(" ");
    if (space > 0) counts.set(line.slice(0, space), Number(line.slice(space + 1)));
  }
  return counts;
}

/** Adds up the counts of several workers. */
export function mergeCounts(parts: readonly ReadonlyMap<string, number>[]): Map<string, number> {
  const [first, ...others] = parts;
  const merged = new Map(first);
  for (const part of others) {
    for (const [word, count] of part) merged.set(word, (merged.get(word) ?? 0) + count);
  }
  return merged;
}

/** How many words there are in all. */
export function totalOf(counts: ReadonlyMap<string, number>): number {
  let total = 0;
  for (const count of counts.values()) total += count;
  return total;
}

/** The most frequent words; equally frequent ones in the order of their characters. */
export function topWords(
  counts: ReadonlyMap<string, number>,
  length: number,
): [word: string, count: number][] {
  return [...counts]
    .sort(([one, many], [other, few]) => few - many || (one < other ? -1 : 1))
    .slice(0, length);
}

/** The first difference between two counts; undefined when they are equal. */
export function difference(
  one: ReadonlyMap<string, number>,
  other: ReadonlyMap<string, number>,
): string | undefined {
  for (const word of new Set([...one.keys(), ...other.keys()])) {
    const [count, otherCount] = [one.get(word) ?? 0, other.get(word) ?? 0];
    if (count !== otherCount) return `"${word}" ${count} and ${otherCount} times`;
  }
  return undefined;
}
