/**
 * What can be known of shared memory from outside: its facts, and the processes that hold it.
 *
 * @module
 */

import type { SystemErrorCode } from "../errors.ts";

/** A range of a process's address space in which shared memory is mapped. */
export interface AttachedMapping {
  /** The first address, in that process: `0x7f3c5a400000`. It means nothing in another one. */
  readonly start: string;
  /** The address behind the last byte. */
  readonly end: string;
  /** The length, in bytes: whole pages. */
  readonly byteLength: number;
  /** Where in the memory the range starts, in bytes. */
  readonly byteOffset: number;
  /** What the process may do with it, as `/proc/<pid>/maps` has it: `rw-s`. */
  readonly access: string;
}

/** A process that holds shared memory, by a mapping or by an open descriptor. */
export interface AttachedProcess {
  /** Its id, in the PID namespace of whoever asks. */
  readonly pid: number;
  /** The name of its program, as `ps -o comm` shows it: at most 15 bytes, raw. */
  readonly command: string;
  /** The user it runs as. */
  readonly uid: number;
  /** Where it is mapped; empty when there are only descriptors. */
  readonly mappings: readonly AttachedMapping[];
  /** The descriptors of it that are open; System V segments have none. */
  readonly descriptors: readonly number[];
}

/** A process that could not be looked into: it belongs to somebody else. */
export interface UnreadableProcess {
  /** Its id. */
  readonly pid: number;
  /** The name of its program, or undefined when even that is hidden. */
  readonly command: string | undefined;
  /** The user it runs as, or undefined when even that is hidden. */
  readonly uid: number | undefined;
  /** Why: `EACCES`, as a rule. */
  readonly code: SystemErrorCode;
}

/** The processes that hold some shared memory, and those of which that cannot be told. */
export interface AttachedProcesses extends ReadonlyArray<AttachedProcess> {
  /** Processes that may hold it, too. Empty when the list is complete. */
  readonly unreadable: readonly UnreadableProcess[];
  /**
   * Whether the system hides the processes of other users, so that not even `unreadable` has them:
   * `/proc` is mounted with `hidepid=invisible`, and this process has no right to see them.
   */
  readonly hidden: boolean;
}

/**
 * What the kernel knows of a segment. Times are milliseconds since 1970, with fractions.
 *
 * @see {@link https://man7.org/linux/man-pages/man2/statx.2.html | statx(2)}
 */
export interface SegmentStat {
  /** The family: of a name in shared memory, anonymous, or a file elsewhere. */
  readonly kind: "posix" | "memfd" | "file";
  /** The name, without a leading slash; of anonymous memory its label; of a file its path. */
  readonly name: string;
  /** The size at this moment, in bytes. A peer may have changed it since the segment was opened. */
  readonly size: number;
  /** The memory that is taken (or swapped out), in bytes: whole pages, without holes. */
  readonly residentBytes: number;
  /** The permission bits, as in `0o600`. */
  readonly mode: number;
  /** The user who owns it. */
  readonly uid: number;
  /** The group that owns it. */
  readonly gid: number;
  /** Whether it has a name still; without one it is freed when the last process closes it. */
  readonly linked: boolean;
  /** When it was created. */
  readonly birthTimeMs: number;
  /** When it was last read by read(2). Access through a mapping does not count. */
  readonly accessTimeMs: number;
  /** When it was last written or resized. Most access through a mapping does not count. */
  readonly modifyTimeMs: number;
  /** When its mode, owner, name or size last changed. */
  readonly changeTimeMs: number;
}

/**
 * What the kernel knows of a System V segment. Times are milliseconds since 1970, of which the
 * kernel counts whole seconds; 0 means never.
 *
 * @see {@link https://man7.org/linux/man-pages/man2/shmctl.2.html | shmctl(2)}
 */
export interface SystemVStat {
  /** The family of shared memory. */
  readonly kind: "systemv";
  /** The number by which processes attach to it. */
  readonly id: number;
  /** The number by which it was created, from 1 to 2^32 - 1; 0 when it is private or removed. */
  readonly key: number;
  /** The size, in bytes, exactly as it was asked for. */
  readonly size: number;
  /** The memory that is taken, in bytes: whole pages, swapped ones included. */
  readonly residentBytes: number;
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
  /** How many times it is attached now; one process may do so more than once. */
  readonly attached: number;
  /** The process that created it; it may be gone. */
  readonly creatorPid: number;
  /** The process that last attached or detached; 0 for none. */
  readonly lastPid: number;
  /** When it was last attached to. */
  readonly attachTimeMs: number;
  /** When it was last detached from. */
  readonly detachTimeMs: number;
  /** When it was created, or its owner or mode last changed. */
  readonly changeTimeMs: number;
  /** Whether it is freed at the last detach. */
  readonly removed: boolean;
  /** Whether it is kept out of swap. */
  readonly locked: boolean;
}

/**
 * Memory without a name of which only the mappings are known: nobody has a descriptor of it that
 * could be looked at, and looking through the mapping takes a right (`CAP_SYS_ADMIN`).
 */
export type MappedStat = {
  /** The family of shared memory. */
  readonly kind: "posix" | "memfd";
  /** The name that it had, without a leading slash; of anonymous memory its label. */
  readonly name: string;
  /** It has no name any more, and is freed when the last process unmaps it. */
  readonly linked: false;
} & { readonly [Fact in Exclude<keyof SegmentStat, "kind" | "name" | "linked">]: undefined };

/** What is known of a segment, and who holds it. */
export type SegmentInfo = (SegmentStat | SystemVStat | MappedStat) & {
  /** The processes that hold it. */
  readonly processes: AttachedProcesses;
};
