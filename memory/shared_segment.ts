/**
 * @module
 */

import { type Action, ShmError, type ShmErrorCode } from "../errors.ts";
import { createAnonymous } from "./files/anonymous_segment.ts";
import { nameExists, removeName } from "./files/attach.ts";
import { openDescriptor } from "./files/descriptor_segment.ts";
import { atExit } from "./exit.ts";
import { openFileSegment } from "./files/file_segment.ts";
import { nameIdentity } from "./files/identity.ts";
import { existingName } from "./names.ts";
import { createSegment, openSegment } from "./files/open_segment.ts";
import { type AsyncWaitOptions, checkSize } from "./options.ts";
import { ReadonlySharedSegment } from "./readonly_shared_segment.ts";
import { checkSeals, type Seal } from "./files/seals.ts";
import type { SegmentHandle } from "./files/segment_handle.ts";
import type { SegmentStat } from "./segment_info.ts";
import {
  type AnonymousOptions,
  checkCreation,
  type CreateOptions,
  type DescriptorOptions,
  type FileOptions,
  type Lifetime,
  type NamedCreation,
  type OpenOptions,
  type OpenOrCreateOptions,
} from "./files/segment_options.ts";
import { SegmentWindow } from "./segment_window.ts";
import { poll } from "./waiting.ts";
import { WritableMemory } from "./writable_memory.ts";

/** How long `openOrCreate()` waits for the size of a segment that somebody is creating. */
const PATIENCE_MS = 1000;

/**
 * A block of memory that any process on the machine can attach to: POSIX shared memory, by name.
 *
 * There are two more kinds, of which the methods do the same: memory without a name
 * ({@linkcode anonymous}), and files ({@linkcode openFile}).
 *
 * The bytes are those that C sees after `shm_open` and `mmap`, from the first to the last: there is
 * no header. They are shared with every process that attached, and exist until the name is unlinked
 * *and* the last process has closed the segment.
 *
 * **Concurrent access**: read and write words that another process may change through `Atomics`
 * only, on views from {@linkcode view}; they are exact across processes and languages. Plain reads
 * may be merged or hoisted out of loops by the runtime: use them for data that nobody changes at
 * that time, as between taking and posting a {@linkcode NamedSemaphore}. `Atomics.wait` and
 * `Atomics.notify` do not work here: use a semaphore.
 *
 * No method waits for another process, but for `openOrCreate`, for a second at most. Reserving memory
 * takes about 0.25 ms per MiB.
 *
 * @example A writer and a reader, in one process for brevity
 * ```ts
 * import { SharedSegment } from "@shmkit/shmkit";
 *
 * using writer = SharedSegment.create("doc-frames", { size: 4096, lifetime: "creator" });
 * writer.bytes.set([1, 2, 3]);
 *
 * using reader = SharedSegment.open("doc-frames");
 * console.log(reader.bytes.subarray(0, 3)); // 1, 2, 3
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man7/shm_overview.7.html | shm_overview(7)}
 */
export class SharedSegment extends WritableMemory {
  /** Whether this handle created the segment, rather than found it. */
  readonly created: boolean;
  readonly #handle: SegmentHandle;
  readonly #unlinkAtClose: () => void;

