/**
 * `shm doctor`: what is in the way of shared memory on this machine, and what to do about it.
 *
 * @module
 */

import { type Finding, findings, type Level } from "./findings.ts";
import { toJson } from "./escape.ts";
import { DONE, FAILED } from "./exit_codes.ts";
import { paint, print, type Style } from "./output.ts";
import type { Verb } from "./verb.ts";

const STYLES: Readonly<Record<Level, Style>> = {
  ok: "green",
  note: "cyan",
  warning: "yellow",
  error: "red",
};

/** The verb. */
export const doctor: Verb = {
  name: "doctor",
  summary: "look for what is in the way of shared memory, and say what to do",
  operands: "",
  description:
    `It looks at the shared-memory file system and how full it is, the limits of a container,
the service manager's RemoveIPC, the kernel's limits, and at this runtime and its
permissions. It changes nothing.`,
  options: {},
  examples: [
    ["shm doctor", "look"],
    ["shm doctor --json | jq '.[] | select(.level != \"ok\")'", "only what is not well"],
  ],
  exitCodes: { 0: "nothing is an error", 1: "something is an error" },
  async run(args) {
    const found = findings();
    if (args.has("json")) await print([toJson(found, 2)]);
    else await print(found.flatMap(describe));
    return found.some(({ level }) => level === "error") ? FAILED : DONE;
  },
};

function describe({ level, what, remedy }: Finding): string[] {
  const head = `${paint(STYLES[level], level.padEnd(7))}  ${what}`;
  return remedy === undefined
    ? [head]
    : [head, `${" ".repeat(7)}  ${paint("dim", "->")} ${remedy}`];
}
