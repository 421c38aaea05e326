/**
 * Opening an object that somebody else may have made, without believing anything of it.
 *
 * Anyone on the machine can put anything under a name in the shared-memory directory. So the open
 * never follows a link and never waits (a FIFO would make it), and what was opened is looked at by
 * its descriptor, which cannot be exchanged for something else any more.
 *
 * @module
 */

import { type Action, stateError } from "../../errors.ts";
import {
  close,
  failure,
  type FileStatus,
  geteuid,
  isSameFile,
  platform,
  shmOpen,
  shmUnlink,
  statusOf,
  statusOfPath,
  unlink,
} from "../../ffi/mod.ts";
import type { Trust } from "../options.ts";
import type { OpenFile } from "./segment_handle.ts";

/** How an object is opened. */
export interface Access {
  readonly writable: boolean;
  readonly trust: Trust;
}

/**
 * Opens a shared-memory object and checks it; throws a `ShmError` for anything suspicious.
 *
 * @param action What is being done, with the checked name.
 * @param fileName The name of its file, where it differs (semaphores).
 */
export function attach(
  action: Action & { readonly name: string },
  access: Access,
  fileName: string = action.name,
): OpenFile {
  const fd = openForAttach(fileName, access.writable);
  if (fd < 0) throw failure(action, fd, "shm_open");
  try {
    const status = statusOf(fd);
    if (typeof status === "number") throw failure(action, status, "statx");
    checkRegular(action, status);
    checkLinks(action, status);
    checkOwner(action, status, access.trust);
    return { fd, status };
  } catch (error) {
    close(fd);
    throw error;
  }
}

/** Opens without following, without waiting. @returns A descriptor, or a negative error number. */
function openForAttach(fileName: string, writable: boolean): number {
  const { O_RDONLY, O_RDWR, O_NONBLOCK, O_CLOEXEC, O_NOFOLLOW } = platform().constants;
  const flags = (writable ? O_RDWR : O_RDONLY) | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW;
  return shmOpen(fileName, flags, 0);
}

/** Throws for anything but a regular file, which all shared memory is. */
export function checkRegular(action: Action, status: FileStatus): void {
  if (status.type === "regular file") return;
  throw stateError(
    action,
    "ERR_SHM_KIND",
    `${action.noun === "segment" ? "the name" : "it"} belongs to a ${status.type}`,
    "Find out who put it there; remove it, or choose another name.",
  );
}

function checkLinks(action: Action, status: FileStatus): void {
  if (status.linkCount <= 1) return;
  throw stateError(
    action,
    "ERR_SHM_TRUST",
    `it has ${status.linkCount} names (hard links), one of which somebody else may control`,
    "Find out who linked it; remove it, or choose another name.",
  );
}

/**
 * Throws unless this user alone decides about the bytes, or anyone may.
 *
 * @param others Users who are trusted besides.
 * @param anonymous Whether it is memory that never had a name. Its mode says nothing: there is no
 * way to it but through a process that has it, and those of other users are closed. The kernel gives
 * it 0777, and so do programs that call memfd_create(2).
 */
export function checkOwner(
  action: Action,
  status: FileStatus,
  trust: Trust,
  { others = [], anonymous = false }: { others?: readonly number[]; anonymous?: boolean } = {},
): void {
  if (trust === "anyone") return;
  const user = geteuid();
  if (status.uid !== user && !others.includes(status.uid)) {
    throw stateError(
      action,
      "ERR_SHM_TRUST",
      `it is owned by user ${status.uid}, and this process runs as user ${user}`,
      'Open it with { trust: "anyone" } if that user may change or cut off its bytes at any time.',
    );
  }
  if (!anonymous && (status.mode & 0o002) !== 0) {
    throw stateError(
      action,
      "ERR_SHM_TRUST",
      `every user may write to it (mode 0o${status.mode.toString(8)})`,
      'Open it with { trust: "anyone" } if that is intended, or create it with a narrower mode.',
    );
  }
}

/** Whether there is anything under a name, readable or not. */
export function nameExists(action: Action, name: string, fileName: string = name): boolean {
  const fd = openForAttach(fileName, false);
  if (fd >= 0) {
    close(fd);
    return true;
  }
  const error = failure({ ...action, name }, fd, "shm_open");
  if (error.code === "ENOENT") return false;
  // What cannot be opened is there all the same: without rights, a link, a socket.
  if (["EACCES", "EPERM", "ELOOP", "ENXIO", "EINVAL", "EISDIR"].includes(error.code)) return true;
  throw error;
}

/** Removes a name. @returns Whether there was anything to remove. */
export function removeName(action: Action, name: string): boolean {
  const result = shmUnlink(name);
  if (result >= 0) return true;
  const error = failure({ ...action, name }, result, "shm_unlink");
  if (error.code === "ENOENT") return false;
  throw error;
}

/** Removes a path. @returns Whether there was anything to remove. */
export function removePath(action: Action, path: string): boolean {
  const result = unlink(path);
  if (result >= 0) return true;
  const error = failure(action, result, "unlink");
  if (error.code === "ENOENT") return false;
  throw error;
}

/** Whether a name still leads to the given file, and not to a later one of the same name. */
export function nameLeadsTo(action: Action, name: string, file: FileStatus): boolean {
  return pathLeadsTo({ ...action, name }, `${platform().sharedMemoryDirectory}/${name}`, file);
}

/** Whether a path still leads to the given file. */
export function pathLeadsTo(action: Action, path: string, file: FileStatus): boolean {
  const status = statusOfPath(path);
  if (typeof status !== "number") return isSameFile(status, file);
  const error = failure(action, status, "statx");
  if (error.code === "ENOENT") return false;
  throw error;
}
