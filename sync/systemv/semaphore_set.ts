/**
 * A set of System V semaphores: finding, making, operating, removing.
 *
 * semget(2) makes a set of zeros, and the values come later. So that a set is never seen half
 * initialised, **one** semop(2) adds all first values: it also sets `sem_otime`, by which other
 * programs tell that a set is ready. Only a set with more values than one call takes (500 as a rule)
 * gets them by `SETALL`, and its `sem_otime` by an operation that changes nothing.
 *
 * A creator that is killed between the two calls leaves a set of zeros with a `sem_otime` of 0.
 * So does a program that initialises by `SETVAL` or not at all; but `SETVAL` notes the process on
 * each semaphore. Hence a set is taken as initialised when `sem_otime` is not 0, or when every
 * semaphore bears the number of a process.
 *
 * @module
 */

import { type Action, type ShmError, stateError, systemError } from "../../errors.ts";
import {
  errorCode,
  failure,
  MAX_READ_AT_ONCE,
  platform,
  readTextFile,
  refusal,
  removeSemaphoreSet,
  semget,
  type SemidDs,
  semOperate,
  type SemOperation,
  semPid,
  semSetValues,
  semStatus,
  semTryOperate,
  semValue,
  semValues,
  semWaiting,
  semWaitingForZero,
} from "../../ffi/mod.ts";
import type { Trust } from "../../memory/options.ts";
import { describeSystemVName, type SystemVName } from "../../memory/systemv/systemv_options.ts";
import { checkOwner } from "../../memory/systemv/systemv_owner.ts";
import { readSetTable, type SystemVSemaphoreSetStat } from "./set_info.ts";
import { MAX_VALUE, type SetCreation } from "./set_options.ts";

/** What messages call it. */
export const NOUN = "System V semaphore set";

/** A set that exists, or did. It holds nothing of the kernel's but a number. */
export interface SemaphoreSet {
  readonly id: number;
  /** 0 for a private one. */
  readonly key: number;
  readonly count: number;
}

/** Finds a set, and looks at what it is. */
export function openSet(
  unnamed: Action,
  name: SystemVName,
  trust: Trust,
): SemaphoreSet & { readonly status: SemidDs } {
  const action = { ...unnamed, noun: describeSystemVName(name, NOUN) };
  const id = "id" in name ? name.id : findSet(action, name.key);
  const status = semStatus(id);
  if (typeof status === "number") throw explainMissing(action, id, status);
  checkOwner(action, status, trust, "its values");
  return { id, key: status.key, count: status.nsems, status };
}

function findSet(action: Action, key: number): number {
  const id = semget(key, 0, 0);
  if (id >= 0) return id;
  const remedy = errorCode(id) === "ENOENT" ? "Create it first, or use openOrCreate()." : undefined;
  throw failure(action, id, "semget", remedy);
}

/** What is removed, or never was, is `EINVAL` or `EIDRM` for the kernel. */
function explainMissing(action: Action, id: number, errno: number): ShmError {
  const code = errorCode(errno);
  if (!isGone(errno)) {
    const remedy = code === "EACCES"
      ? "Ask its owner for the right to read it, or run as its owner."
      : undefined;
    return failure(action, errno, "semctl", remedy);
  }
  return stateError(
    action,
    "ENOENT",
    `there is no set with id ${id}, or none any more (${code} from semctl)`,
    "SystemVSemaphore.list() tells which there are.",
  );
}

const isGone = (errno: number): boolean => ["EINVAL", "EIDRM"].includes(errorCode(errno));

/** Makes a set, and gives it its first values. */
export function createSet(unnamed: Action, creation: SetCreation): SemaphoreSet {
  const { key, values, mode } = creation;
  const noun = key === undefined ? `private ${NOUN}` : describeSystemVName({ key }, NOUN);
  const action = { ...unnamed, noun };
  const { IPC_PRIVATE, IPC_CREAT, IPC_EXCL } = platform().constants;
  const id = semget(key ?? IPC_PRIVATE, values.length, mode | IPC_CREAT | IPC_EXCL);
  if (id < 0) throw explainCreation(action, creation, id);
  try {
    initialise(action, id, values);
  } catch (error) {
    removeSemaphoreSet(id);
    throw error;
  }
  return { id, key: key ?? 0, count: values.length };
}

