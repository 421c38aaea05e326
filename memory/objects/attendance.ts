/**
 * Who is attached to an object that goes with the last of them.
 *
 * Each holds a shared lock on one byte ({@linkcode LIFETIME_LOCK}), which the kernel drops when its
 * memory goes, whatever it dies of. Whoever gets the lock exclusively is alone, and nobody can attach
 * meanwhile: then, and only then, the name is removed.
 *
 *     attach: open, lock (shared), look whether the name is still there; else open anew
 *     detach: unlock, lock (exclusive); whoever gets it removes the name and closes
 *
 * P1: an object that somebody is attached to keeps its name. Removing needs the exclusive lock, which
 *     nobody gets while one shared lock is held; and whoever attaches looks at the link count
 *     after it has locked, so that it has seen every removal that was before.
 * P2: the name goes in the end. Of those who detach, the last to unlock finds no lock of another and
 *     gets the exclusive one, unless a newcomer has attached, whose turn it is then. After a crash
 *     it is the turn of whoever opens or creates the name next, or of `shm gc`.
 *
 * @module
 */

import type { Action } from "../../errors.ts";
import { errorCode, failure, isByteLocked, lockByte } from "../../ffi/mod.ts";
import { LIFETIME_LOCK } from "./trailer.ts";

/**
 * What came of attaching. `"abandoned"`: nobody was attached, and the lock is held exclusively where
 * the descriptor can write. `"busy"`: somebody is just looking whether it can be removed.
 */
export type Attendance = "attached" | "abandoned" | "busy";

/** Counts an open file description among those who are attached. */
export function attend(action: Action, fd: number, writable: boolean): Attendance {
  if (writable) {
    if (isAlone(action, fd)) return "abandoned";
  } else {
    const locked = isByteLocked(fd, LIFETIME_LOCK);
    if (locked < 0) throw failure(action, locked, "fcntl");
    if (locked === 0) return "abandoned";
  }
  return take(action, fd, "shared") ? "attached" : "busy";
}

/** Counts the creator among those who are attached: nobody else can know of the file. */
export function attendFirst(action: Action, fd: number): void {
  if (!take(action, fd, "shared")) throw new TypeError("A new file cannot have been locked");
}

/** Ends what {@linkcode attend} has begun. */
export function leave(action: Action, fd: number): void {
  const unlocked = lockByte(fd, "none", LIFETIME_LOCK);
  if (unlocked < 0) throw failure(action, unlocked, "fcntl");
}

/** Locks exclusively, which nobody can while somebody is attached. @returns Whether it could. */
export function isAlone(action: Action, fd: number): boolean {
  return take(action, fd, "exclusive");
}

function take(action: Action, fd: number, lock: "shared" | "exclusive"): boolean {
  const result = lockByte(fd, lock, LIFETIME_LOCK);
  if (result >= 0) return true;
  if (errorCode(result) === "EAGAIN") return false;
  throw failure(action, result, "fcntl");
}
