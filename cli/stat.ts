/**
 * `shm stat`: all that is known of an object.
 *
 * @module
 */

import { ShmError, SystemVSemaphore, type SystemVSemaphoreState } from "../mod.ts";
import { carriedBy, formatCreation, isAttached, primitiveNoun } from "./carried.ts";
import { escapeText, toJson } from "./escape.ts";
import { DONE } from "./exit_codes.ts";
import {
  findObject,
  formatUser,
  isComplete,
  listObjects,
  type SharedObject,
  toRecord,
} from "./objects.ts";
import { print } from "./output.ts";
import { openSource, type Source } from "./read.ts";
import { layOutPairs } from "./table.ts";
import { type SyncReport, syncReport, syncReportRecord, syncTables } from "./stat_sync.ts";
import { parseTargets } from "./target.ts";
import { eachTarget } from "./targets.ts";
import {
  count,
  formatAge,
  formatKey,
  formatMode,
  formatOctal,
  formatSize,
  formatTime,
} from "./units.ts";
import type { Verb } from "./verb.ts";

type Pair = readonly [name: string, value: string];

function describe(object: SharedObject, nowMs: number): Pair[] {
  const { kind, label, info, uid } = object;
  const time = (value: number | undefined) =>
    value === undefined
      ? "?"
      : value === 0
      ? "never"
      : `${formatTime(value)} (${formatAge(nowMs - value)} ago)`;
  return [
    ["name", label],
    ["kind", kind],
    ...sizes(object),
    [
      "mode",
      info.mode === undefined ? "?" : `${formatOctal(info.mode)} (${formatMode(info.mode)})`,
    ],
    ["owner", `${formatUser(uid)} (${uid ?? "?"}), group ${info.gid ?? "?"}`],
    ...facts(object, time),
    ...layoutFacts(object),
    ["held by", holders(object)],
  ];
}

function sizes({ kind, size, residentBytes }: SharedObject): Pair[] {
  if (kind === "semaphore" || kind === "semset") return [];
  const bytes = (value: number | undefined) =>
    value === undefined ? "?" : `${value} (${formatSize(value)})`;
  return [["size", bytes(size)], ["resident", bytes(residentBytes)]];
}

function facts({ kind, info }: SharedObject, time: (value: number | undefined) => string): Pair[] {
  if (kind === "systemv") {
    return [
      ["key", keyOrNone(info.key)],
      [
        "creator",
        `${formatUser(info.creatorUid)} (${info.creatorUid}), process ${info.creatorPid}`,
      ],
      ["last process", info.lastPid === 0 ? "none" : String(info.lastPid)],
      ["attached", count(info.attached, "time")],
      ["last attach", time(info.attachTimeMs)],
      ["last detach", time(info.detachTimeMs)],
      ["changed", time(info.changeTimeMs)],
      ["removed", info.removed ? "yes, freed at the last detach" : "no"],
      ["locked", info.locked ? "yes, kept out of swap" : "no"],
    ];
  }
  if (kind === "semset") {
    return [
      ["key", keyOrNone(info.key)],
      ["semaphores", String(info.count)],
      ...states(info.id),
      ["creator", `${formatUser(info.creatorUid)} (${info.creatorUid})`],
      ["last operation", time(info.operationTimeMs)],
      ["changed", time(info.changeTimeMs)],
    ];
  }
  return [
    ...(kind === "semaphore"
      ? [
        ["value", info.value === undefined ? `? (${info.valueCode})` : String(info.value)] as const,
      ]
      : []),
    ["created", time(info.birthTimeMs)],
    ["modified", time(info.modifyTimeMs)],
    ["changed", time(info.changeTimeMs)],
  ];
}

/** How many semaphores are shown one by one. */
const MAX_STATES = 32;

/** What the kernel tells of each semaphore of a set to those who may read it. */
function states(id: number): Pair[] {
  let all: readonly SystemVSemaphoreState[];
  try {
    using set = SystemVSemaphore.open({ id }, { trust: "anyone" });
    all = set.stat().semaphores;
  } catch (error) {
    const code = error instanceof ShmError ? error.code : String(error);
    return [["values", `? (${code})`]];
  }
  const list = (values: number[]) =>
    values.slice(0, MAX_STATES).join(" ") + (values.length > MAX_STATES ? " ..." : "");
  const pids = list(all.map(({ lastPid }) => lastPid));
  return [
    ["values", list(all.map(({ value }) => value))],
    ["last process", /[1-9]/.test(pids) ? pids : "none"],
    ["waiting", list(all.map(({ waiting }) => waiting))],
    ["for zero", list(all.map(({ waitingForZero }) => waitingForZero))],
  ];
}

