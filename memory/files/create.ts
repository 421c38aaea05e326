/**
 * Making an object or a file that appears under its name complete or not at all.
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

import type { Action, ShmError } from "../../errors.ts";
import {
  canLinkDescriptors,
  close,
  failure,
  fchmod,
  ftruncate,
  linkDescriptor,
  open,
  platform,
  shmOpen,
  shmUnlink,
  unlink,
} from "../../ffi/mod.ts";
import { checkFileLimit, reservePages } from "./reserve.ts";

/** Where to make it. */
export interface Place {
  readonly kind: "posix" | "file";
  readonly directory: string;
  readonly path: string;
  /** The C function that makes it under its name. */
  readonly syscall: "shm_open" | "open";
  /** Makes it under its name. @returns A descriptor, or a negative error number. */
  open(flags: number): number;
  remove(): void;
}

/** Only its creator may open it before it is ready. */
const DRAFT_MODE = 0o600;

/** The place of a shared-memory object. */
export function placeOfName(name: string): Place {
  const directory = platform().sharedMemoryDirectory;
  return {
    kind: "posix",
    directory,
    path: `${directory}/${name}`,
    syscall: "shm_open",
    open: (flags) => shmOpen(name, flags, DRAFT_MODE),
    remove: () => void shmUnlink(name),
  };
}

/** The place of a file. */
export function placeOfFile(path: string): Place {
  const slash = path.lastIndexOf("/");
  return {
    kind: "file",
    directory: slash === -1 ? "." : path.slice(0, slash) || "/",
    path,
    syscall: "open",
    open: (flags) => open(path, flags, DRAFT_MODE),
    remove: () => void unlink(path),
  };
}

/** What to make. */
export interface Creation {
  readonly place: Place;
  readonly size: number;
  readonly mode: number;
  readonly reserve: boolean;
}

/** An object that nobody else can open yet. */
export interface Draft {
  /** Its descriptor, open for reading and writing. Whoever publishes or discards it owns it. */
  readonly fd: number;
  /** Whether it has its size: if not, it gets that when it is published. */
  readonly complete: boolean;
  /** Lets others open it. Throws when the name is taken meanwhile. */
  publish(): void;
  /** Removes every trace but the descriptor, which the caller closes. */
  discard(): void;
}

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
  const { place } = creation;
  const fd = open(place.directory, O_TMPFILE | O_RDWR | O_CLOEXEC, DRAFT_MODE);
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
    complete: true,
    publish() {
      const linked = linkDescriptor(fd, place.path);
      if (linked < 0) throw failure(action, linked, "linkat");
    },
    discard() {},
  };
}

function draftInPlace(action: Action, creation: Creation): Draft {
  const { O_RDWR, O_CREAT, O_EXCL, O_CLOEXEC } = platform().constants;
  const { place, size } = creation;
  const fd = place.open(O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC);
  if (fd < 0) throw failure(action, fd, place.syscall);
  try {
    prepare(action, fd, creation);
  } catch (error) {
    place.remove();
    close(fd);
    throw error;
  }
  return {
    fd,
    complete: false,
    publish: () => resize(action, fd, size),
    discard: () => place.remove(),
  };
}

function prepare(action: Action, fd: number, { place, size, mode, reserve }: Creation): void {
  const result = fchmod(fd, mode);
  if (result < 0) throw failure(action, result, "fchmod");
  if (reserve) reservePages(action, fd, { kind: place.kind, size });
}

function resize(action: Action, fd: number, size: number): void {
  const result = ftruncate(fd, size);
  if (result < 0) throw failure(action, result, "ftruncate");
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
