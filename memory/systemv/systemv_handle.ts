/**
 * A System V segment: finding, making, attaching, removing.
 *
 * @module
 */

import { type Action, type ShmError, stateError } from "../../errors.ts";
import {
  failure,
  Mapping,
  platform,
  readTextFile,
  shmget,
  type ShmidDs,
  shmRemove,
  shmStatus,
} from "../../ffi/mod.ts";
import { Attachment, type Part } from "../attachment.ts";
import { hugePageFlags, orNoHugePages } from "../huge_pages.ts";
import { applyMapping, type CheckedMappingOptions } from "../memory_options.ts";
import { checkFreeMemory } from "../files/reserve.ts";
import type { SystemVStat } from "../segment_info.ts";
import {
  describeSystemVName,
  type SystemVAccess,
  type SystemVCreation,
  type SystemVName,
} from "./systemv_options.ts";
import { checkOwner } from "./systemv_owner.ts";
import { readSystemVTable } from "./systemv_table.ts";

/** An attached System V segment. */
export class SystemVHandle extends Attachment {
  readonly id: number;
  /** 0 for a private one. */
  readonly key: number;

  /** Attaches to a segment. */
  constructor(
    action: Action,
    id: number,
    status: ShmidDs,
    options: CheckedMappingOptions & { readonly writable: boolean },
  ) {
    const mapping = attach(action, id, options.writable, { size: status.segsz });
    try {
      checkSame(action, id, status);
      applyMapping(action, mapping, options);
    } catch (error) {
      mapping.close();
      throw error;
    }
    super({ noun: describeSystemVName(status.key === 0 ? { id } : status) }, mapping);
    this.id = id;
    this.key = status.key;
  }

  stat(): SystemVStat {
    this.assertOpen("stat");
    const status = shmStatus(this.id);
    if (typeof status === "number") throw failure(this.action("stat"), status, "shmctl");
    return statOf(this.id, status);
  }

  remove(): boolean {
    this.assertOpen("remove");
    return removeById(this.action("remove"), this.id);
  }

  protected override mapPart(action: Action, byteOffset: number, byteLength: number): Part {
    const base = byteOffset % 8; // what views may be aligned to
    const view = { byteOffset: byteOffset - base, byteLength: base + byteLength };
    return { mapping: attach(action, this.id, this.writable, { size: this.size, ...view }), base };
  }
}

function attach(
  action: Action,
  id: number,
  writable: boolean,
  view: { size: number; byteOffset?: number; byteLength?: number },
): Mapping {
  const mapping = Mapping.attach(id, view.size, writable, view.byteOffset, view.byteLength);
  if (typeof mapping === "number") {
    const wanted = writable ? "Open it with { readonly: true }, or ask" : "Ask";
    const remedy = `${wanted} its owner for rights.`;
    throw isDenied(mapping)
      ? failure(action, mapping, "shmat", remedy)
      : explainMissing(action, id, mapping, "shmat");
  }
  return mapping;
}

const isDenied = (errno: number): boolean => platform().errorCodes[-errno] === "EACCES";

/**
 * Throws when a segment is not the one that was looked at before it was attached: ids come again.
 * From now on this one does not, because it is attached.
 */
function checkSame(action: Action, id: number, before: ShmidDs): void {
  const now = shmStatus(id);
  if (typeof now === "number") throw explainMissing(action, id, now, "shmctl");
  const { key, uid, cuid } = before;
  // Marked for removal meanwhile, it has no key any more.
  const isSame = now.uid === uid && now.cuid === cuid && (now.key === key || now.key === 0);
  if (!isSame) throw missing(action, id, "another segment has that id now");
}

/** Finds a segment, and looks at what it is before anything is attached. */
export function openSystemV(
  unnamed: Action,
  name: SystemVName,
  access: SystemVAccess,
  expectedSize?: number,
): SystemVHandle {
  const action = { ...unnamed, noun: describeSystemVName(name) };
  const id = "id" in name ? name.id : find(action, name.key);
  const status = shmStatus(id);
  if (typeof status === "number") throw explainMissing(action, id, status, "shmctl");
  checkSize(action, status.segsz, expectedSize);
  checkOwner(action, status, access.trust, "its bytes");
  return new SystemVHandle(action, id, status, access);
}

function find(action: Action, key: number): number {
  const id = shmget(key, 0, 0);
  if (id >= 0) return id;
  const remedy = platform().errorCodes[-id] === "ENOENT"
    ? "Create it first, or use openOrCreate()."
    : undefined;
  throw failure(action, id, "shmget", remedy);
}

/** What is removed, or never was, is `EINVAL` or `EIDRM` for the kernel. */
function explainMissing(action: Action, id: number, errno: number, syscall: string): ShmError {
  const code = platform().errorCodes[-errno];
  if (code === "EINVAL" || code === "EIDRM") return missing(action, id, `${code} from ${syscall}`);
  const remedy = isDenied(errno) ? "Ask its owner for rights, or run as its owner." : undefined;
  return failure(action, errno, syscall, remedy);
}

function missing(action: Action, id: number, evidence: string): ShmError {
  return stateError(
    action,
    "ENOENT",
    `there is no segment with id ${id}, or none any more (${evidence})`,
    "SystemVSegment.list() tells which there are.",
  );
}

function checkSize(action: Action, size: number, expectedSize: number | undefined): void {
  if (expectedSize === undefined || size === expectedSize) return;
  throw stateError(
    action,
    "ERR_SHM_SIZE",
    `it exists with ${size} bytes, not ${expectedSize}`,
    "Ask for the size that it has, open() it as it is, or remove() it first.",
  );
}