  private constructor(handle: SegmentHandle, created: boolean, lifetime: Lifetime) {
    super(handle);
    this.#handle = handle;
    this.created = created;
    handle.watch(this);
    if (created && lifetime === "creator") {
      const callOff = atExit(() => handle.unlink());
      this.#unlinkAtClose = () => {
        callOff();
        handle.unlink();
      };
    } else {
      this.#unlinkAtClose = () => {};
    }
  }

  /**
   * Creates a segment, filled with zeros. It appears under its name complete or not at all, even if
   * this process is killed on the way.
   *
   * @param name 1 to 240 characters from `A-Z a-z 0-9 _ . -`, the first a letter, digit or `_`; a
   * leading slash is allowed and means nothing. Names that start with `sem.` are semaphores'.
   * @param options Its size, and more.
   * @returns A handle, to be closed; use `using`.
   * @throws {TypeError} When the name breaks the rule, or an option has the wrong type.
   * @throws {RangeError} When the size or mode is out of range.
   * @throws {ShmError} `EEXIST` when the name is taken, `ENOSPC` when memory is short (nothing is
   * left then), `EFBIG` above `ulimit -f`, `EMFILE` when descriptors run out.
   * @see {@link https://man7.org/linux/man-pages/man3/shm_open.3.html | shm_open(3)}
   */
  static create(name: string, options: CreateOptions): SharedSegment {
    const action = { verb: "create", noun: "segment" };
    return SharedSegment.#create(action, checkCreation(action, name, options));
  }

  /**
   * Attaches to a segment that exists. Never waits, never follows a link.
   *
   * @param name Its name, with or without a leading slash; whoever made it.
   * @param options How to attach.
   * @returns A handle, to be closed; with `readonly`, one that only reads.
   * @throws {TypeError} When no segment can have that name, or an option has the wrong type.
   * @throws {ShmError} `ENOENT` when there is none, `EACCES` without rights, `ERR_SHM_SIZE` when it
   * is still empty, `ERR_SHM_KIND` for a FIFO and the like, `ELOOP` for a symbolic link,
   * `ERR_SHM_TRUST` for a foreign or hard-linked file, `ENOSPC` when its holes cannot be filled.
   * @see {@link https://man7.org/linux/man-pages/man3/shm_open.3.html | shm_open(3)}
   */
  static open(name: string, options: OpenOptions & { readonly: true }): ReadonlySharedSegment;
  /** Attaches to a segment that exists, for reading and writing. */
  static open(name: string, options?: OpenOptions & { readonly?: false }): SharedSegment;
  /** Attaches to a segment that exists, for reading or for both. */
  static open(name: string, options: OpenOptions): SharedSegment | ReadonlySharedSegment;
  static open(name: string, options: OpenOptions = {}): SharedSegment | ReadonlySharedSegment {
    const action = { verb: "open", noun: "segment", name: "" };
    const handle = openSegment({ ...action, name: existingName(action, name) }, options);
    return SharedSegment.#wrap(handle);
  }

  /**
   * Attaches to a segment, or creates it when there is none. Of several processes that do this at
   * once, one creates. {@linkcode created} tells which. Blocks for a second at most, while a segment
   * exists and its creator (a C program, say) has not given it a size yet.
   *
   * @param name Its name, by the rule of {@linkcode create}.
   * @param options Its size, and more; `lifetime`, `mode` and `reserve` as in `create`.
   * @returns A handle, to be closed.
   * @throws {ShmError} `ERR_SHM_SIZE` when it exists with another size, and what `create` and
   * `open` throw.
   */
  static openOrCreate(name: string, options: OpenOrCreateOptions): SharedSegment {
    const action = { verb: "open or create", noun: "segment" };
    const creation = checkCreation(action, name, options);
    const named = { ...action, name: creation.name };
    const { trust = "owner", reserve = true, prefault = false, mlock = false } = options;
    const attaching = { trust, reserve, prefault, mlock };
    while (true) {
      try {
        const handle = openSegment(named, attaching, creation.size, PATIENCE_MS);
        return new SharedSegment(handle, false, "persist");
      } catch (error) {
        if (!hasCode(error, "ENOENT")) throw error;
      }
      try {
        return SharedSegment.#create(action, creation);
      } catch (error) {
        if (!hasCode(error, "EEXIST")) throw error;
      }
    }
  }

  /**
   * Waits until a segment exists and has its size, then attaches to it as {@linkcode open} does. It
   * asks again every 25 ms at most, and does not block the event loop.
   *
   * @param name Its name.
   * @param options How to attach, and how long to wait.
   * @returns A promise of a handle; rejected with a `DOMException` named `TimeoutError` when the
   * time is over, with `signal.reason` when the signal is aborted, and with what `open` throws.
   */
  static openAsync(
    name: string,
    options: OpenOptions & AsyncWaitOptions & { readonly: true },
  ): Promise<ReadonlySharedSegment>;
  /** Waits until a segment exists, then attaches to it for reading and writing. */
  static openAsync(
    name: string,
    options?: OpenOptions & AsyncWaitOptions & { readonly?: false },
  ): Promise<SharedSegment>;
  /** Waits until a segment exists, then attaches to it for reading or for both. */
  static openAsync(
    name: string,
    options: OpenOptions & AsyncWaitOptions,
  ): Promise<SharedSegment | ReadonlySharedSegment>;
  static async openAsync(
    name: string,
    options: OpenOptions & AsyncWaitOptions = {},
  ): Promise<SharedSegment | ReadonlySharedSegment> {
    const unnamed = { verb: "open", noun: "segment" };
    const action = { ...unnamed, name: existingName(unnamed, name) };
    const handle = await poll(action, () => {
      try {
        return openSegment(action, options);
      } catch (error) {
        if (hasCode(error, "ENOENT", "ERR_SHM_SIZE")) return undefined;
        throw error;
      }
    }, options);
    return SharedSegment.#wrap(handle);
  }

  /**
   * Tells whether there is anything under a name, whoever made it and whether or not it could be
   * opened.
   */
  static exists(name: string): boolean {
    const action = { verb: "look up", noun: "segment" };
    return nameExists(action, existingName(action, name));
  }

  /**
   * Removes a name. Whoever is attached keeps the memory until it closes; a new segment of that
   * name is another one.
   *
   * @returns Whether there was anything to remove.
   * @throws {ShmError} `EACCES` or `EPERM` when it belongs to another user.
   * @see {@link https://man7.org/linux/man-pages/man3/shm_unlink.3.html | shm_unlink(3)}
   */
  static unlink(name: string): boolean {
    const action = { verb: "unlink", noun: "segment" };
    return removeName(action, existingName(action, name));
  }

  /**
   * Makes memory without a name (memfd), filled with zeros. The kernel frees it when no process has
   * it any more, whatever they die of. Hand {@linkcode fd} to a child, or tell a process of the same
   * user {@linkcode path}.
   *
   * @param options Its size, and more.
   * @returns A handle, to be closed.
   * @throws {TypeError} When an option has the wrong type.
   * @throws {RangeError} When the size is out of range, or no multiple of the huge pages.
   * @throws {ShmError} `ENOMEM` when memory, or huge pages, are short.
   * @see {@link https://man7.org/linux/man-pages/man2/memfd_create.2.html | memfd_create(2)}
   *
   * @example One writer, and readers that it cannot harm, nor they it
   * ```ts
   * import { SharedSegment } from "@shmkit/shmkit";
   *
   * using writer = SharedSegment.anonymous({
   *   size: 4096,
   *   seal: ["shrink", "grow", "futureWrite", "seal"],
   * });
   * writer.bytes[0] = 7;
   *
   * // In another process, which was told the path:
   * using reader = SharedSegment.openFile(writer.path, { readonly: true });
   * console.log(reader.getUint8(0), reader.seals); // 7, and nobody can cut it off
   * ```
   */
  static anonymous(options: AnonymousOptions): SharedSegment {
    const action = { verb: "create", noun: "anonymous segment" };
    return new SharedSegment(createAnonymous(action, options), true, "persist");
  }

  /**
   * Attaches to the memory that a descriptor stands for, after its type, size, owner and seals have
   * been looked at. The descriptor stays yours, and may be closed.
   *
   * @param fd A descriptor of this process: one that a child inherits, as a rule.
   * @param options How to attach.
   * @returns A handle, to be closed; with `readonly`, one that only reads.
   * @throws {ShmError} `EBADF` when there is no such descriptor, `ERR_SHM_KIND` when it is no file,
   * `ERR_SHM_SIZE` when it is empty, `ERR_SHM_TRUST` when required seals are missing, or when it is
   * another user's and not sealed against shrinking, `EACCES` when it cannot be written.
   */
  static fromDescriptor(
    fd: number,
    options: DescriptorOptions & { readonly: true },
  ): ReadonlySharedSegment;
  /** Attaches to the memory that a descriptor stands for, for reading and writing. */
  static fromDescriptor(
    fd: number,
    options?: DescriptorOptions & { readonly?: false },
  ): SharedSegment;
  /** Attaches to the memory that a descriptor stands for, for reading or for both. */
  static fromDescriptor(
    fd: number,
    options: DescriptorOptions,
  ): SharedSegment | ReadonlySharedSegment;
  static fromDescriptor(
    fd: number,
    options: DescriptorOptions = {},
  ): SharedSegment | ReadonlySharedSegment {
    const action = { verb: "open", noun: "descriptor" };
    return SharedSegment.#wrap(openDescriptor(action, fd, options));
  }

  /**
   * Attaches to a file. What is written to it stays, also when the machine is restarted, once
   * {@linkcode flush} has returned or the system has been shut down in order. The path may also be
   * that of another process's descriptor, as {@linkcode path} gives it.
   *
   * With `create`, a file that does not exist appears under its path complete or not at all, and an
   * empty one gets the size.
   *
   * @param path Where the file is. Links are followed.
   * @param options How to attach; with `create`, the size.
   * @returns A handle, to be closed; with `readonly`, one that only reads.
   * @throws {ShmError} `ENOENT`, `EACCES`, `ENOSPC`, `EROFS` as for any file; `ERR_SHM_SIZE` when it
   * has another size than asked for, or none; `ERR_SHM_KIND` when it is no regular file;
   * `ERR_SHM_TRUST` when it is neither this user's nor root's, when everybody may write to it, or
   * when it is memory that lacks seals which were asked for.
   * @see {@link https://man7.org/linux/man-pages/man2/mmap.2.html | mmap(2)}
   */
  static openFile(path: string, options: FileOptions & { readonly: true }): ReadonlySharedSegment;
  /** Attaches to a file, for reading and writing. */
  static openFile(path: string, options?: FileOptions & { readonly?: false }): SharedSegment;
  /** Attaches to a file, for reading or for both. */
  static openFile(path: string, options: FileOptions): SharedSegment | ReadonlySharedSegment;
  static openFile(path: string, options: FileOptions = {}): SharedSegment | ReadonlySharedSegment {
    const { handle, created } = openFileSegment({ verb: "open", noun: "file" }, path, options);
    return SharedSegment.#wrap(handle, created);
  }

  /** The family: of a name in shared memory, anonymous, or a file elsewhere. */
  get kind(): SegmentStat["kind"] {
    return this.#handle.identity.kind;
  }

  /** The name, without a leading slash; of anonymous memory its label; of a file its path. */
  get name(): string {
    return this.#handle.identity.name;
  }

  /**
   * The descriptor, open for reading and writing. It belongs to this handle: do not close it.
   *
   * @throws {ShmError} `ERR_SHM_CLOSED`: the number may be another file's then.
   */
  get fd(): number {
    return this.#handle.fd;
  }

  /**
   * A path by which other processes of this user can open it, with `openFile` or the `open` of any
   * language: of anonymous memory, as long as this handle is open.
   *
   * @throws {ShmError} `ERR_SHM_CLOSED`.
   */
  get path(): string {
    return this.#handle.path;
  }

  /**
   * What may never again be done to it; empty for what is not anonymous.
   *
   * @throws {ShmError} `ERR_SHM_CLOSED`; `ERR_SHM_SIZE` when it was sealed against shrinking after
   * bytes had been cut off that are attached here: see {@linkcode refresh}.
   */
  get seals(): readonly Seal[] {
    return this.#handle.seals();
  }

  /**
   * Forbids something for ever, to everybody.
   *
   * @param seals What; see {@linkcode Seal}.
   * @throws {ShmError} `EPERM` when it is sealed with `"seal"`, `EBUSY` for `"write"`, since this
   * handle can write (see {@linkcode freeze}), `ERR_SHM_KIND` when it is not anonymous memory.
   */
  seal(...seals: Seal[]): void {
    this.#handle.seal(checkSeals(this.#handle.action("seal"), "seals", seals));
  }

  /**
   * Seals it against any change, of size or bytes, by anybody, for ever, and closes this handle.
   *
   * @returns A handle that reads.
   * @throws {ShmError} `EBUSY` when another process, or another handle, has it mapped for writing:
   * this handle then stays open, with new views, unless it has been sealed with `"futureWrite"`,
   * which ends it. `EPERM` when it is sealed with `"seal"`. `ERR_SHM_SIZE` when a peer has made it
   * empty.
   */
  freeze(): ReadonlySharedSegment {
    const frozen = this.#handle.freeze(["shrink", "grow", "write", "seal"]);
    return new ReadonlySharedSegment(frozen);
  }

  /**
   * What the kernel knows of the segment now.
   *
   * @throws {ShmError} `ERR_SHM_CLOSED`.
   */
  stat(): SegmentStat {
    return this.#handle.stat();
  }

  /**
   * Changes the size of the segment and attaches to all of it. Bytes are kept, new ones are zeros,
   * and every view of before becomes empty. Peers see what they saw, until they {@linkcode refresh}.
   *
   * Of two processes that make it larger at once, the larger size wins; the other handle then has
   * that size, too, or gets it by `refresh()`.
   *
   * **Shrinking** cuts bytes off at once. A peer that still uses them gets SIGBUS, which ends it: do
   * it only when all peers have agreed to let go of them.
   *
   * @param size The new size, in bytes.
   * @throws {RangeError} When the size is out of range.
   * @throws {ShmError} `ENOSPC` when memory is short, `EPERM` when it is sealed; nothing has changed
   * then. `ERR_SHM_CLOSED`.
   */
  resize(size: number): void {
    this.#handle.resize(checkSize(this.#handle.action("resize"), size));
  }

  /**
   * Follows a change of the size that a peer has made: attaches to all of the segment, and makes
   * every view of before empty.
   *
   * @returns Whether the size had changed.
   * @throws {ShmError} `ERR_SHM_CLOSED`; `ERR_SHM_SIZE` when nothing is left of it.
   */
  refresh(): boolean {
    return this.#handle.refresh();
  }

  /**
   * Attaches to a part of the segment once more, for segments with more bytes than fit into an
   * `ArrayBuffer` (4 GiB in some runtimes). It ends with this handle, with `resize()` and with
   * `refresh()`.
   *
   * @param byteOffset Where the part starts.
   * @param byteLength How many bytes it has: 1 at least.
   * @throws {RangeError} When it is not within the segment.
   * @throws {ShmError} `ERR_SHM_CLOSED`; `ENOMEM`.
   */
  window(byteOffset: number, byteLength: number): SegmentWindow {
    return new SegmentWindow(this.#handle.window(byteOffset, byteLength), byteOffset);
  }

  /**
   * Removes the segment's name, if it still leads to this segment and not to a later one.
   *
   * @returns Whether it was removed; false for anonymous memory.
   * @throws {ShmError} `ERR_SHM_CLOSED`; `EACCES` or `EPERM` when it belongs to another user.
   */
  unlink(): boolean {
    this.#handle.assertOpen("unlink");
    return this.#handle.unlink();
  }

  /**
   * Detaches from the segment. Every view becomes empty: reading one gives `undefined` or throws,
   * never old bytes. While an asynchronous native (`fs.write`, `zlib`) works on it, a view may stay in
   * Bun, and show zeros: what is written to it is lost. With `lifetime: "creator"`, the handle that created it also removes the name.
   * Idempotent.
   *
   * @throws {ShmError} When that name could not be removed; the handle is closed all the same.
   */
  override close(): void {
    if (!this.#handle.close()) return;
    this.#unlinkAtClose();
  }

  static #create(unnamed: Action, creation: NamedCreation): SharedSegment {
    const { name, lifetime } = creation;
    const handle = createSegment({ ...unnamed, name }, nameIdentity(name), creation);
    return new SharedSegment(handle, true, lifetime);
  }

  static #wrap(
    handle: SegmentHandle,
    created: boolean = false,
  ): SharedSegment | ReadonlySharedSegment {
    return handle.writable
      ? new SharedSegment(handle, created, "persist")
      : new ReadonlySharedSegment(handle);
  }
}

function hasCode(error: unknown, ...codes: ShmErrorCode[]): boolean {
  return error instanceof ShmError && codes.includes(error.code);
}
