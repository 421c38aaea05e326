/**
 * The command line.
 *
 * @module
 */

import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";

const CORES = availableParallelism();

/** What `--help` prints. */
export const HELP: string = `Counts the words of a file, in shared memory and through pipes.

Usage: main.ts [options] [file]

  file          what to count; without it, 5 MiB of text found on this machine
  --workers N   how many worker processes; ${CORES} by default, one per core
  --rounds N    how often to count in each way, for the median of the times; 3 by default
  --top N       how many words to show; 10 by default
  --help        show this`;

/** What is wanted. */
export interface Options {
  /** The file to count; undefined for what is on this machine. */
  readonly path: string | undefined;
  readonly workers: number;
  readonly rounds: number;
  readonly top: number;
  readonly help: boolean;
}

/** Reads the command line. Throws an error for the user when it makes no sense. */
export function parseOptions(): Options {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      workers: { type: "string", default: String(CORES) },
      rounds: { type: "string", default: "3" },
      top: { type: "string", default: "10" },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (positionals.length > 1) throw new Error("One file at a time, please; see --help");
  return {
    path: positionals[0],
    workers: parseNumber("--workers", values.workers, 256),
    rounds: parseNumber("--rounds", values.rounds, 100),
    top: parseNumber("--top", values.top, 1_000_000_000),
    help: values.help,
  };
}

function parseNumber(option: string, text: string, most: number): number {
  const number = Number(text);
  if (/^\d+$/.test(text) && number >= 1 && number <= most) return number;
  throw new Error(`${option} must be an integer from 1 to ${most}, received "${text}"`);
}