function initialise(action: Action, id: number, values: readonly number[]): void {
  const wanted = values.map((value, index) => ({ index, value, undo: false }))
    .filter(({ value }) => value > 0);
  const result = semTryOperate(id, wanted.length === 0 ? [zeroAt(0)] : wanted);
  if (result >= 0) return;
  if (errorCode(result) !== "E2BIG") throw explainOperation(action, result, "semop", wanted.length);
  const set = semSetValues(id, values);
  if (set < 0) throw explainOperation(action, set, "semctl");
  markInitialised(action, id);
}

const zeroAt = (index: number): SemOperation => ({ index, value: 0, undo: false });

/** Sets `sem_otime`, by an operation that changes no value. */
function markInitialised(action: Action, id: number): void {
  while (true) {
    const value = semValue(id, 0);
    if (value < 0) throw explainOperation(action, value, "semctl");
    const one = { index: 0, value: 1, undo: false };
    const unchanged = value === 0 ? [zeroAt(0)] : [{ ...one, value: -1 }, one];
    const result = semTryOperate(id, unchanged);
    if (result >= 0) return;
    // EAGAIN: somebody changes the value, who has set the time then; or will have.
    if (errorCode(result) !== "EAGAIN") throw explainOperation(action, result, "semop");
  }
}

/** Whether somebody has given a set its first values: see the head of this file. */
export function isInitialised({ id, count, status }: ReturnType<typeof openSet>): boolean {
  if (status.otime !== 0) return true;
  for (let index = 0; index < count; index++) {
    if (semPid(id, index) <= 0) return false;
  }
  return true;
}

function explainCreation(action: Action, creation: SetCreation, errno: number): ShmError {
  const { key, values: { length } } = creation;
  switch (errorCode(errno)) {
    case "EEXIST": {
      const found = tableOrNone().find((each) => each.key === key);
      const what = found === undefined
        ? "Somebody has it"
        : `It has id ${found.id}, ${count(found.count)}, and is owned by user ${found.uid}`;
      const remedy =
        `${what}. Use openOrCreate() to share it, remove() it if nobody needs it, or ` +
        "choose another key if it belongs to another program.";
      return failure(action, errno, "semget", remedy);
    }
    case "EINVAL":
      return systemError(
        action,
        { code: "EINVAL", errno, syscall: "semget" },
        `Ask for fewer: this machine allows ${limit(0)} in a set (kernel.sem).`,
        `${count(length)} are too many`,
      );
    case "ENOSPC":
      return systemError(
        action,
        { code: "ENOSPC", errno, syscall: "semget" },
        `This machine allows ${limit(3)} sets and ${limit(1)} semaphores in all (kernel.sem). ` +
          "Remove what is no longer needed, or raise the limit.",
        "there are too many already",
      );
    default:
      return failure(action, errno, "semget");
  }
}

const count = (value: number): string => `${value} semaphore${value === 1 ? "" : "s"}`;

/** A limit of the kernel: semaphores in a set, in all, operations in a call, sets. */
function limit(position: number): string {
  const text = readTextFile(platform().systemVLimits.sem);
  const known = typeof text === "string" ? text.trim().split(/\s+/)[position] : undefined;
  return known ?? "an unknown number of";
}

/** The table, where there is one: some containers hide it. */
function tableOrNone(): ReturnType<typeof readSetTable> {
  try {
    return readSetTable({ verb: "list", noun: `${NOUN}s` });
  } catch {
    return [];
  }
}

/** Whether there is a set, also one that may not be looked at. */
export function setExists(unnamed: Action, name: SystemVName): boolean {
  const action = { ...unnamed, noun: describeSystemVName(name, NOUN) };
  const [result, syscall] = "id" in name
    ? [semStatus(name.id), "semctl"] as const
    : [semget(name.key, 0, 0), "semget"] as const;
  if (typeof result !== "number" || result >= 0 || errorCode(result) === "EACCES") return true;
  if (isGone(result) || errorCode(result) === "ENOENT") return false;
  throw failure(action, result, syscall);
}

