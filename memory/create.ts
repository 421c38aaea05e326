/**
 * Making a shared-memory object that appears under its name complete or not at all.
 *
 * The file is made without a name (`O_TMPFILE`), gets its mode, its pages and its size, is mapped
 * by its creator, and only then gets its name. A process that is killed on the way leaves nothing:
 * the kernel frees a file without name and descriptor. Where that is not possible (gVisor, or no
 * `/proc`), the file is made under its name, stays empty until everything else is done, and gets its
 * size last: whoever opens it earlier sees that it is not ready yet. Killed there, an empty file
 * remains.
 *
 * @module
 */

import type { Action, ShmError } from "../errors.ts";
import {
  availableBytes,
  canLinkDescriptors,
  close,
  failure,
  fallocate,
  fchmod,
  ftruncate,
  linkDescriptor,
  maxFileByteLength,
  open,
  platform,
  refusal,
  shmOpen,
  shmUnlink,
} from "../ffi/mod.ts";

/** What to make. */
export interface Creation {
  readonly name: string;
  readonly size: number;
  readonly mode: number;
  readonly reserve: boolean;
}

/** An object that nobody else can open yet. */
export interface Draft {
  /** Its descriptor, open for reading and writing. Whoever publishes or discards it owns it. */
  readonly fd: number;
  /** Lets others open it. Throws when the name is taken meanwhile. */
  publish(): void;
  /** Removes every trace but the descriptor, which the caller closes. */
  discard(): void;
}

/** Interrupted reservations start over, so that one call must not take long: about 16 ms. */
const RESERVE_CHUNK = 64 * 2 ** 20;

/** Whether a file without a name can get one here: unknown at first. */
let canLink: boolean | undefined;

/** Makes an object with its mode and memory, to be published under a name that must be free. */
export function draftObject(action: Action, creation: Creation): Draft {
  checkFileLimit(action, creation.size);
  canLink ??= probeLinking(action);
  return (canLink ? draftUnnamed(action, creation) : undefined) ?? draftInPlace(action, creation);
}

function draftUnnamed(action: Action, creation: Creation): Draft | undefined {
  const { O_RDWR, O_CLOEXEC, O_TMPFILE } = platform().constants;
  const directory = platform().sharedMemoryDirectory;
  const fd = open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0o600);
  if (fd < 0) {
    const error = failure(action, fd, "open");
    if (isUnsupported(error)) return undefined;
    throw error;
  }
  try {
    prepare(action, fd, creation);
    resize(action, fd, creation.size);
  } catch (error) {
    close(fd);
    throw error;
  }
  return {
    fd,
    publish() {
      const linked = linkDescriptor(fd, `${directory}/${creation.name}`);
      if (linked < 0) throw failure(action, linked, "linkat");
    },
    discard() {},
  };
}

function draftInPlace(action: Action, creation: Creation): Draft {
  const { O_RDWR, O_CREAT, O_EXCL, O_CLOEXEC } = platform().constants;
  const { name, size } = creation;
  const fd = shmOpen(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600);
  if (fd < 0) throw failure(action, fd, "shm_open");
  try {
    prepare(action, fd, creation);
  } catch (error) {
    shmUnlink(name);
    close(fd);
    throw error;
  }
  return {
    fd,
    publish: () => resize(action, fd, size),
    discard: () => void shmUnlink(name),
  };
}

function prepare(action: Action, fd: number, { size, mode, reserve }: Creation): void {
  const result = fchmod(fd, mode);
  if (result < 0) throw failure(action, result, "fchmod");
  if (reserve) reservePages(action, fd, size);
}

function resize(action: Action, fd: number, size: number): void {
  const result = ftruncate(fd, size);
  if (result < 0) throw failure(action, result, "ftruncate");
}

/**
 * Reserves memory for every page of a file, without changing its size or contents, so that a lack
 * of memory is `ENOSPC` now and not a fatal SIGBUS at some later access.
 */
export function reservePages(action: Action, fd: number, size: number, present: number = 0): void {
  const { FALLOC_FL_KEEP_SIZE } = platform().constants;
  const available = availableBytes(fd);
  if (available !== undefined && size - present > available) {
    // Asked for in one piece, this would first take all the memory that there is.
    throw refusal(
      action,
      "ENOSPC",
      "fallocate",
      `It needs ${size - present} bytes and ${available} are left in ` +
        `${platform().sharedMemoryDirectory}. Remove objects that are no longer needed, or ` +
        "enlarge it (containers: --shm-size).",
    );
  }
  for (let byteOffset = 0; byteOffset < size; byteOffset += RESERVE_CHUNK) {
    const byteLength = Math.min(RESERVE_CHUNK, size - byteOffset);
    let result: number;
    let error: ShmError | undefined;
    do {
      result = fallocate(fd, FALLOC_FL_KEEP_SIZE, byteOffset, byteLength);
      error = result < 0 ? failure(action, result, "fallocate") : undefined;
    } while (error?.code === "EINTR");
    if (error !== undefined) throw error;
  }
}

/** A file past this process's limit would not be refused but raise SIGXFSZ. */
function checkFileLimit(action: Action, size: number): void {
  const limit = maxFileByteLength();
  if (size <= limit) return;
  throw refusal(
    action,
    "EFBIG",
    "ftruncate",
    `Its ${size} bytes are more than the limit of ${limit} bytes: raise it (\`ulimit -f\`).`,
  );
}

/** The answers of file systems that cannot make a file without a name. */
function isUnsupported(error: ShmError): boolean {
  return ["EOPNOTSUPP", "EISDIR", "ENOENT", "EINVAL"].includes(error.code);
}

/** Throws when it cannot be told now: a lack of descriptors must not settle it for good. */
function probeLinking(action: Action): boolean {
  const result = canLinkDescriptors();
  if (result >= 0) return true;
  const error = failure(action, result, "open");
  if (["ENOENT", "EACCES", "ENOTDIR"].includes(error.code)) return false;
  throw error;
}
