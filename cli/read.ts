/**
 * Reading objects, whoever made them, without being harmed by what their owners do meanwhile.
 *
 * A POSIX object is read through its descriptor and never mapped: one that is cut off is a short
 * read, and not a signal. A System V segment, which cannot be cut off, is attached read-only.
 *
 * @module
 */

import { stateError } from "../errors.ts";
import {
  close,
  failure,
  platform,
  readAt,
  runtimeServices,
  semFileName,
  shmOpen,
  statusOf,
} from "../ffi/mod.ts";
import { type ObjectHeader, readHeader } from "../memory/objects/header.ts";
import { SystemVSegment } from "../mod.ts";
import { UsageError } from "./exit_codes.ts";
import { actionOn, type Target } from "./target.ts";

/** An object that is being read. */
export interface Source extends Disposable {
  /** Its size when it was opened. */
  readonly size: number;
  /** Of a POSIX object, the descriptor that it is read through: nobody else's, as long as it is open. */
  readonly fd: number | undefined;
  /** Reads a range; gives fewer bytes where it has none any more. */
  read(byteOffset: number, byteLength: number): Uint8Array;
  /**
   * Reads what it says about itself; undefined when it says nothing.
   *
   * @throws {ShmError} `ERR_SHM_CORRUPT`.
   */
  header(): ObjectHeader | undefined;
}

/** Opens an object for reading; throws a `ShmError` when it cannot be. */
export function openSource(target: Target): Source {
  switch (target.kind) {
    case "semset":
      throw new UsageError("a set of System V semaphores has no bytes");
    case "systemv":
      return openSystemV(target.id === undefined ? { key: target.key } : { id: target.id });
    default:
      return openFile(target);
  }
}

function openSystemV(which: { id: number } | { key: number }): Source {
  const segment = SystemVSegment.open(which, { readonly: true, trust: "anyone" });
  const { size } = segment;
  const isViewable = size <= runtimeServices().maxBufferByteLength;
  return {
    size,
    fd: undefined,
    read(byteOffset, byteLength) {
      const length = Math.max(0, Math.min(byteLength, size - byteOffset));
      if (length === 0) return new Uint8Array(0);
      if (isViewable) return segment.copy(byteOffset, length);
      using window = segment.window(byteOffset, length);
      return window.copy();
    },
    header: () => undefined,
    [Symbol.dispose]: () => segment.close(),
  };
}

function openFile(target: Target & { kind: "posix" | "semaphore" }): Source {
  const { O_RDONLY } = platform().constants;
  const { fd, size } = openObject(target, "read", O_RDONLY);
  return {
    size,
    fd: target.kind === "posix" ? fd : undefined,
    read(byteOffset, byteLength) {
      const bytes = readAt(fd, byteOffset, byteLength);
      if (typeof bytes === "number") throw failure(actionOn("read", target), bytes, "pread");
      return bytes;
    },
    header: () =>
      target.kind === "posix" ? readHeader(actionOn("read", target), fd, size) : undefined,
    [Symbol.dispose]: () => close(fd),
  };
}

/**
 * Opens the file of a POSIX object, without following and without waiting.
 *
 * @returns Its descriptor, which the caller closes, and its size.
 */
export function openObject(
  target: Target & { kind: "posix" | "semaphore" },
  verb: string,
  access: number,
): { readonly fd: number; readonly size: number } {
  const action = actionOn(verb, target);
  const fileName = target.kind === "semaphore" ? semFileName(target.name) : target.name;
  const { O_NONBLOCK, O_CLOEXEC, O_NOFOLLOW } = platform().constants;
  const fd = shmOpen(fileName, access | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW, 0);
  if (fd < 0) throw failure(action, fd, target.kind === "posix" ? "shm_open" : "sem_open");
  const status = statusOf(fd);
  if (typeof status !== "number" && status.type === "regular file") {
    return { fd, size: status.size };
  }
  close(fd);
  if (typeof status === "number") throw failure(action, status, "statx");
  const reason = `the name belongs to a ${status.type}`;
  throw stateError(action, "ERR_SHM_KIND", reason, "Find out who put it there; shm rm removes it.");
}

/** A range of bytes that lies within an object. */
export interface Range {
  readonly byteOffset: number;
  readonly byteLength: number;
}

/** What is read at a time. */
const PIECE_BYTE_LENGTH = 256 * 1024;

/** Reads a range piece by piece. It ends early where the object has become shorter. */
export function* pieces(source: Source, { byteOffset, byteLength }: Range): Generator<Uint8Array> {
  const end = byteOffset + byteLength;
  for (let at = byteOffset; at < end;) {
    const piece = source.read(at, Math.min(PIECE_BYTE_LENGTH, end - at));
    if (piece.length === 0) return;
    yield piece;
    at += piece.length;
  }
}

/** The range that `--offset` and `--length` ask for, as far as the object has it. */
export function rangeOf(
  target: Target,
  size: number,
  byteOffset: number = 0,
  byteLength: number = Infinity,
): Range {
  if (byteOffset <= size) {
    return { byteOffset, byteLength: Math.min(byteLength, size - byteOffset) };
  }
  const reason = `it ends at ${size}, before offset ${byteOffset}`;
  throw stateError(actionOn("read", target), "ERR_SHM_SIZE", reason, "Ask for a lower --offset.");
}

/** The error of an object that has become shorter. */
export function cutOff(target: Target, { byteLength }: Range, read: number): Error {
  const reason = `it became shorter meanwhile: ${read} of ${byteLength} bytes could be read`;
  return stateError(
    actionOn("read", target),
    "ERR_SHM_SIZE",
    reason,
    "Ask who changes it: shm ps.",
  );
}
