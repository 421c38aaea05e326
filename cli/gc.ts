/**
 * `shm gc`: what nobody holds any more, removed.
 *
 * @module
 */

import { close, geteuid, isOpenElsewhere, platform, semFileName, statusOf } from "../ffi/mod.ts";
import { nameLeadsTo } from "../memory/files/attach.ts";
import { findAbandoned } from "./abandoned.ts";
import type { Arguments } from "./arguments.ts";
import { toJson } from "./escape.ts";
import { findMailboxes } from "./mailboxes.ts";
import { isMatch } from "./ls.ts";
import { formatUser, isComplete, isOrphan, listObjects, type SharedObject } from "./objects.ts";
import { complain, print } from "./output.ts";
import { openObject } from "./read.ts";
import { removeObject } from "./rm.ts";
import { layOut } from "./table.ts";
import { actionOn, matcher, type Target } from "./target.ts";
import { eachTarget } from "./targets.ts";
import { formatFields, troubledFields } from "./troubled.ts";
import { count, formatAge, formatSize } from "./units.ts";
import type { Verb } from "./verb.ts";

/** Something that was looked at, and what is to become of it. */
export interface Finding {
  readonly label: string;
  readonly size: number | undefined;
  readonly bornMs: number | undefined;
  /** Why it is kept; undefined when it is to be removed. */
  readonly keptBecause: string | undefined;
  /** Why it is removed, when not because nobody holds it. */
  readonly removedBecause?: string;
  /** Removes it. @returns Whether it was still there. */
  remove(): boolean;
}

const USUAL_MINIMUM_AGE_MS = 60_000;

/** The verb. */
export const gc: Verb = {
  name: "gc",
  summary: "remove what no process holds any more",
  operands: "[PATTERN]...",
  description:
    `Without --force it only says what it would do. It looks at objects of this user that a
pattern names, and at leftovers that are provably this library's own: mailboxes, and
objects that were to go with the last who was attached. It removes those that nobody
holds: for POSIX objects the kernel is asked by a lease, which also knows of
processes in other containers; for System V segments it counts. Where it does not tell,
all processes must have been read. Sets of System V semaphores are never removed.`,
  options: {
    force: { short: "f", help: "remove" },
    "min-age": { value: "TIME", help: "spare what is younger; 1m by default" },
    "assume-complete": { help: "take processes that cannot be read for ones that hold nothing" },
  },
  examples: [
    ["shm gc 'frames-*'", "say what would go"],
    ["shm gc 'frames-*' --force", "remove it"],
    ["shm gc '*' --min-age 1d -f", "everything of mine that is a day old"],
  ],
  async run(args) {
    const minimumAgeMs = args.duration("min-age") ?? USUAL_MINIMUM_AGE_MS;
    const patterns = args.positionals.map(matcher);
    const nowMs = Date.now();
    const user = geteuid();
    const objects = listObjects().filter(({ kind }) => kind !== "semset");
    const isNamed = (object: SharedObject) => patterns.some((matches) => isMatch(object, matches));
    const rules = { user, nowMs, minimumAgeMs, assumeComplete: args.has("assume-complete") };
    const found = new Map<SharedObject, Finding>();
    for (const object of objects) {
      const abandoned = object.uid === user
        ? findAbandoned(object, tooYoung(object, rules))
        : undefined;
      const finding = abandoned ?? (isNamed(object) ? examine(object, rules) : undefined);
      if (finding !== undefined) found.set(object, finding);
    }
    const mailboxes = findMailboxes(user, (label) => patterns.some((matches) => matches(label)));
    const code = await dispose([...found.values(), ...mailboxes], args, nowMs);
    const others = objects.filter((each) =>
      !found.has(each) && each.uid === user && isOrphan(each)
    );
    if (others.length > 0 && !args.has("json")) {
      const total = others.reduce((sum, { residentBytes }) => sum + (residentBytes ?? 0), 0);
      const what = `${count(others.length, "orphan")} of ${formatUser(user)}, ${formatSize(total)}`;
      await complain(`shm: not named, and therefore left alone: ${what}; see shm ls --orphans`);
    }
    const dead = troubledFields(objects.filter((each) => each.uid === user))
      .filter(({ trouble }) => trouble === "ownerDead");
    if (dead.length > 0 && !args.has("json")) {
      const what = `${count(dead.length, "lock")} of the dead: ${formatFields(dead)}`;
      await complain(`shm: nothing to remove, since whoever locks next gets it: ${what}`);
    }
    return code;
  },
};

interface Rules {
  readonly user: number;
  readonly nowMs: number;
  readonly minimumAgeMs: number;
  readonly assumeComplete: boolean;
}

