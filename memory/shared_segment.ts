/**
 * @module
 */

import { ShmError, type ShmErrorCode } from "../errors.ts";
import { nameExists, removeName } from "./attach.ts";
import { atExit } from "./exit.ts";
import { existingName } from "./names.ts";
import { createSegment, openSegment } from "./open_segment.ts";
import type { AsyncWaitOptions } from "./options.ts";
import { ReadonlySharedSegment } from "./readonly_shared_segment.ts";
import type { SegmentHandle, SegmentStat } from "./segment_handle.ts";
import {
  checkCreation,
  type CreateOptions,
  type Lifetime,
  type OpenOptions,
  type OpenOrCreateOptions,
} from "./segment_options.ts";
import { makeView, type ViewClass } from "./view.ts";
import { poll } from "./waiting.ts";

/** How long `openOrCreate()` waits for the size of a segment that somebody is creating. */
const PATIENCE_MS = 1000;

/**
 * A named block of memory that any process on the machine can attach to: POSIX shared memory.
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
export class SharedSegment implements Disposable {
  /** Whether this handle created the segment, rather than found it. */
  readonly created: boolean;
  readonly #handle: SegmentHandle;
  readonly #unlinkAtClose: () => void;
  #bytes: Uint8Array<ArrayBuffer> | undefined;

  private constructor(handle: SegmentHandle, created: boolean, lifetime: Lifetime) {
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
    const creation = checkCreation(action, name, options);
    return new SharedSegment(createSegment(action, creation), true, creation.lifetime);
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
    const { trust = "owner", reserve = true } = options;
    while (true) {
      try {
        const handle = openSegment(named, { trust, reserve }, creation.size, PATIENCE_MS);
        return new SharedSegment(handle, false, "persist");
      } catch (error) {
        if (!hasCode(error, "ENOENT")) throw error;
      }
      try {
        return new SharedSegment(createSegment(action, creation), true, creation.lifetime);
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

  /** The name, without a leading slash. */
  get name(): string {
    return this.#handle.name;
  }

  /** The size when it was created or opened, in bytes. */
  get size(): number {
    return this.#handle.size;
  }

  /**
   * The descriptor, open for reading and writing. It belongs to this handle: do not close it.
   *
   * @throws {ShmError} `ERR_SHM_CLOSED`: the number may be another file's then.
   */
  get fd(): number {
    return this.#handle.fd;
  }

  /** Whether `close()` was called. */
  get closed(): boolean {
    return this.#handle.closed;
  }

  /**
   * All bytes, shared. The same array every time; `close()` detaches it, so that it becomes empty.
   *
   * Posting it to a worker copies it: pass the name, and let the worker open its own handle.
   *
   * @throws {ShmError} `ERR_SHM_CLOSED` after `close()`, or when the buffer was transferred away.
   * @throws {RangeError} When the segment is larger than an `ArrayBuffer` can be (4 GiB in Bun).
   */
  get bytes(): Uint8Array<ArrayBuffer> {
    const buffer = this.#handle.buffer("access");
    return this.#bytes ??= new Uint8Array(buffer);
  }

  /**
   * A typed array or `DataView` over the bytes. All views share one buffer, which `close()`
   * detaches.
   *
   * @param type `Int32Array`, `Float64Array`, `DataView`, ...
   * @param byteOffset Where it starts; a multiple of the element size.
   * @param length The number of elements (bytes for `DataView`); as many as fit by default.
   * @throws {TypeError} When `type` is not a class of views.
   * @throws {RangeError} When it is misaligned or not within the segment.
   * @throws {ShmError} `ERR_SHM_CLOSED`.
   *
   * @example Counting in several processes
   * ```ts
   * import { SharedSegment } from "@shmkit/shmkit";
   *
   * using segment = SharedSegment.create("doc-counter", { size: 64, lifetime: "creator" });
   * const counter = segment.view(Int32Array, 0, 1);
   * Atomics.add(counter, 0, 1);
   * console.log(Atomics.load(counter, 0)); // 1
   * ```
   */
  view<V extends ArrayBufferView<ArrayBuffer>>(
    type: ViewClass<V>,
    byteOffset: number = 0,
    length?: number,
  ): V {
    const buffer = this.#handle.buffer("view");
    const action = { verb: "view", noun: "segment", name: this.name };
    return makeView(action, buffer, this.size, type, byteOffset, length);
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
   * Removes the segment's name, if it still leads to this segment and not to a later one.
   *
   * @returns Whether it was removed.
   * @throws {ShmError} `ERR_SHM_CLOSED`; `EACCES` or `EPERM` when it belongs to another user.
   */
  unlink(): boolean {
    this.#handle.assertOpen("unlink");
    return this.#handle.unlink();
  }

  /**
   * Detaches from the segment. Every view becomes empty: reading one gives `undefined` or throws,
   * never old bytes. With `lifetime: "creator"`, the handle that created it also removes the name.
   * Idempotent.
   *
   * @throws {ShmError} When that name could not be removed; the handle is closed all the same.
   */
  close(): void {
    if (this.closed) return;
    this.#bytes = undefined;
    this.#handle.close();
    this.#unlinkAtClose();
  }

  /** As {@linkcode close}, for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }

  static #wrap(handle: SegmentHandle): SharedSegment | ReadonlySharedSegment {
    return handle.writable
      ? new SharedSegment(handle, false, "persist")
      : new ReadonlySharedSegment(handle);
  }
}

function hasCode(error: unknown, ...codes: ShmErrorCode[]): boolean {
  return error instanceof ShmError && codes.includes(error.code);
}
