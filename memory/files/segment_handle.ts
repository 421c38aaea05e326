/**
 * A segment that comes from a file: a name in shared memory, anonymous memory, or a file elsewhere.
 *
 * @module
 */

import { type Action, ShmError, stateError } from "../../errors.ts";
import {
  close,
  failure,
  type FileStatus,
  ftruncate,
  Mapping,
  open,
  ownDescriptorPath,
  pageSize,
  platform,
  refusal,
  statusOf,
} from "../../ffi/mod.ts";
import { endsWithTrailer } from "../objects/header.ts";
import { Attachment, type Part, type Subject } from "../attachment.ts";
import { applyMapping, type CheckedMappingOptions, fillForReading } from "../memory_options.ts";
import { checkFileLimit, extend, reservePages } from "./reserve.ts";
import { checkUnsealed, readSeals, type Seal, writeSeals } from "./seals.ts";
import type { SegmentStat } from "../segment_info.ts";
import { segmentStat } from "./segment_stat.ts";

/** An open file, and what it was when it was opened. */
export interface OpenFile {
  readonly fd: number;
  readonly status: FileStatus;
}

/** What a segment is called, and by what name it can be removed. */
export interface Identity {
  readonly kind: SegmentStat["kind"];
  /** What users call it: a name, a label, a path. */
  readonly name: string;
  readonly subject: Subject;
  /** Where others can open it, for as long as the descriptor is open. */
  path(fd: number): string;
  /** Removes the name if it still leads to the file. @returns Whether it did. */
  unlink(file: FileStatus): boolean;
}

/** How a file is mapped. */
export interface HandleOptions extends CheckedMappingOptions {
  /** The length to map, in bytes. */
  readonly size: number;
  readonly writable: boolean;
  /** Whether to fill holes of the file first, and to reserve what it grows by. */
  readonly reserve: boolean;
}

/** An attached segment that comes from a file. */
export class SegmentHandle extends Attachment {
  readonly identity: Identity;
  /** What the file was when it was opened. */
  readonly file: FileStatus;
  readonly #fd: number;
  readonly #options: HandleOptions;

  /**
   * Maps an open file. Takes the descriptor over when that succeeds.
   *
   * @param complete Whether the file has its size. If not, {@linkcode makePresent} is to be called
   * when it has.
   */
  constructor(
    action: Action,
    identity: Identity,
    file: OpenFile,
    options: HandleOptions,
    complete: boolean = true,
  ) {
    const presence = complete ? options : { ...options, prefault: false, mlock: false };
    super(identity.subject, map(action, identity, file, presence));
    this.identity = identity;
    this.#fd = file.fd;
    this.file = file.status;
    this.#options = options;
  }