/** Makes a segment and attaches to it. */
export function createSystemV(unnamed: Action, creation: SystemVCreation): SystemVHandle {
  const { key, size, mode, hugePages, lifetime } = creation;
  const noun = key === undefined ? "private System V segment" : describeSystemVName({ key });
  const action = { ...unnamed, noun };
  const { IPC_PRIVATE, IPC_CREAT, IPC_EXCL, SHM_HUGETLB, MFD_HUGE_SHIFT } = platform().constants;
  const flags = mode | IPC_CREAT | IPC_EXCL | hugePageFlags(hugePages, SHM_HUGETLB, MFD_HUGE_SHIFT);
  if (creation.prefault && hugePages === false) checkFreeMemory(action, size);
  const id = orNoHugePages(action, hugePages, () => {
    const made = shmget(key ?? IPC_PRIVATE, size, flags);
    if (made < 0) throw explainCreation(action, creation, made);
    return made;
  });
  try {
    const status = shmStatus(id);
    if (typeof status === "number") throw explainMissing(action, id, status, "shmctl");
    const handle = new SystemVHandle(action, id, status, { ...creation, writable: true });
    if (lifetime === "lastDetach") markForRemoval(action, handle);
    return handle;
  } catch (error) {
    shmRemove(id);
    throw error;
  }
}

function markForRemoval(action: Action, handle: SystemVHandle): void {
  try {
    removeById(action, handle.id);
  } catch (error) {
    handle.close();
    throw error;
  }
}

function explainCreation(action: Action, creation: SystemVCreation, errno: number): ShmError {
  const { key, size } = creation;
  switch (platform().errorCodes[-errno]) {
    case "EEXIST": {
      const found = systemVTableOrNone().find((each) => each.key === key);
      const what = found === undefined
        ? "Somebody has it"
        : `It has id ${found.id}, ${found.size} bytes, and is owned by user ${found.uid}`;
      return failure(
        action,
        errno,
        "shmget",
        `${what}. Use openOrCreate() to share it, remove() it if nobody needs it, or choose ` +
          "another key if it belongs to another program.",
      );
    }
    case "EINVAL":
      return failure(
        action,
        errno,
        "shmget",
        `Its ${size} bytes are out of range: this machine allows 1 to ${limit("shmmax")} ` +
          "(kernel.shmmax).",
      );
    case "ENOSPC":
      return failure(
        action,
        errno,
        "shmget",
        `This machine allows ${limit("shmmni")} segments (kernel.shmmni) and ${limit("shmall")} ` +
          "pages in all (kernel.shmall). Remove what is no longer needed, or raise the limit.",
      );
    default:
      return failure(action, errno, "shmget");
  }
}

function limit(name: "shmmax" | "shmall" | "shmmni"): string {
  const text = readTextFile(platform().systemVLimits[name]);
  return typeof text === "string" ? text.trim() : "an unknown number of";
}

/** Whether there is a segment, also one that may not be looked at. */
export function systemVExists(unnamed: Action, name: SystemVName): boolean {
  const action = { ...unnamed, noun: describeSystemVName(name) };
  const [result, syscall] = "id" in name
    ? [shmStatus(name.id), "shmctl"] as const
    : [shmget(name.key, 0, 0), "shmget"] as const;
  if (typeof result !== "number" || result >= 0) return true;
  switch (platform().errorCodes[-result]) {
    case "EACCES":
      return true;
    case "ENOENT":
    case "EINVAL":
    case "EIDRM":
      return false;
    default:
      throw failure(action, result, syscall);
  }
}

/** Removes a segment by what it is called. @returns Whether there was anything to remove. */
export function removeSystemV(unnamed: Action, name: SystemVName): boolean {
  const action = { ...unnamed, noun: describeSystemVName(name) };
  if ("id" in name) return removeById(action, name.id);
  const id = shmget(name.key, 0, 0);
  if (id >= 0) return removeById(action, id);
  const error = failure(action, id, "shmget");
  if (error.code === "ENOENT") return false;
  throw error;
}

function removeById(action: Action, id: number): boolean {
  const result = shmRemove(id);
  if (result >= 0) return true;
  const error = failure(action, result, "shmctl");
  if (error.code === "EINVAL" || error.code === "EIDRM") return false;
  throw error;
}

function statOf(id: number, status: ShmidDs): SystemVStat {
  const { SHM_DEST, SHM_LOCKED } = platform().constants;
  const row = systemVTableOrNone().find((each) => each.id === id);
  return {
    kind: "systemv",
    id,
    key: status.key,
    size: status.segsz,
    residentBytes: row?.residentBytes ?? 0,
    mode: status.mode & 0o777,
    uid: status.uid,
    gid: status.gid,
    creatorUid: status.cuid,
    creatorGid: status.cgid,
    attached: status.nattch,
    creatorPid: status.cpid,
    lastPid: status.lpid,
    attachTimeMs: status.atime * 1000,
    detachTimeMs: status.dtime * 1000,
    changeTimeMs: status.ctime * 1000,
    removed: (status.mode & SHM_DEST) !== 0,
    locked: (status.mode & SHM_LOCKED) !== 0,
  };
}

/** The table, where there is one: some containers hide it. */
function systemVTableOrNone(): SystemVStat[] {
  try {
    return readSystemVTable({ verb: "list", noun: "System V segments" });
  } catch {
    return [];
  }
}
