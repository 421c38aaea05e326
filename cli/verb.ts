/**
 * What a verb is, and its help.
 *
 * @module
 */

import { type Arguments, COMMON, type Options } from "./arguments.ts";
import { EXIT_CODES } from "./exit_codes.ts";
import { paint } from "./output.ts";
import { TARGETS_HELP } from "./target.ts";

/** A verb of the command: each has a file of its name. */
export interface Verb {
  readonly name: string;
  /** What it does, in a line of the general help. */
  readonly summary: string;
  /** What may follow it, besides options: `TARGET...`. */
  readonly operands: string;
  /** What else there is to know, in lines of at most 80 columns. */
  readonly description?: string;
  readonly options: Options;
  readonly examples: readonly (readonly [command: string, effect: string])[];
  /** What an exit code means here, where it means more than everywhere. */
  readonly exitCodes?: Readonly<Record<number, string>>;
  /** Whether it runs modules of the user, which may have begun something that does not end. */
  readonly runsModules?: boolean;
  /** Does it. @returns The exit code. */
  run(args: Arguments): Promise<number>;
}

/** What `shm VERB --help` shows. */
export function verbHelp(verb: Verb): string[] {
  const { name, summary, operands, description, options, examples, exitCodes } = verb;
  const usage = ["Usage: shm", name, operands, "[OPTION]..."].filter((part) => part !== "");
  const rows = Object.entries({ ...options, ...COMMON }).map(([long, { short, value, help }]) => {
    const left = `${short === undefined ? "    " : `-${short}, `}--${long}`;
    return [value === undefined ? left : `${left} ${value}`, help] as const;
  });
  const hasTargets = /TARGET/.test(operands);
  return [
    usage.join(" "),
    "",
    `${summary[0]?.toUpperCase()}${summary.slice(1)}.`,
    ...(description === undefined ? [] : ["", ...description.split("\n")]),
    "",
    heading("Options"),
    ...aligned(rows),
    ...(hasTargets ? ["", ...headed(TARGETS_HELP)] : []),
    "",
    heading("Examples"),
    ...aligned(examples),
    "",
    heading("Exit codes"),
    ...aligned(
      EXIT_CODES.filter(([code]) => code < 128 || exitCodes?.[code] !== undefined)
        .map(([code, meaning]) => [String(code), exitCodes?.[code] ?? meaning]),
    ),
  ];
}

/** What `shm --help` shows. */
export function generalHelp(verbs: readonly Verb[]): string[] {
  return [
    "Usage: shm VERB [TARGET]... [OPTION]...",
    "",
    "Looks after the shared memory of this machine: POSIX segments and semaphores, and",
    "System V segments, whoever made them.",
    "",
    heading("Verbs"),
    ...aligned(verbs.map(({ name, summary }) => [name, summary])),
    "",
    heading("Options"),
    ...aligned([
      ["-h, --help", "show this help; shm VERB --help shows that of a verb, with examples"],
      ["-V, --version", "show the versions of this program and of its runtime"],
      ["--json", "with every verb: print JSON, and errors as JSON too"],
    ]),
    "",
    ...headed(TARGETS_HELP),
    "",
    heading("Exit codes"),
    ...aligned(EXIT_CODES.map(([code, meaning]) => [String(code), meaning])),
    "",
    "Colours are used on a terminal only, and not when NO_COLOR is set.",
  ];
}

const heading = (text: string) => paint("bold", `${text}:`);

function headed(text: string): string[] {
  const [first = "", ...rest] = text.split("\n");
  return [paint("bold", first), ...rest];
}

function aligned(rows: readonly (readonly [left: string, right: string])[]): string[] {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`);
}
