/**
 * What the writable and the read-only segment have in common: a descriptor, a mapping, a name.
 *
 * @module
 */

import { type Action, stateError } from "../errors.ts";
import {
  close,
  failure,
  type FileStatus,
  Mapping,
  platform,
  refusal,
  runtimeServices,
  statusOf,
} from "../ffi/mod.ts";
import { type Attached, nameLeadsTo, removeName } from "./attach.ts";
import { reservePages } from "./create.ts";

/**
 * What the kernel knows of a segment. Times are milliseconds since 1970, with fractions.
 *
 * @see {@link https://man7.org/linux/man-pages/man2/statx.2.html | statx(2)}
 */
export interface SegmentStat {
  /** The family of shared memory. */
  readonly kind: "posix";
  /** The name, without a leading slash. */
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

/** Warns when a handle is collected that was never closed: its memory can never be given back. */
const leaks = new FinalizationRegistry<string>((name) => {
  runtimeServices().warn(
    `segment ${JSON.stringify(name)} was garbage-collected without close(): its memory stays ` +
      "attached until the process ends. Declare it with `using`, or call close().",
  );
});

/** How a file is mapped. */
export interface MappingOptions {
  /** The length to map, in bytes. */
  readonly size: number;
  readonly writable: boolean;
  /** Whether to fill holes of the file first. */
  readonly fillHoles: boolean;
}

/** An attached POSIX segment. */
export class SegmentHandle {
  readonly name: string;
  readonly size: number;
  /** Whether the bytes may be written: decided once, whatever becomes of the options. */
  readonly writable: boolean;
  readonly #fd: number;
  readonly #mapping: Mapping;
  readonly #file: FileStatus;
  #closed = false;

  /** Maps an open file. Takes the descriptor over when that succeeds. */
  constructor(action: Action, name: string, file: Attached, options: MappingOptions) {
    this.name = name;
    this.#fd = file.fd;
    this.size = options.size;
    this.writable = options.writable;
    this.#file = file.status;
    this.#mapping = map(action, file, options);
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** The descriptor; throws when the segment is closed, because it may be another file's then. */
  get fd(): number {
    this.assertOpen("use the descriptor of");
    return this.#fd;
  }

  /** Throws when the segment is closed. */
  assertOpen(verb: string): void {
    if (this.#closed) {
      throw stateError(
        { verb, noun: "segment", name: this.name },
        "ERR_SHM_CLOSED",
        "this handle is closed",
        "Open the segment again.",
      );
    }
  }

  /** The buffer over the bytes; throws when there is none any more, or none that long. */
  buffer(verb: string): ArrayBuffer {
    this.assertOpen(verb);
    if (!this.#mapping.isViewable) {
      throw new RangeError(
        `Cannot ${verb} segment ${JSON.stringify(this.name)}: its ${this.size} bytes do not fit ` +
          `into one ArrayBuffer of this runtime, which ends at ${runtimeServices().maxBufferByteLength}`,
      );
    }
    const buffer = this.#mapping.buffer;
    if (buffer.detached) {
      throw stateError(
        { verb, noun: "segment", name: this.name },
        "ERR_SHM_CLOSED",
        "its buffer was transferred away",
        "Close this handle and open the segment again; pass copies to whatever takes buffers over.",
      );
    }
    return buffer;
  }

  stat(): SegmentStat {
    this.assertOpen("stat");
    const status = statusOf(this.#fd);
    if (typeof status === "number") {
      throw failure({ verb: "stat", noun: "segment", name: this.name }, status, "statx");
    }
    return {
      kind: "posix",
      name: this.name,
      size: status.size,
      residentBytes: status.residentBytes,
      mode: status.mode,
      uid: status.uid,
      gid: status.gid,
      linked: status.linkCount > 0,
      birthTimeMs: status.birthTimeMs,
      accessTimeMs: status.accessTimeMs,
      modifyTimeMs: status.modifyTimeMs,
      changeTimeMs: status.changeTimeMs,
    };
  }

  /** Removes the name if it still leads to this segment. */
  unlink(): boolean {
    const action = { verb: "unlink", noun: "segment" };
    return nameLeadsTo(action, this.name, this.#file) && removeName(action, this.name);
  }

  /** Warns when the given object is collected before `close()`. */
  watch(owner: object): void {
    leaks.register(owner, this.name, this);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    leaks.unregister(this);
    this.#mapping.close();
    close(this.#fd);
  }
}

function map(action: Action, { fd, status }: Attached, options: MappingOptions): Mapping {
  const { size, writable, fillHoles } = options;
  const hasHoles = fillHoles && status.residentBytes < size;
  if (hasHoles && writable) reservePages(action, fd, size, status.residentBytes);
  const mapping = Mapping.map(fd, size, writable);
  if (typeof mapping === "number") throw failure(action, mapping, "mmap");
  if (hasHoles && !writable) {
    const populated = mapping.populateForReading();
    const error = populated < 0 ? failure(action, populated, "madvise") : undefined;
    if (error !== undefined && error.code !== "EINVAL") { // EINVAL: a kernel before 5.14
      mapping.close();
      // EFAULT: a page would have raised SIGBUS.
      if (error.code !== "EFAULT") throw error;
      throw refusal(
        action,
        "ENOSPC",
        "madvise",
        `Only ${status.residentBytes} of its ${size} bytes are present: create it with its pages ` +
          `reserved, or enlarge ${platform().sharedMemoryDirectory} (containers: --shm-size).`,
      );
    }
  }
  return mapping;
}
