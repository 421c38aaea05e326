/**
 * Freeing the slots of worker threads that were terminated.
 *
 * A runtime that terminates a worker closes no descriptor of it, so that the lock on its slot lasts as
 * long as the process. Only this process can end it, by the descriptor whose number stands in
 * the slot. Those of the thread's handles stand there, too: or a program that starts a thousand workers,
 * and terminates them, would run out of descriptors.
 *
 * P1: no living participant loses its lock. A slot whose byte is locked cannot be taken by anybody
 *     else, so that between the proof of the thread's death and the unlocking only another
 *     sweeper of this process could free it: and there is one at a time.
 * P2: no descriptor is closed but the dead one's: only the description that holds the lock does not
 *     see it. Its number cannot have come to somebody else, since nobody but a sweeper closes it.
 * P3: that of a handle is taken back from the slot before it is closed. So what stands there, in a slot
 *     that P2 has proven to be a dead thread's of this process, is still open, and nobody else's.
 *
 * @module
 */

import {
  close,
  type FileStatus,
  getpid,
  isByteLocked,
  isSameFile,
  lockByte,
  pidNamespace,
  statusOf,
} from "../../ffi/mod.ts";
import { HANDLES, SLOT_LOCKS, type Slots, SWEEP_LOCKS, WORD } from "./slots.ts";

/**
 * Frees the slots of this process whose threads have ended.
 *
 * @param fd Ours, of the object.
 * @param file The object.
 */
export function sweep(slots: Slots, fd: number, file: FileStatus): void {
  const namespace = pidNamespace();
  const pid = getpid();
  const ended: number[] = [];
  for (let slot = 0; slot < slots.count; slot++) {
    if (slots.load(slot, WORD.pid) !== pid) continue;
    if (slots.isThreadGone(slot, namespace)) ended.push(slot);
  }
  if (ended.length === 0) return;
  const turn = SWEEP_LOCKS + pid;
  if (lockByte(fd, "exclusive", turn) < 0) return; // another thread is at it
  for (const slot of ended) free(slots, slot, namespace, fd, file);
  lockByte(fd, "none", turn);
}

function free(
  slots: Slots,
  slot: number,
  namespace: number,
  fd: number,
  file: FileStatus,
): void {
  const byte = SLOT_LOCKS + slot;
  // Again, now that nobody else sweeps: it may have been done.
  if (!slots.isThreadGone(slot, namespace)) return;
  const descriptor = slots.load(slot, WORD.descriptor);
  const status = statusOf(descriptor);
  if (descriptor === fd || typeof status === "number" || !isSameFile(status, file)) return;
  // The kernel does not show a description its own lock: so it is this one's, and nobody else's.
  // (The words may be those of another process that had this number before, in a container.)
  if (isByteLocked(fd, byte) !== 1 || isByteLocked(descriptor, byte) !== 0) return;
  const handles = handlesOf(slots, slot); // before another can have the slot
  lockByte(descriptor, "none", byte);
  if (lockByte(fd, "exclusive", byte) >= 0) { // or another process was faster
    slots.store(slot, WORD.thread, 0);
    lockByte(fd, "none", byte);
  }
  close(descriptor);
  for (const handle of handles) {
    const status = statusOf(handle);
    // Something may have been written over the slot: no participant is to lose its lock by that.
    if (isParticipants(slots, handle) || handle === fd) continue;
    if (typeof status !== "number" && isSameFile(status, file)) close(handle);
  }
}

/** The descriptors of the handles of a thread. */
function handlesOf(slots: Slots, slot: number): number[] {
  return Array.from({ length: HANDLES }, (_, at) => slots.load(slot, WORD.handles + at) - 1)
    .filter((descriptor) => descriptor >= 0);
}

/** Whether a descriptor holds the lock of a slot. */
function isParticipants(slots: Slots, descriptor: number): boolean {
  const pid = getpid();
  for (let slot = 0; slot < slots.count; slot++) {
    const isOwn = slots.load(slot, WORD.pid) === pid && slots.load(slot, WORD.thread) !== 0;
    if (isOwn && slots.load(slot, WORD.descriptor) === descriptor) return true;
  }
  return false;
}
