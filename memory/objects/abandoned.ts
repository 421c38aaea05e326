/**
 * Removing objects that go with the last who is attached: by that one, or, if it has died, by whoever
 * comes next.
 *
 * @module
 */

import { ShmError } from "../../errors.ts";
import { close, type FileStatus } from "../../ffi/mod.ts";
import { attach } from "../files/attach.ts";
import { nameIdentity } from "../files/identity.ts";
import type { OpenFile } from "../files/segment_handle.ts";
import { isAlone, leave } from "./attendance.ts";
import { type NamedAction, readHeader } from "./header.ts";

/**
 * Removes an object that goes with the last who is attached, if that one has died.
 *
 * @returns Whether the name is free now.
 */
export function removeIfAbandoned(action: NamedAction): boolean {
  let file: OpenFile;
  try {
    file = attach(action, { writable: true, trust: "anyone" });
  } catch (error) {
    return error instanceof ShmError && error.code === "ENOENT";
  }
  const { fd, status } = file;
  try {
    const header = readHeader(action, fd, status.size);
    if (header?.lifetime !== "lastDetach" || !isAlone(action, fd)) return false;
    nameIdentity(action.name, action.noun).unlink(status);
    return true;
  } catch {
    return false; // what it is, and whose, does not matter to whoever finds the name taken
  } finally {
    close(fd);
  }
}

/** What somebody was attached by. */
export interface Attended {
  readonly fd: number;
  readonly status: FileStatus;
  readonly writable: boolean;
}

/**
 * Ends the attendance of a descriptor, and removes the name when nobody else is attached. The
 * descriptor is to be closed next.
 */
export function leaveAndRemove(action: NamedAction, { fd, status, writable }: Attended): void {
  leave(action, fd);
  if (!writable) {
    removeIfAbandoned(action); // by a descriptor that may lock exclusively, if there is a right to it
  } else if (isAlone(action, fd)) {
    // The lock is kept until the descriptor is closed: whoever comes meanwhile finds no name.
    nameIdentity(action.name, action.noun).unlink(status);
  }
}
