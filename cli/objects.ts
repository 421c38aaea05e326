/**
 * Everything that is shared on this machine, in one list.
 *
 * @module
 */

import { close, platform, refusal, userName } from "../ffi/mod.ts";
import {
  type AttachedProcesses,
  listSegments,
  listSemaphores,
  type MappedStat,
  type NamedSemaphoreInfo,
  type SegmentInfo,
  type SegmentStat,
  type SemaphoreInfo,
  type SystemVSemaphoreStat,
  type SystemVStat,
} from "../mod.ts";
import { briefOf, toLayoutRecord } from "./carried.ts";
import { escapeName } from "./escape.ts";
import { openObject } from "./read.ts";
import { actionOn, formatTarget, SYSCALLS, type Target } from "./target.ts";

/** What every object has, as far as it is known. */
interface Common {
  /** How arguments name it; undefined for memory without a name, which none can. */
  readonly target: Target | undefined;
  /** That, or what else tells it from others; to be printed. */
  readonly label: string;
  /** The size and the memory that is taken; semaphores have none worth telling. */
  readonly size: number | undefined;
  readonly residentBytes: number | undefined;
  readonly mode: number | undefined;
  readonly uid: number | undefined;
  /** When it was made, or, for System V, made or last given another owner or mode. */
  readonly bornMs: number | undefined;
  /** Who holds it; undefined where the kernel does not tell. */
  readonly processes: AttachedProcesses | undefined;
}

/** A segment or semaphore, how it is shown, and what the library tells of it. */
export type SharedObject =
  & Common
  & (
    | { readonly kind: "posix" | "memfd"; readonly info: SegmentStat | MappedStat }
    | { readonly kind: "systemv"; readonly info: SystemVStat }
    | { readonly kind: "semaphore"; readonly info: NamedSemaphoreInfo }
    | { readonly kind: "semset"; readonly info: SystemVSemaphoreStat }
  );

/** The kinds of objects, as tables have them. */
export const KINDS = ["posix", "systemv", "semaphore", "semset", "memfd"] as const;

/** Lists what has a name or a number, and on demand what only processes hold. */
export function listObjects(withUnnamed: boolean = false): SharedObject[] {
  const segments = listSegments({
    kinds: withUnnamed ? ["posix", "systemv", "memfd"] : ["posix", "systemv"],
  });
  const objects = [...segments.map(ofSegment), ...listSemaphores().map(ofSemaphore)];
  return withUnnamed ? objects : objects.filter(({ target }) => target !== undefined);
}

function ofSegment(info: SegmentInfo): SharedObject {
  const { size, residentBytes, mode, uid, processes } = info;
  const common = { size, residentBytes, mode, uid, processes };
  if (info.kind === "systemv") {
    const target: Target = { kind: "systemv", id: info.id };
    const label = formatTarget(target);
    return { ...common, kind: "systemv", target, label, bornMs: info.changeTimeMs, info };
  }
  const { name, linked, birthTimeMs } = info;
  const kind = info.kind === "memfd" ? "memfd" : "posix";
  const target: Target | undefined = linked ? { kind: "posix", name } : undefined;
  const label = target === undefined
    ? `${kind === "memfd" ? "memfd:" : ""}${escapeName(name)} (no name)`
    : formatTarget(target);
  return { ...common, kind, target, label, bornMs: birthTimeMs, info };
}

function ofSemaphore(info: SemaphoreInfo): SharedObject {
  const { mode, uid } = info;
  const common = { size: undefined, residentBytes: undefined, mode, uid };
  if (info.kind === "posix") {
    const target: Target = { kind: "semaphore", name: info.name };
    const { processes, birthTimeMs: bornMs } = info;
    return {
      ...common,
      kind: "semaphore",
      target,
      label: formatTarget(target),
      bornMs,
      processes,
      info,
    };
  }
  const target: Target = { kind: "semset", id: info.id };
  const bornMs = info.changeTimeMs;
  const label = formatTarget(target);
  return { ...common, kind: "semset", target, label, bornMs, processes: undefined, info };
}

/** Whether an object is the one that is meant. */
export function isTarget(object: SharedObject, target: Target): boolean {
  if (object.target === undefined || object.kind !== target.kind) return false;
  if (object.kind === "systemv" || object.kind === "semset") {
    const { id, key } = target as { id?: number; key?: number };
    return key === undefined ? object.info.id === id : object.info.key === key;
  }
  return object.info.name === (target as { name: string }).name;
}

/** Finds the object that is meant; throws a `ShmError` when there is none. */
export function findObject(
  objects: readonly SharedObject[],
  target: Target,
  verb: string = "find",
): SharedObject {
  const found = objects.find((each) => isTarget(each, target));
  if (found !== undefined) return found;
  // What has the name and is neither a segment nor a semaphore says so when it is opened.
  if (target.kind === "posix" || target.kind === "semaphore") {
    close(openObject(target, verb, platform().constants.O_RDONLY).fd);
  }
  throw refusal(actionOn(verb, target), "ENOENT", SYSCALLS[target.kind], "");
}

/** Whether nobody is known to hold it: see {@linkcode isComplete}. */
export function isOrphan(object: SharedObject): boolean {
  if (object.kind === "systemv") return object.info.attached === 0;
  return object.processes?.length === 0;
}

/** Whether the list of its processes has all of them. */
export function isComplete({ kind, info, processes }: SharedObject): boolean {
  if (processes === undefined) return false;
  if (processes.unreadable.length === 0 && !processes.hidden) return true;
  if (kind !== "systemv") return false;
  // The kernel's own count needs no right to look.
  const found = processes.reduce((sum, { mappings }) => sum + mappings.length, 0);
  return found >= info.attached;
}

/** How many processes hold it, with a `+` when there may be more. */
export function formatHolders(object: SharedObject): string {
  const { processes } = object;
  return processes === undefined ? "-" : `${processes.length}${isComplete(object) ? "" : "+"}`;
}

const users = new Map<number, string>();

/** The name of a user, or the number of one without a name. */
export function formatUser(uid: number | undefined): string {
  if (uid === undefined) return "?";
  const known = users.get(uid);
  if (known !== undefined) return known;
  const name = escapeName(userName(uid) ?? String(uid));
  users.set(uid, name);
  return name;
}

/** An object as JSON has it. */
export function toRecord(object: SharedObject): object {
  const { target, kind, label, info, uid, processes } = object;
  const brief = briefOf(target);
  return {
    target: target === undefined ? null : formatTarget(target),
    label,
    ...info,
    kind,
    layout: brief?.trailer === undefined ? null : toLayoutRecord(brief.name ?? null, brief.trailer),
    owner: uid === undefined ? null : userName(uid) ?? null,
    processes: processes === undefined ? null : [...processes],
    complete: isComplete(object),
  };
}
