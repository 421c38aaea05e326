/**
 * What is printed in the end.
 *
 * @module
 */

import { topWords, totalOf } from "./counts.ts";
import type { Count } from "./job.ts";
import type { Runtime } from "./runtimes.ts";

const WORD_LENGTH = 24;

/** `5.2 MB`. */
export function size(byteLength: number): string {
  return byteLength < 1e5 ? `${number(byteLength)} bytes` : `${(byteLength / 1e6).toFixed(1)} MB`;
}

/** `2 x bun 1.4.5, 1 x deno 2.9.5`. */
export function describeRuntimes(runtimes: readonly Runtime[]): string {
  const workers = new Map<Runtime, number>();
  for (const runtime of runtimes) workers.set(runtime, (workers.get(runtime) ?? 0) + 1);
  return Array.from(workers, ([{ name, version }, count]) => `${count} x ${name} ${version}`)
    .join(", ");
}

/** The most frequent words. */
export function describeWords(counts: Count["counts"], top: number): string {
  const lines = topWords(counts, top).map(([word, count]) => {
    const shown = word.length > WORD_LENGTH ? `${word.slice(0, WORD_LENGTH - 1)}…` : word;
    return `  ${shown.padEnd(WORD_LENGTH)} ${number(count).padStart(11)}\n`;
  });
  return `${lines.join("")}\n${number(totalOf(counts))} words, ${number(counts.size)} different\n`;
}

/** How long both ways took, and who counted how much. */
export function describeTimes(
  byteLength: number,
  shared: readonly Count[],
  pipes: readonly Count[],
): string {
  const row = (way: string, rounds: readonly Count[]) => {
    const startMs = median(rounds.map((round) => round.startMs));
    const countMs = median(rounds.map((round) => round.countMs));
    const rate = byteLength / 1e3 / countMs;
    return [
      way.padEnd(13),
      `${startMs.toFixed(0)} ms`.padStart(10),
      `${countMs.toFixed(1)} ms`.padStart(10),
      `${rate.toFixed(0)} MB/s`.padStart(9),
      ` ${describeShares(rounds)}`,
    ].join(" ");
  };
  const rounds = shared.length === 1 ? "One round" : `Medians of ${shared.length} rounds`;
  return `\
                starting   counting            counted by
${row("shared memory", shared)}
${row("pipes", pipes)}

${rounds}, with equal results. Starting: until all workers are ready. Counting: from
then until their tables are merged. The text is in memory before; reading the file is not counted.`;
}

/** What part of the text the workers of each runtime have counted. */
function describeShares(rounds: readonly Count[]): string {
  const chunksOf = new Map<string, number>();
  let total = 0;
  for (const { worker, chunks, failed } of rounds.flatMap(({ shares }) => shares)) {
    if (failed) continue;
    const { name } = worker.runtime;
    chunksOf.set(name, (chunksOf.get(name) ?? 0) + chunks);
    total += chunks;
  }
  return Array.from(chunksOf, ([name, chunks]) => `${name} ${Math.round(100 * chunks / total)} %`)
    .join(", ");
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[sorted.length >> 1] as number;
}

function number(value: number): string {
  return value.toLocaleString("en");
}