/** Decides what becomes of an object. */
function examine(object: SharedObject, rules: Rules): Finding {
  const { label, size, bornMs, target } = object;
  return {
    label,
    size,
    bornMs,
    keptBecause: whyKept(object, rules),
    remove: () => removeUnheld(target as Target),
  };
}

function whyKept(object: SharedObject, rules: Rules): string | undefined {
  const { uid, processes } = object;
  if (uid !== rules.user) return `it belongs to ${formatUser(uid)}`;
  if (!isOrphan(object)) {
    if (object.kind === "systemv") return `it is attached ${count(object.info.attached, "time")}`;
    return `${count(processes?.length ?? 0, "process holds", "processes hold")} it`;
  }
  const young = tooYoung(object, rules);
  if (young !== undefined) return young;
  if (object.kind === "systemv") return undefined;
  const answer = isHeld(object.target as PosixTarget);
  if (answer === true) return "a process that cannot be seen from here holds it";
  if (answer === false || rules.assumeComplete) return undefined;
  if (isComplete(object)) return undefined;
  return "processes could not be read, of which any may hold it";
}

function tooYoung({ bornMs }: SharedObject, { nowMs, minimumAgeMs }: Rules): string | undefined {
  const ageMs = nowMs - (bornMs ?? nowMs);
  return ageMs < minimumAgeMs ? `it is ${formatAge(ageMs)} old only` : undefined;
}

type PosixTarget = Target & { readonly kind: "posix" | "semaphore" };

/** Asks the kernel. @returns Undefined where it does not tell. */
function isHeld(target: PosixTarget): boolean | undefined {
  try {
    const { fd } = openObject(target, "look at", platform().constants.O_RDONLY);
    const answer = isOpenElsewhere(fd);
    close(fd);
    return answer < 0 ? undefined : answer === 1;
  } catch {
    return undefined; // without the right to read it, or gone
  }
}

/** Removes an object, unless somebody has taken hold of it since it was looked at. */
function removeUnheld(target: Target): boolean {
  if (target.kind !== "posix" && target.kind !== "semaphore") return removeObject(target);
  const action = actionOn("remove", target);
  let fd: number;
  try {
    fd = openObject(target, "remove", platform().constants.O_RDONLY).fd;
  } catch {
    return removeObject(target);
  }
  try {
    const status = statusOf(fd);
    const fileName = target.kind === "posix" ? target.name : semFileName(target.name);
    if (isOpenElsewhere(fd) === 1) return false;
    if (typeof status !== "number" && !nameLeadsTo(action, fileName, status)) return false;
    return removeObject(target);
  } finally {
    close(fd);
  }
}

/** Removes what is to be removed, or says so, and prints what has become of each. */
async function dispose(
  findings: readonly Finding[],
  args: Arguments,
  nowMs: number,
): Promise<number> {
  const force = args.has("force");
  const verdicts = new Map<Finding, string>();
  const code = await eachTarget(findings, args.has("json"), (finding) => {
    if (finding.keptBecause !== undefined) verdicts.set(finding, "kept");
    else if (!force) verdicts.set(finding, "would remove");
    else {
      verdicts.set(finding, "failed"); // unless the next line gets to its end
      verdicts.set(finding, finding.remove() ? "removed" : "kept");
    }
  });
  if (args.has("json")) {
    const records = findings.map((finding) => ({
      target: finding.label,
      verdict: verdicts.get(finding),
      reason: finding.keptBecause ?? finding.removedBecause ?? null,
      size: finding.size ?? null,
    }));
    await print([toJson(records, 2)]);
    return code;
  }
  const lines = layOut<Finding>([
    {
      title: "VERDICT",
      cell: (each) => verdicts.get(each) as string,
      style: (each) => each.keptBecause === undefined ? force ? "red" : "yellow" : undefined,
    },
    {
      title: "SIZE",
      align: "right",
      cell: ({ size }) => size === undefined ? "-" : formatSize(size),
    },
    {
      title: "AGE",
      align: "right",
      cell: ({ bornMs }) => bornMs === undefined ? "?" : formatAge(nowMs - bornMs),
    },
    { title: "NAME", cell: ({ label }) => label },
    { title: "REASON", cell: (each) => each.keptBecause ?? lateReason(each, verdicts.get(each)) },
  ], findings);
  if (findings.length > 0) await print(lines);
  return code;
}

const lateReason = ({ removedBecause }: Finding, verdict: string | undefined) =>
  verdict === "kept"
    ? "somebody has taken hold of it, or removed it"
    : removedBecause ?? "nobody holds it";
