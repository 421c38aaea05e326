/**
 * `shm rm`: objects, removed.
 *
 * @module
 */

import { refusal } from "../ffi/mod.ts";
import { NamedSemaphore, SharedSegment, SystemVSegment, SystemVSemaphore } from "../mod.ts";
import { toJson } from "./escape.ts";
import { print } from "./output.ts";
import { actionOn, formatTarget, parseTargets, SYSCALLS, type Target } from "./target.ts";
import { eachTarget } from "./targets.ts";
import type { Verb } from "./verb.ts";

/** Removes an object. @returns Whether there was anything to remove. */
export function removeObject(target: Target): boolean {
  switch (target.kind) {
    case "posix":
      return SharedSegment.unlink(target.name);
    case "semaphore":
      return NamedSemaphore.unlink(target.name);
    case "systemv":
      return SystemVSegment.remove(
        target.id === undefined ? { key: target.key } : { id: target.id },
      );
    case "semset":
      return SystemVSemaphore.remove(
        target.id === undefined ? { key: target.key } : { id: target.id },
      );
  }
}

/** The verb. */
export const rm: Verb = {
  name: "rm",
  summary: "remove objects",
  operands: "TARGET...",
  description:
    `Whoever has it open keeps it: the name of a POSIX object goes at once, its memory with the
last who holds it; a System V segment goes with its last detach. Patterns are for shm gc.`,
  options: {
    force: { short: "f", help: "what does not exist is no error" },
  },
  examples: [
    ["shm rm frames sem:ready", "a segment and a semaphore"],
    ["shm rm id:3 key:0x162e", "System V segments, as ipcrm -m 3 -M 0x162e"],
    ["shm rm 'a\\x1b[31m' -- -x", "names as shm ls prints them; after --, such with a dash"],
  ],
  async run(args) {
    const targets = parseTargets(args.positionals);
    const records: object[] = [];
    const code = await eachTarget(targets, args.has("json"), (target) => {
      const removed = removeObject(target);
      if (!removed && !args.has("force")) {
        throw refusal(actionOn("remove", target), "ENOENT", SYSCALLS[target.kind], "");
      }
      records.push({ target: formatTarget(target), removed });
    });
    if (args.has("json")) await print([toJson(records, 2)]);
    return code;
  },
};
