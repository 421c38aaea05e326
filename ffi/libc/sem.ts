/**
 * `<sys/sem.h>`: semget(2), semop(2), semtimedop(2), semctl(2).
 *
 * What is to be undone at the end belongs to the process, not to the thread: the kernel keeps one
 * list for all threads that pthread_create(3) makes (`CLONE_SYSVSEM`).
 *
 * @module
 */

import { errorNumber } from "../errno.ts";
import type { Address } from "../runtimes/runtime.ts";
import { platform } from "../select.ts";
import { ioBuffer } from "./io_buffer.ts";
import { bind, errno, settle } from "./library.ts";
import { readSize, scratchMemory } from "./scratch.ts";

const c = bind({
  // int semget(key_t key, int nsems, int semflg);
  semget: ["i32", "i32", "i32", "i32"],
  // int semop(int semid, struct sembuf *sops, size_t nsops);
  semop: ["i32", "i32", "address", "i64"],
  // int semtimedop(int semid, struct sembuf *sops, size_t nsops, const struct timespec *timeout);
  semtimedop: ["i32", "i32", "address", "i64", "address"],
  // int semctl(int semid, int semnum, int cmd, int val);      (variadic in C)
  semctl: ["i32", "i32", "i32", "i32", "i32"],
});

/** The same function with the other members of its union. */
const withPointer = bind({
  // int semctl(int semid, int semnum, int cmd, void *buf);      (variadic in C)
  semctl: ["i32", "i32", "i32", "i32", "address"],
});

/** What semctl(2) tells of a set. Times are seconds since 1970. */
export interface SemidDs {
  /** Unsigned. */
  readonly key: number;
  readonly uid: number;
  readonly gid: number;
  readonly cuid: number;
  readonly cgid: number;
  readonly mode: number;
  readonly otime: number;
  readonly ctime: number;
  readonly nsems: number;
}

/** One of the operations that are done together. */
export interface SemOperation {
  readonly index: number;
  /** Added to the value; 0 waits until it is zero. */
  readonly value: number;
  readonly undo: boolean;
}

/** How many values fit into the memory for bytes. */
export const MAX_READ_AT_ONCE = 32768;
/** How many operations do. */
const MAX_OPERATIONS = 10_000;

/** Finds or makes a set. @returns Its id, or a negative error number. */
export function semget(key: number, count: number, flags: number): number {
  return settle(c().semget(key | 0, count, flags), errno[0]);
}

/** Does all operations, or none if it would have to wait. @returns 0, or a negative error number. */
export function semTryOperate(id: number, operations: readonly SemOperation[]): number {
  const { address, semop, noWait } = hot ??= prepare();
  if (!writeOperations(operations, noWait)) return errorNumber("E2BIG");
  return settle(semop(id, address, operations.length), errno[0]);
}

/**
 * Does all operations together, and blocks until it can, or until the time is over (`EAGAIN`).
 *
 * @param timeoutMs Below 1000.
 * @returns 0, or a negative error number.
 */
export function semOperate(
  id: number,
  operations: readonly SemOperation[],
  timeoutMs: number,
): number {
  const { address } = hot ??= prepare();
  if (!writeOperations(operations, 0)) return errorNumber("E2BIG");
  const { view, struct } = scratchMemory();
  const { tv_sec, tv_nsec } = platform().timespec.offsets;
  view.setBigInt64(tv_sec, 0n, true);
  view.setBigInt64(tv_nsec, BigInt(Math.ceil(timeoutMs * 1e6)), true);
  return settle(c().semtimedop(id, address, operations.length, struct), errno[0]);
}

/** What every operation needs, looked up once. */
interface Hot {
  /** The memory for operations and values, and the same as a view. */
  readonly address: Address;
  readonly view: DataView<ArrayBuffer>;
  readonly semop: ReturnType<typeof c>["semop"];
  readonly noWait: number;
  readonly undo: number;
  /** The size of a `struct sembuf`, and where its members are. */
  readonly byteLength: number;
  readonly sem_num: number;
  readonly sem_op: number;
  readonly sem_flg: number;
}