/** Removes a set by what it is called. @returns Whether there was anything to remove. */
export function removeSet(unnamed: Action, name: SystemVName): boolean {
  const action = { ...unnamed, noun: describeSystemVName(name, NOUN) };
  const id = "id" in name ? name.id : semget(name.key, 0, 0);
  if (id < 0) {
    if (errorCode(id) === "ENOENT") return false;
    throw failure(action, id, "semget");
  }
  const result = removeSemaphoreSet(id);
  if (result >= 0) return true;
  if (isGone(result)) return false;
  throw failure(action, result, "semctl");
}

/**
 * Does operations together, if it need not wait for that.
 *
 * @returns Whether it was done.
 */
export function tryOperateSet(
  action: Action,
  { id }: SemaphoreSet,
  operations: readonly SemOperation[],
): boolean {
  const result = semTryOperate(id, operations);
  if (result >= 0) return true;
  if (errorCode(result) === "EAGAIN") return false;
  throw explainOperation(action, result, "semop", operations.length);
}

/** Does operations together, and blocks the thread for some time if it must wait for that. */
export function operateSet(
  action: Action,
  { id }: SemaphoreSet,
  operations: readonly SemOperation[],
  timeoutMs: number,
): boolean {
  const result = semOperate(id, operations, timeoutMs);
  if (result >= 0) return true;
  // EINTR: a signal came, and the runtime wants its turn no more than at the end of a slice.
  if (["EAGAIN", "EINTR"].includes(errorCode(result))) return false;
  throw explainOperation(action, result, "semtimedop", operations.length);
}

/** The error of a call on a set that is in use. */
function explainOperation(
  action: Action,
  errno: number,
  syscall: string,
  operations: number = 1,
): ShmError {
  const code = errorCode(errno);
  const failed = { code, errno, syscall };
  switch (code) {
    case "EINVAL":
    case "EIDRM":
      return refusal(
        action,
        "EIDRM",
        syscall,
        "Open or create it again, once it is clear who removes it.",
        "the set was removed",
      );
    case "ERANGE":
      return systemError(
        action,
        failed,
        `Have permits taken first, or post fewer. Nothing was done.`,
        `a value, or what is to be undone at the end of this process, would pass ${MAX_VALUE}`,
      );
    case "E2BIG":
      return systemError(
        action,
        failed,
        `Do fewer at once: this machine allows ${limit(2)} (kernel.sem). Nothing was done.`,
        `${operations} operations are too many`,
      );
    case "EACCES":
      return failure(action, errno, syscall, "Ask its owner for the right to write to it.");
    default:
      return failure(action, errno, syscall);
  }
}

/** The value of one semaphore. */
export function valueOf(action: Action, { id }: SemaphoreSet, index: number): number {
  return checked(action, semValue(id, index));
}

/** The values of all, at one moment. */
export function valuesOf(action: Action, set: SemaphoreSet): number[] {
  if (set.count > MAX_READ_AT_ONCE) {
    return Array.from({ length: set.count }, (_, index) => valueOf(action, set, index));
  }
  const values = semValues(set.id, set.count);
  if (typeof values !== "number") return values;
  throw explainOperation(action, values, "semctl");
}

/** What the kernel knows of a set, and of each semaphore. */
export function statOf(action: Action, { id, count }: SemaphoreSet): SystemVSemaphoreSetStat {
  const status = semStatus(id);
  if (typeof status === "number") throw explainOperation(action, status, "semctl");
  return {
    kind: "systemv",
    id,
    key: status.key,
    count: status.nsems,
    mode: status.mode & 0o777,
    uid: status.uid,
    gid: status.gid,
    creatorUid: status.cuid,
    creatorGid: status.cgid,
    operationTimeMs: status.otime * 1000,
    changeTimeMs: status.ctime * 1000,
    semaphores: Array.from({ length: count }, (_, index) => ({
      value: checked(action, semValue(id, index)),
      lastPid: checked(action, semPid(id, index)),
      waiting: checked(action, semWaiting(id, index)),
      waitingForZero: checked(action, semWaitingForZero(id, index)),
    })),
  };
}

function checked(action: Action, result: number): number {
  if (result >= 0) return result;
  throw explainOperation(action, result, "semctl");
}
