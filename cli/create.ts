/**
 * `shm create`: new objects.
 *
 * @module
 */

import { NamedSemaphore, SharedSegment, SystemVSegment } from "../mod.ts";
import type { Arguments } from "./arguments.ts";
import { toJson } from "./escape.ts";
import { UsageError } from "./exit_codes.ts";
import { print } from "./output.ts";
import { formatTarget, parseTarget, type Target } from "./target.ts";
import { eachTarget } from "./targets.ts";
import type { Verb } from "./verb.ts";

/** What is to be made: a target, or a System V segment of which the kernel chooses the number. */
type Wanted = Target | "private";

const USUAL_MODE = 0o600;

/** The verb. */
export const create: Verb = {
  name: "create",
  summary: "create segments and semaphores",
  operands: "TARGET...",
  description:
    `It prints the names of what it has made, as other verbs take them. A segment is filled
with zeros, and its memory is reserved, so that a lack of it is an error now.`,
  options: {
    size: {
      short: "s",
      value: "SIZE",
      help: "the size of each segment, such as 4096, 64K or 1.5G",
    },
    mode: { short: "m", value: "MODE", help: "the permission bits, exactly; 600 by default" },
    "no-reserve": { help: "take memory page by page, at the first access" },
    value: { value: "N", help: "the initial value of each semaphore; 0 by default" },
    systemv: { help: "a System V segment, with --key or --private" },
    key: { short: "k", value: "KEY", help: "its key; the same as the target key:KEY" },
    private: { short: "p", help: "without a key" },
  },
  examples: [
    ["shm create frames --size 64M", "a POSIX segment"],
    ["shm create key:0x162e --size 4K --mode 660", "a System V segment with a key"],
    ["id=$(shm create --systemv --private --size 4K)", "one without; prints id:N"],
    ["shm create sem:ready --value 1", "a POSIX semaphore"],
  ],
  async run(args) {
    const wanted = wantedFrom(args);
    const mode = args.mode("mode") ?? USUAL_MODE;
    const size = args.size("size");
    const value = args.integer("value", 0, 0x7fffffff);
    checkFit(wanted, size, value);
    const made: object[] = [];
    const code = await eachTarget(wanted, args.has("json"), async (each) => {
      const record = make(each, {
        size: size ?? 0,
        mode,
        value: value ?? 0,
        reserve: !args.has("no-reserve"),
      });
      if (args.has("json")) made.push(record);
      else await print([record.target]);
    });
    if (args.has("json")) await print([toJson(made, 2)]);
    return code;
  },
};

function wantedFrom(args: Arguments): Wanted[] {
  const targets: Wanted[] = args.positionals.map(parseTarget);
  const key = args.text("key");
  const isSystemV = args.has("systemv") || key !== undefined || args.has("private");
  if (!isSystemV) {
    if (targets.length === 0) throw new UsageError("name at least one object");
    return targets;
  }
  if (targets.length > 0) {
    throw new UsageError("System V segments have no names; use --key or --private");
  }
  if (key !== undefined && args.has("private")) {
    throw new UsageError("give --key or --private, not both");
  }
  return [key === undefined ? "private" : parseTarget(`key:${key}`)];
}

/** Checks that the options are of what is to be made. */
function checkFit(
  wanted: readonly Wanted[],
  size: number | undefined,
  value: number | undefined,
): void {
  const kinds = wanted.map((each) => each === "private" ? "systemv" : each.kind);
  const hasSegments = kinds.some((kind) => kind !== "semaphore");
  if (wanted.some((each) => each !== "private" && "id" in each && each.id !== undefined)) {
    throw new UsageError("the kernel chooses ids; name a key, or use --systemv --private");
  }
  if (kinds.includes("semset")) throw new UsageError("sets of semaphores cannot be made here");
  if (hasSegments && size === undefined) {
    throw new UsageError("a segment needs a size: --size SIZE");
  }
  if (!hasSegments && size !== undefined) throw new UsageError("a semaphore has no size");
  if (value !== undefined && !kinds.includes("semaphore")) {
    throw new UsageError("--value is for semaphores");
  }
}

interface Settings {
  readonly size: number;
  readonly mode: number;
  readonly value: number;
  readonly reserve: boolean;
}

/** What was made, as JSON has it. */
interface Made {
  readonly target: string;
  readonly kind: Target["kind"];
  readonly mode: number;
  readonly size?: number;
  readonly key?: number;
  readonly value?: number;
}

function make(wanted: Wanted, { size, mode, value, reserve }: Settings): Made {
  if (wanted === "private" || wanted.kind === "systemv") {
    const key = wanted === "private" ? undefined : wanted.key;
    using segment = SystemVSegment.create({ size, mode, ...(key === undefined ? {} : { key }) });
    const target = formatTarget({ kind: "systemv", id: segment.id });
    return { target, kind: "systemv", mode, size, key: key ?? 0 };
  }
  const target = formatTarget(wanted);
  if (wanted.kind === "semaphore") {
    NamedSemaphore.create(wanted.name, { initialValue: value, mode }).close();
    return { target, kind: "semaphore", mode, value };
  }
  if (wanted.kind === "posix") SharedSegment.create(wanted.name, { size, mode, reserve }).close();
  return { target, kind: "posix", mode, size };
}