/** What an object says about itself; nothing of what says nothing, or may not be read. */
function layoutFacts({ target, size }: SharedObject): Pair[] {
  if (target?.kind !== "posix" || size === undefined) return [];
  let source: Source;
  try {
    source = openSource(target);
  } catch {
    return [];
  }
  try {
    const carried = carriedBy(target, source);
    if (carried === undefined) return [];
    const { header, layout } = carried;
    const bookkeeping = source.size - layout.size;
    const attached = { true: "somebody", false: "nobody", undefined: "who knows whether somebody" };
    const who = attached[`${isAttached(target)}`];
    const noun = primitiveNoun(header);
    return [
      ...(noun === undefined ? [] : [["object", noun] as const]),
      ["layout", `${layout.name}, fingerprint ${layout.fingerprint}`],
      ["value", `${layout.size} (${formatSize(layout.size)})`],
      ["bookkeeping", `${bookkeeping} (${formatSize(bookkeeping)})`],
      [
        "lifetime",
        header.lifetime + (header.lifetime === "lastDetach" ? ` (${who} is attached)` : ""),
      ],
      ["participants", `up to ${header.participants}`],
      ["creator", formatCreation(header)],
    ];
  } catch (error) {
    return [["layout", `unreadable: ${escapeText((error as Error).message)}`]];
  } finally {
    source[Symbol.dispose]();
  }
}

const keyOrNone = (key: number) => key === 0 ? "none (private)" : formatKey(key);

function holders(object: SharedObject): string {
  const { processes } = object;
  if (processes === undefined) return "the kernel does not tell";
  const isAll = isComplete(object);
  if (processes.length === 0) return isAll ? "nobody" : "nobody that can be seen";
  const known = count(processes.length, "process", "processes");
  const pids = processes.map(({ pid }) => pid).join(" ");
  return `${known}: ${pids}${isAll ? "" : ", and perhaps others that cannot be seen"}`;
}

function toStatRecord(object: SharedObject, report: SyncReport | undefined): object {
  const synchronisation = report === undefined ? null : syncReportRecord(report);
  return { ...toRecord(object), synchronisation };
}

/** The verb. */
export const stat: Verb = {
  name: "stat",
  summary: "show all that is known of objects",
  operands: "TARGET...",
  description:
    `Of an object with locks or anything else that synchronises: the threads that take part, who
has what, and who waits. It looks at one moment; --for looks again and again, and tells
for how long the same have been seen to hold something. No lock knows that by itself:
who lets go and locks again between two looks looks the same.`,
  options: {
    for: { value: "TIME", help: "look for so long at who holds what" },
  },
  examples: [
    ["shm stat frames", "a POSIX segment"],
    ["shm stat id:3 key:0x162e sem:ready", "others"],
    ["shm stat frames --json | jq '.[0].size'", "one fact"],
    ["shm stat player --for 2s", "who holds its locks for long"],
  ],
  async run(args) {
    const targets = parseTargets(args.positionals);
    const forMs = args.duration("for") ?? 0;
    const objects = listObjects();
    const found: SharedObject[] = [];
    const code = await eachTarget(targets, args.has("json"), (target) => {
      found.push(findObject(objects, target));
    });
    // All at the same time: what is told of one is not older than what is told of another.
    const reports = await Promise.all(found.map((object) => syncReport(object, forMs)));
    if (args.has("json")) {
      const records = found.map((object, index) => toStatRecord(object, reports[index]));
      await print([toJson(records, 2)]);
    } else {
      const blocks = found.map((object, index) => {
        const report = reports[index];
        const facts = layOutPairs(describe(object, Date.now()));
        return report === undefined ? facts : [...facts, ...syncTables(report)];
      });
      await print(blocks.flatMap((block, index) => index === 0 ? block : ["", ...block]));
    }
    return code ?? DONE;
  },
};
