/**
 * Making sure that memory is there before anybody counts on it.
 *
 * @module
 */

import type { Action } from "../../errors.ts";
import {
  availableBytes,
  errorCode,
  failure,
  fallocate,
  ftruncate,
  maxFileByteLength,
  platform,
  refusal,
} from "../../ffi/mod.ts";
import { freeMemory } from "../free_memory.ts";
import type { SegmentStat } from "../segment_info.ts";

/** Interrupted reservations start over, so that one call must not take long: about 16 ms. */
const RESERVE_CHUNK = 64 * 2 ** 20;
const MIN_RESERVE_CHUNK = 64 * 2 ** 10;

/** What is to be reserved. */
export interface Reservation {
  /** What kind of segment the file is of. */
  readonly kind: SegmentStat["kind"];
  readonly size: number;
  /** How much is there already. */
  readonly present?: number;
}

/**
 * Reserves memory for every page of a file, without changing its size or contents, so that a lack
 * of memory is an error now and not a fatal SIGBUS at some later access.
 */
export function reservePages(
  action: Action,
  fd: number,
  { kind, size, present = 0 }: Reservation,
): void {
  const { FALLOC_FL_KEEP_SIZE } = platform().constants;
  // Asked for in one piece, it would first take all that there is.
  const needed = size - present;
  const available = availableBytes(fd);
  if (available !== undefined && needed > available) {
    const where = kind === "file" ? "its file system" : platform().sharedMemoryDirectory;
    throw refusal(
      action,
      "ENOSPC",
      "fallocate",
      `It needs ${needed} bytes and ${available} are left in ${where}. Remove objects that are no ` +
        "longer needed, or enlarge it (containers: --shm-size).",
    );
  }
  if (kind !== "file") checkFreeMemory(action, needed);
  let chunk = RESERVE_CHUNK;
  for (let byteOffset = 0; byteOffset < size;) {
    const byteLength = Math.min(chunk, size - byteOffset);
    const result = fallocate(fd, FALLOC_FL_KEEP_SIZE, byteOffset, byteLength);
    if (result >= 0) {
      byteOffset += byteLength;
    } else if (errorCode(result) === "EINTR") {
      // A profiler's signals may come faster than a chunk is done.
      chunk = Math.max(chunk / 2, MIN_RESERVE_CHUNK);
    } else {
      throw failure(action, result, "fallocate");
    }
  }
}

/** Up to here, what is free is not asked for: it takes 50 us. */
const UNCHECKED_BYTE_LENGTH = 16 * 2 ** 20;

/**
 * Throws when the machine, or the container, has not so much memory left: taking it would not be
 * refused, but have the kernel kill some process.
 */
export function checkFreeMemory(action: Action, needed: number): void {
  if (needed <= UNCHECKED_BYTE_LENGTH) return;
  const free = freeMemory();
  if (needed <= free) return;
  throw refusal(
    action,
    "ENOMEM",
    "fallocate",
    `It needs ${needed} bytes and ${free} are free on this machine or in this container. Ask for ` +
      "less, or for { reserve: false } if most of it is never used.",
  );
}

/** A file past this process's limit would not be refused but raise SIGXFSZ. */
export function checkFileLimit(action: Action, size: number): void {
  const limit = maxFileByteLength();
  if (size <= limit) return;
  throw refusal(
    action,
    "EFBIG",
    "ftruncate",
    `Its ${size} bytes are more than the limit of ${limit} bytes: raise it (\`ulimit -f\`).`,
  );
}

/**
 * Makes a file at least so long, never shorter, whatever others do at the same time.
 *
 * @returns 0, or a negative error number.
 */
export function extend(fd: number, size: number): number {
  let result: number;
  do {
    result = fallocate(fd, 0, size - 1, 1);
  } while (result < 0 && errorCode(result) === "EINTR");
  // A file system without it: nothing but the size can be set.
  return result < 0 && errorCode(result) === "EOPNOTSUPP" ? ftruncate(fd, size) : result;
}