let hot: Hot | undefined;

function prepare(): Hot {
  const { address, bytes } = ioBuffer();
  const { constants: { IPC_NOWAIT, SEM_UNDO }, sembuf: { byteLength, offsets } } = platform();
  const { semop } = c();
  const view = new DataView(bytes.buffer);
  return { address, view, semop, noWait: IPC_NOWAIT, undo: SEM_UNDO, byteLength, ...offsets };
}

/** Puts operations where the call can read them. @returns False when they do not fit. */
function writeOperations(operations: readonly SemOperation[], flags: number): boolean {
  if (operations.length > MAX_OPERATIONS) return false;
  const { view, byteLength, sem_num, sem_op, sem_flg, undo } = hot ??= prepare();
  for (let index = 0, start = 0; index < operations.length; index++, start += byteLength) {
    const operation = operations[index] as SemOperation;
    view.setUint16(start + sem_num, operation.index, true);
    view.setInt16(start + sem_op, operation.value, true);
    view.setInt16(start + sem_flg, operation.undo ? flags | undo : flags, true);
  }
  return true;
}

/** Reads the status of a set. @returns It, or a negative error number. */
export function semStatus(id: number): SemidDs | number {
  const { view, struct } = scratchMemory();
  const { IPC_STAT } = platform().constants;
  const result = settle(withPointer().semctl(id, 0, IPC_STAT, struct), errno[0]);
  if (result < 0) return result;
  const at = platform().semid_ds.offsets;
  return {
    key: view.getUint32(at["sem_perm.__key"], true),
    uid: view.getUint32(at["sem_perm.uid"], true),
    gid: view.getUint32(at["sem_perm.gid"], true),
    cuid: view.getUint32(at["sem_perm.cuid"], true),
    cgid: view.getUint32(at["sem_perm.cgid"], true),
    mode: view.getUint32(at["sem_perm.mode"], true),
    otime: readSize(at.sem_otime),
    ctime: readSize(at.sem_ctime),
    nsems: readSize(at.sem_nsems),
  };
}

/** The value of a semaphore at this moment, or a negative error number. */
export function semValue(id: number, index: number): number {
  return settle(c().semctl(id, index, platform().constants.GETVAL, 0), errno[0]);
}

/** The process that last operated on a semaphore or set it, 0 for none, or a negative error number. */
export function semPid(id: number, index: number): number {
  return settle(c().semctl(id, index, platform().constants.GETPID, 0), errno[0]);
}

/** How many threads wait for permits of a semaphore, or a negative error number. */
export function semWaiting(id: number, index: number): number {
  return settle(c().semctl(id, index, platform().constants.GETNCNT, 0), errno[0]);
}

/** How many threads wait until a semaphore is zero, or a negative error number. */
export function semWaitingForZero(id: number, index: number): number {
  return settle(c().semctl(id, index, platform().constants.GETZCNT, 0), errno[0]);
}

/**
 * The values of a set at one moment.
 *
 * @param count How many it has: at most {@linkcode MAX_READ_AT_ONCE}, because the kernel writes them
 * all.
 * @returns Them, or a negative error number.
 */
export function semValues(id: number, count: number): number[] | number {
  const { GETALL } = platform().constants;
  const { address, view } = hot ??= prepare();
  const result = settle(withPointer().semctl(id, 0, GETALL, address), errno[0]);
  if (result < 0) return result;
  return Array.from({ length: count }, (_, index) => view.getUint16(2 * index, true));
}

/** Sets all values of a set at once. @returns 0, or a negative error number. */
export function semSetValues(id: number, values: readonly number[]): number {
  const { address, view } = hot ??= prepare();
  for (const [index, value] of values.entries()) view.setUint16(2 * index, value, true);
  const { SETALL } = platform().constants;
  return settle(withPointer().semctl(id, 0, SETALL, address), errno[0]);
}

/** Removes a set of System V semaphores. @returns 0, or a negative error number. */
export function removeSemaphoreSet(id: number): number {
  return settle(c().semctl(id, 0, platform().constants.IPC_RMID, 0), errno[0]);
}