  /** Does what the options say of prefaulting and locking. */
  makePresent(action: Action): void {
    applyMapping(action, this.mapping, this.#options);
  }

  /** The descriptor; throws when the segment is closed, because it may be another file's then. */
  get fd(): number {
    this.assertOpen("use the descriptor of");
    return this.#fd;
  }

  get path(): string {
    this.assertOpen("tell the path of");
    return this.identity.path(this.#fd);
  }

  stat(): SegmentStat {
    this.assertOpen("stat");
    return segmentStat(this.identity.kind, this.identity.name, this.#status("stat"));
  }

  /** Removes the name if it still leads to this segment. */
  unlink(): boolean {
    return this.identity.unlink(this.file);
  }

  /** The seals; empty when it is of a kind that has none. */
  seals(): readonly Seal[] {
    this.assertOpen("read the seals of");
    if (this.identity.kind !== "memfd") return [];
    const action = this.action("read the seals of");
    const seals = readSeals(action, this.#fd) ?? [];
    // Cut off before it was sealed, it would be taken for safe.
    if (seals.includes("shrink")) checkStillThere(action, this.#status("stat").size, this.size);
    return seals;
  }

  seal(seals: readonly Seal[]): void {
    this.#assertSealable("seal");
    writeSeals(this.action("seal"), this.#fd, seals);
  }

  /**
   * Gives up the right to write, seals the memory when nobody here can write any more, and goes on
   * as another handle. When it cannot be sealed, this handle stays as it was, but for its views; or
   * is closed, when it has been sealed against being mapped for writing once more.
   */
  freeze(seals: readonly Seal[]): SegmentHandle {
    const action = this.action("freeze");
    this.#assertSealable("freeze");
    // What is refused in any case is refused while nothing has changed.
    if (this.seals().includes("seal")) writeSeals(action, this.#fd, seals);
    const frozen = this.#openFrozen(action);
    this.detach();
    try {
      writeSeals(action, this.#fd, seals);
    } catch (error) {
      frozen.close();
      this.#mapAgain(action);
      throw this.closed ? closedByFreeze(action, error) : error;
    }
    this.close();
    try {
      // A peer may have changed the size until now. From now on nobody can.
      frozen.refresh();
    } catch (error) {
      frozen.close();
      throw error;
    }
    return frozen;
  }

  /** A handle of the same file that only reads, with the size that the file has now. */
  #openFrozen(action: Action): SegmentHandle {
    const file = reopen(action, this.#fd);
    try {
      const { size } = file.status;
      checkNotEmpty(action, size);
      const options = { ...this.#options, size, writable: false, reserve: false };
      return new SegmentHandle(action, this.identity, file, options);
    } catch (error) {
      close(file.fd);
      throw error;
    }
  }

  /** Maps what was detached; closes the handle when that cannot be done any more. */
  #mapAgain(action: Action): void {
    const options = { ...this.#options, size: this.size, reserve: false };
    try {
      this.replace(map(action, this.identity, { fd: this.#fd, status: this.file }, options));
    } catch {
      this.close();
    }
  }

  /**
   * Changes the size of the file and maps it anew. Whoever wants it larger than it was here never
   * makes it shorter than a peer has made it meanwhile.
   */
  resize(size: number): void {
    const action = this.action("resize");
    this.assertOpen("resize");
    const status = this.#status("resize");
    this.#assertBare(action, status);
    if (size === status.size || (size > this.size && size < status.size)) {
      this.refresh();
      return;
    }
    const direction: Seal = size > status.size ? "grow" : "shrink";
    checkUnsealed(action, this.#fd, [direction, "write", "futureWrite"]);
    if (direction === "grow") this.#grow(action, size, status);
    else this.#shrink(action, size, status);
  }

  /** Maps the file anew if its size has changed. @returns Whether it had. */
  refresh(): boolean {
    const action = this.action("refresh");
    this.assertOpen("refresh");
    const status = this.#status("refresh");
    if (status.size === this.size) return false;
    checkNotEmpty(action, status.size);
    if (this.writable) checkUnsealed(action, this.#fd, ["write", "futureWrite"]);
    this.replace(
      map(action, this.identity, { fd: this.#fd, status }, { ...this.#options, size: status.size }),
    );
    return true;
  }

  protected override mapPart(action: Action, byteOffset: number, byteLength: number): Part {
    checkStillThere(action, this.#status(action.verb).size, byteOffset + byteLength);
    const granularity = Math.max(pageSize(), this.file.blockByteLength);
    const base = byteOffset % granularity;
    const { writable } = this.#options;
    const mapping = Mapping.map(this.#fd, base + byteLength, writable, byteOffset - base);
    if (typeof mapping === "number") throw failure(action, mapping, "mmap");
    return { mapping, base };
  }

  override close(): boolean {
    if (!super.close()) return false;
    close(this.#fd);
    return true;
  }

  #grow(action: Action, size: number, status: FileStatus): void {
    checkFileLimit(action, size);
    const { identity } = this;
    const fd = this.#fd;
    const options = { ...this.#options, size };
    if (options.reserve) {
      reservePages(action, fd, { kind: identity.kind, size, present: status.residentBytes });
    }
    // Mapped first, which touches nothing behind the end: what can fail fails before others see it.
    const mapping = mapBare(action, fd, options);
    try {
      const result = extend(fd, size);
      if (result < 0) throw failure(action, result, "fallocate");
      applyMapping(action, mapping, options);
    } catch (error) {
      mapping.close();
      throw error;
    }
    this.replace(mapping);
  }

  #shrink(action: Action, size: number, status: FileStatus): void {
    const options = { ...this.#options, size, reserve: false };
    // Nobody here sees the bytes any more when they are cut off.
    this.replace(map(action, this.identity, { fd: this.#fd, status }, options));
    const result = ftruncate(this.#fd, size);
    if (result >= 0) return;
    this.refresh();
    throw failure(action, result, "ftruncate");
  }

  /** Throws for an object: its end says how it is laid out, and others count on that. */
  #assertBare(action: Action, { size }: FileStatus): void {
    if (!endsWithTrailer(action, this.#fd, size)) return;
    throw stateError(
      action,
      "ERR_SHM_KIND",
      "it is an object with a layout, whose description stands at its end",
      "Objects have one size for ever: unlink it and create another one.",
    );
  }

  #assertSealable(verb: string): void {
    this.assertOpen(verb);
    if (this.identity.kind === "memfd") return;
    throw stateError(
      this.action(verb),
      "ERR_SHM_KIND",
      "only anonymous memory can be sealed",
      "Make it with SharedSegment.anonymous().",
    );
  }

  #status(verb: string): FileStatus {
    const status = statusOf(this.#fd);
    if (typeof status === "number") throw failure(this.action(verb), status, "statx");
    return status;
  }
}

/** A descriptor of the same file that can only read: a mapping by it does not count as a writer. */
function reopen(action: Action, fd: number): OpenFile {
  const { O_RDONLY, O_CLOEXEC } = platform().constants;
  const reopened = open(ownDescriptorPath(fd), O_RDONLY | O_CLOEXEC, 0);
  if (reopened < 0) throw failure(action, reopened, "open");
  const status = statusOf(reopened);
  if (typeof status !== "number") return { fd: reopened, status };
  close(reopened);
  throw failure(action, status, "statx");
}

/** The error of a freeze() that others have prevented, and that could not be undone. */
function closedByFreeze(action: Action, error: unknown): unknown {
  if (!(error instanceof ShmError && error.code === "EBUSY")) return error;
  return refusal(
    action,
    "EBUSY",
    "fcntl",
    'Somebody else has it mapped for writing. This handle is closed: with "futureWrite", it could ' +
      "not be mapped for writing again. Open it for reading.",
  );
}

/** Throws for a file without a size: there is nothing to map. */
export function checkNotEmpty(action: Action, size: number): void {
  if (size === 0) throw emptyError(action);
}

/** The error of a file without a size. */
export function emptyError(action: Action): ShmError {
  return stateError(
    action,
    "ERR_SHM_SIZE",
    "it is empty: whoever made it has not given it a size",
    "Wait until its creator has done so (openAsync() does), or remove it if that one has died.",
  );
}

/** Throws when a file ends before what is wanted of it. */
function checkStillThere(action: Action, size: number, needed: number): void {
  if (size >= needed) return;
  throw stateError(
    action,
    "ERR_SHM_SIZE",
    `${needed} bytes of it were there, and only ${size} are left`,
    "Call refresh() before any byte of it is used.",
  );
}

function mapBare(action: Action, fd: number, { size, writable }: HandleOptions): Mapping {
  const mapping = Mapping.map(fd, size, writable);
  if (typeof mapping === "number") throw failure(action, mapping, "mmap");
  return mapping;
}

function map(
  action: Action,
  identity: Identity,
  { fd, status }: OpenFile,
  options: HandleOptions,
): Mapping {
  const { size, writable, reserve } = options;
  const hasHoles = reserve && status.residentBytes < size;
  if (hasHoles && writable) {
    reservePages(action, fd, { kind: identity.kind, size, present: status.residentBytes });
  }
  const mapping = mapBare(action, fd, options);
  try {
    if (hasHoles && !writable) fillForReading(action, mapping);
    applyMapping(action, mapping, options);
  } catch (error) {
    mapping.close();
    throw error;
  }
  return mapping;
}
