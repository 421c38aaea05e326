/**
 * @module
 */

import type { Action, ShmErrorCode } from "../errors.ts";
import {
  close,
  errorCode,
  failure,
  type FileStatus,
  listDirectory,
  platform,
  semValueInFile,
  shmOpen,
  statusOf,
  statusOfPath,
} from "../ffi/mod.ts";
import { deviceOf, identityOf } from "../memory/processes/device.ts";
import { BOOLEANS, checkChoice, checkOptions } from "../memory/options.ts";
import { scanProcesses } from "../memory/processes/process_scan.ts";
import type { AttachedProcesses } from "../memory/segment_info.ts";
import { semaphoreName } from "../memory/semaphore_files.ts";
import { readSetTable, type SystemVSemaphoreStat } from "./systemv/set_info.ts";

/** What `listSemaphores()` is to list. */
export interface ListSemaphoresOptions {
  /**
   * Whether to look into the processes; true by default. Without it the list comes faster and has no
   * `processes`.
   */
  processes?: boolean;
}

/** What is known of a POSIX named semaphore. Times are milliseconds since 1970, with fractions. */
export interface NamedSemaphoreStat {
  /** The family of semaphores. */
  readonly kind: "posix";
  /** The name, without a leading slash and without what the C library puts before it. */
  readonly name: string;
  /** The number of permits at this moment; undefined when it could not be read. */
  readonly value: number | undefined;
  /**
   * Why there is no value: `EACCES` without the right to read it, `ERR_SHM_CORRUPT` when the file
   * bears a semaphore's name and can be none. Undefined when there is one.
   */
  readonly valueCode: ShmErrorCode | undefined;
  /** The permission bits, as in `0o600`. */
  readonly mode: number;
  /** The user who owns it. */
  readonly uid: number;
  /** The group that owns it. */
  readonly gid: number;
  /** When it was created. */
  readonly birthTimeMs: number;
  /** When its file was last written. Posts and waits do not count. */
  readonly modifyTimeMs: number;
  /** When its mode, owner or name last changed. */
  readonly changeTimeMs: number;
}

/** What is known of a POSIX named semaphore, and who holds it. */
export type NamedSemaphoreInfo = NamedSemaphoreStat & {
  /** The processes that have it open. */
  readonly processes: AttachedProcesses;
};

/** A semaphore, or a set of System V semaphores, of which the kernel does not tell who uses it. */
export type SemaphoreInfo = NamedSemaphoreInfo | SystemVSemaphoreStat;

/**
 * Lists the semaphores of this machine, whoever made them: POSIX named semaphores, with the
 * processes that have them open, and the sets of System V semaphores of this IPC namespace.
 *
 * A POSIX semaphore whose name was removed is not listed, even if it is still in use. Blocks for
 * about 0.1 ms per process on the machine. Nothing but `--allow-ffi` is needed in Deno.
 *
 * @param options What to list.
 * @returns POSIX semaphores by name, then System V sets as the kernel has them.
 * @throws {TypeError} When an option has the wrong type.
 * @throws {ShmError} `EACCES` and the like when the system does not tell, `EMFILE` when descriptors
 * run out.
 *
 * @example
 * ```ts
 * import { listSemaphores, NamedSemaphore } from "@shmkit/shmkit";
 *
 * using ready = NamedSemaphore.create("doc-listed-ready", { initialValue: 3 });
 * for (const semaphore of listSemaphores()) {
 *   if (semaphore.kind === "systemv") console.log(semaphore.id, semaphore.count);
 *   else console.log(semaphore.name, semaphore.value, semaphore.processes.length);
 * }
 * NamedSemaphore.unlink(ready.name);
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man7/sem_overview.7.html | sem_overview(7)}
 */
export function listSemaphores(
  options?: ListSemaphoresOptions & { processes?: true },
): SemaphoreInfo[];
/** Lists the semaphores of this machine, without looking into the processes. */
export function listSemaphores(
  options: ListSemaphoresOptions & { processes: false },
): (NamedSemaphoreStat | SystemVSemaphoreStat)[];
/** Lists the semaphores of this machine. */
export function listSemaphores(
  options: ListSemaphoresOptions,
): (SemaphoreInfo | NamedSemaphoreStat)[];
export function listSemaphores(
  options: ListSemaphoresOptions = {},
): (SemaphoreInfo | NamedSemaphoreStat)[] {
  const action = { verb: "list", noun: "semaphores" };
  checkOptions(action, options);
  const withProcesses = checkChoice(action, "processes", options.processes ?? true, BOOLEANS);
  const named = listNamed(action);
  const systemV = readSetTable(action);
  if (!withProcesses || named.length === 0) return [...named.map(({ stat }) => stat), ...systemV];
  const scan = scanProcesses(action, {
    devices: new Set(named.map(({ status }) => deviceOf(status))),
    identities: new Set(named.map(({ status }) => identityOf(status))),
    descriptors: true,
  });
  return [
    ...named.map(({ stat, status }) => ({
      ...stat,
      processes: scan.holdersOf(identityOf(status)),
    })),
    ...systemV,
  ];
}

interface NamedSemaphoreFile {
  readonly stat: NamedSemaphoreStat;
  readonly status: FileStatus;
}

/** Lists the POSIX semaphores. One that goes meanwhile is left out. */
function listNamed(action: Action): NamedSemaphoreFile[] {
  const directory = platform().sharedMemoryDirectory;
  const fileNames = listDirectory(directory);
  if (typeof fileNames === "number") throw failure(action, fileNames, "open");
  return fileNames.sort().flatMap((fileName) => {
    const status = statusOfPath(`${directory}/${fileName}`);
    if (typeof status === "number") {
      if (errorCode(status) === "ENOENT") return [];
      throw failure(action, status, "statx");
    }
    if (status.type !== "regular file") return [];
    const name = semaphoreName(fileName, status);
    if (name === undefined) return [];
    return [{ stat: toNamedStat(fileName, name, status), status }];
  });
}

function toNamedStat(fileName: string, name: string, status: FileStatus): NamedSemaphoreStat {
  return {
    kind: "posix",
    name,
    ...readValue(fileName, status),
    mode: status.mode,
    uid: status.uid,
    gid: status.gid,
    birthTimeMs: status.birthTimeMs,
    modifyTimeMs: status.modifyTimeMs,
    changeTimeMs: status.changeTimeMs,
  };
}

type Value = Pick<NamedSemaphoreStat, "value" | "valueCode">;

function readValue(fileName: string, listed: FileStatus): Value {
  const { O_RDONLY, O_NONBLOCK, O_CLOEXEC, O_NOFOLLOW } = platform().constants;
  const fd = shmOpen(fileName, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW, 0);
  if (fd < 0) return { value: undefined, valueCode: errorCode(fd) };
  const status = statusOf(fd);
  // It may be another file by now, which is none of this one's business.
  const isListed = typeof status !== "number" && identityOf(status) === identityOf(listed);
  const value = isListed && status.size === platform().sem_t.byteLength
    ? semValueInFile(fd)
    : undefined;
  close(fd);
  return { value, valueCode: value === undefined ? "ERR_SHM_CORRUPT" : undefined };
}
