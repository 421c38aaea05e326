/**
 * What is known of sets of System V semaphores. The kernel lists all of this IPC namespace; nobody
 * needs a right for that, while semctl(2) wants to be allowed to read each.
 *
 * @module
 */

import type { Action } from "../../errors.ts";
import { platform } from "../../ffi/mod.ts";
import {
  octal,
  readKernelTable,
  type Row,
  unsignedKey,
} from "../../memory/systemv/kernel_table.ts";

/**
 * What the kernel knows of a set of System V semaphores. Times are milliseconds since 1970, of which
 * the kernel counts whole seconds; 0 means never.
 *
 * @see {@link https://man7.org/linux/man-pages/man2/semctl.2.html | semctl(2)}
 */
export interface SystemVSemaphoreStat {
  /** The family of semaphores. */
  readonly kind: "systemv";
  /** The number by which processes use it. */
  readonly id: number;
  /** The number by which it was created, from 1 to 2^32 - 1; 0 when it is private. */
  readonly key: number;
  /** How many semaphores are in the set. */
  readonly count: number;
  /** The permission bits, as in `0o600`. */
  readonly mode: number;
  /** The user who owns it. */
  readonly uid: number;
  /** The group that owns it. */
  readonly gid: number;
  /** The user who created it. */
  readonly creatorUid: number;
  /** The group that created it. */
  readonly creatorGid: number;
  /** When a semaphore of it was last waited for or posted. */
  readonly operationTimeMs: number;
  /** When it was created, or its owner, mode or a value was last set. */
  readonly changeTimeMs: number;
}

/** What the kernel knows of one System V semaphore, at a moment. */
export interface SystemVSemaphoreState {
  /** Its number of permits. */
  readonly value: number;
  /**
   * The process that last operated on it or set it, dead or alive; 0 for none, or for one that this
   * process cannot see because it is in another container.
   */
  readonly lastPid: number;
  /** How many threads are blocked until it has permits. `waitAsync` blocks none. */
  readonly waiting: number;
  /** How many threads are blocked until it has none. */
  readonly waitingForZero: number;
}

/** What the kernel knows of a set of System V semaphores, and of each of them. */
export interface SystemVSemaphoreSetStat extends SystemVSemaphoreStat {
  /** Its semaphores, each as it was at a moment of its own. */
  readonly semaphores: readonly SystemVSemaphoreState[];
}

/** Reads the table of sets, in the order of the kernel; none where it has none. */
export function readSetTable(action: Action): SystemVSemaphoreStat[] {
  return readKernelTable(action, platform().systemVTables.semaphores).map(toStat);
}

function toStat(row: Row): SystemVSemaphoreStat {
  return {
    kind: "systemv",
    id: row("semid"),
    key: unsignedKey(row("key")),
    count: row("nsems"),
    mode: octal(row("perms")) & 0o777,
    uid: row("uid"),
    gid: row("gid"),
    creatorUid: row("cuid"),
    creatorGid: row("cgid"),
    operationTimeMs: row("otime") * 1000,
    changeTimeMs: row("ctime") * 1000,
  };
}
