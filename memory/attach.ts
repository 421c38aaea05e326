/**
 * Opening an object that somebody else may have made, without believing anything of it.
 *
 * Anyone on the machine can put anything under a name in the shared-memory directory. So the open
 * never follows a link and never waits (a FIFO would make it), and what was opened is looked at by
 * its descriptor, which cannot be exchanged for something else any more.
 *
 * @module
 */

import { type Action, stateError } from "../errors.ts";
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
} from "../ffi/mod.ts";
import type { Trust } from "./options.ts";

/** An object that was opened and found to be what it should. */
export interface Attached {
  readonly fd: number;
  readonly status: FileStatus;
}

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
): Attached {
  const fd = openForAttach(fileName, access.writable);
  if (fd < 0) throw failure(action, fd, "shm_open");
  try {
    const status = statusOf(fd);
    if (typeof status === "number") throw failure(action, status, "statx");
    checkStatus(action, status, access.trust);
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

function checkStatus(action: Action, status: FileStatus, trust: Trust): void {
  if (status.type !== "regular file") {
    throw stateError(
      action,
      "ERR_SHM_KIND",
      `the name belongs to a ${status.type}`,
      "Find out who put it there; remove it, or choose another name.",
    );
  }
  if (status.linkCount > 1) {
    throw stateError(
      action,
      "ERR_SHM_TRUST",
      `it has ${status.linkCount} names (hard links), one of which somebody else may control`,
      "Find out who linked it; remove it, or choose another name.",
    );
  }
  if (trust === "anyone") return;
  const user = geteuid();
  if (status.uid !== user) {
    throw stateError(
      action,
      "ERR_SHM_TRUST",
      `it is owned by user ${status.uid}, and this process runs as user ${user}`,
      'Open it with { trust: "anyone" } if that user may change or cut off its bytes at any time.',
    );
  }
  if ((status.mode & 0o002) !== 0) {
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

/** Whether a name still leads to the given file, and not to a later one of the same name. */
export function nameLeadsTo(action: Action, name: string, file: FileStatus): boolean {
  const status = statusOfPath(`${platform().sharedMemoryDirectory}/${name}`);
  if (typeof status !== "number") return isSameFile(status, file);
  const error = failure({ ...action, name }, status, "statx");
  if (error.code === "ENOENT") return false;
  throw error;
}
