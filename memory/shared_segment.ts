/**
 * @module
 */

import { type Action, misuse, ShmError, type ShmErrorCode, stateError } from "../errors.ts";
import { close, failure, statusOf } from "../ffi/mod.ts";
import { attach, nameExists, removeName } from "./attach.ts";
import { type Creation, draftObject } from "./create.ts";
import { atExit } from "./exit.ts";
import { creatableName, existingName } from "./names.ts";
import {
  type AsyncWaitOptions,
  checkChoice,
  checkMode,
  checkOptions,
  checkSize,
  type Trust,
} from "./options.ts";
import { ReadonlySharedSegment } from "./readonly_shared_segment.ts";
import { SegmentHandle, type SegmentStat } from "./segment_handle.ts";
import { poll, sleep } from "./waiting.ts";

/**
 * Until when a named segment exists.
 *
 * - `"persist"`: until somebody unlinks it, or the machine is shut down;
 * - `"creator"`: until the handle that created it is closed, or its process ends in an orderly way.
 *   After a fatal signal it stays, and in Deno after an uncaught error.
 *
 * Whoever is attached at that moment keeps the memory until it closes, too.
 */
export type Lifetime = "persist" | "creator";

/** How {@linkcode SharedSegment.create} makes a segment. */
export interface CreateOptions {
  /** The size in bytes: an integer from 1 to 2^53 - 1. It need not be a multiple of anything. */
  size: number;
  /** The permission bits, exactly (the umask does not count); `0o600` by default. */
  mode?: number;
  /**
   * Whether to reserve the memory now; true by default. Without it memory is taken page by page at
   * the first access, and **an access when none is left ends the process with SIGBUS**.
   */
  reserve?: boolean;
  /** Until when the segment exists; `"persist"` by default. */
  lifetime?: Lifetime;
}

/** How {@linkcode SharedSegment.open} attaches to a segment. */
export interface OpenOptions {
  /**
   * Whose segments are accepted; `"owner"` by default: only those that the effective user of this
   * process owns and not everybody can write to. `"anyone"` accepts every regular file: its owner
   * can change the bytes at any time, and end this process with SIGBUS by cutting it off.
   */
  trust?: Trust;
  /**
   * Whether to reserve memory for pages that the creator left out; true by default. See
   * {@linkcode CreateOptions.reserve} for what happens without it.
   */
  reserve?: boolean;
  /** True gives a {@linkcode ReadonlySharedSegment}. */
  readonly?: boolean;
}

/** How {@linkcode SharedSegment.openOrCreate} opens or makes a segment. */
export interface OpenOrCreateOptions extends CreateOptions {
  /** Whose segments are accepted when there is one; `"owner"` by default. */
  trust?: Trust;
}

/** How long `openOrCreate()` waits for the size of a segment that somebody is creating. */
const PATIENCE_MS = 1000;
const LIFETIMES = ["persist", "creator"] as const;
const TRUSTS = ["owner", "anyone"] as const;
const BOOLEANS = [true, false] as const;

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
 * No method blocks, but `create` takes about 0.25 ms per MiB to reserve the memory.
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
  readonly #release: () => void;
  #bytes: Uint8Array<ArrayBuffer> | undefined;

  private constructor(handle: SegmentHandle, created: boolean, lifetime: Lifetime) {
    this.#handle = handle;
    this.created = created;
    handle.watch(this);
    if (created && lifetime === "creator") {
      const callOff = atExit(() => handle.unlink());
      this.#release = () => {
        callOff();
        handle.unlink();
      };
    } else {
      this.#release = () => {};
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
    const handle = attachSegment({ ...action, name: existingName(action, name) }, options);
    return SharedSegment.#wrap(handle, options);
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
    while (true) {
      try {
        const handle = attachSegment(named, options, creation.size, PATIENCE_MS);
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
        return attachSegment(action, options);
      } catch (error) {
        if (hasCode(error, "ENOENT", "ERR_SHM_SIZE")) return undefined;
        throw error;
      }
    }, options);
    return SharedSegment.#wrap(handle, options);
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
   * The descriptor, open for reading and writing. It belongs to this handle: do not close it, and
   * do not use it after `close()`.
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
    type: new (buffer: ArrayBuffer, byteOffset?: number, length?: number) => V,
    byteOffset: number = 0,
    length?: number,
  ): V {
    const buffer = this.#handle.buffer("view");
    const action = { verb: "view", noun: "segment", name: this.name };
    const width = elementWidth(action, type);
    const inRange = Number.isSafeInteger(byteOffset) && byteOffset >= 0 && byteOffset <= this.size;
    if (!inRange) {
      const rule = `byteOffset must be an integer from 0 to ${this.size}`;
      throw new RangeError(misuse(action, rule, byteOffset));
    }
    if (byteOffset % width !== 0) {
      const rule = `byteOffset must be a multiple of ${width} for ${type.name}`;
      throw new RangeError(misuse(action, rule, byteOffset));
    }
    const most = Math.floor((this.size - byteOffset) / width);
    const count = length ?? most;
    if (!Number.isSafeInteger(count) || count < 0 || count > most) {
      const rule = `length must be an integer from 0 to ${most} at byteOffset ${byteOffset}`;
      throw new RangeError(misuse(action, rule, length));
    }
    return new type(buffer, byteOffset, count);
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
   */
  close(): void {
    if (this.closed) return;
    try {
      this.#release();
    } finally {
      this.#bytes = undefined;
      this.#handle.close();
    }
  }

  /** As {@linkcode close}, for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }

  static #create(unnamed: Action, creation: SegmentCreation): SharedSegment {
    const action = { ...unnamed, name: creation.name };
    const { size, lifetime } = creation;
    const draft = draftObject(action, creation);
    let handle: SegmentHandle | undefined;
    try {
      const status = statusOf(draft.fd);
      if (typeof status === "number") throw failure(action, status, "statx");
      const mapping = { size, writable: true, fillHoles: false };
      handle = new SegmentHandle(action, creation.name, { fd: draft.fd, status }, mapping);
      draft.publish();
    } catch (error) {
      draft.discard();
      if (handle === undefined) close(draft.fd);
      else handle.close();
      throw error;
    }
    return new SharedSegment(handle, true, lifetime);
  }

  static #wrap(
    handle: SegmentHandle,
    options: OpenOptions,
  ): SharedSegment | ReadonlySharedSegment {
    return options.readonly === true
      ? new ReadonlySharedSegment(handle)
      : new SharedSegment(handle, false, "persist");
  }
}

interface SegmentCreation extends Creation {
  readonly lifetime: Lifetime;
}

function checkCreation(action: Action, name: string, options: CreateOptions): SegmentCreation {
  const checkedName = creatableName(action, name);
  const named = { ...action, name: checkedName };
  if (typeof options !== "object" || options === null) {
    throw new TypeError(misuse(named, "options must be an object with a size", options));
  }
  const { size, mode = 0o600, reserve = true, lifetime = "persist" } = options;
  return {
    name: checkedName,
    size: checkSize(named, size),
    mode: checkMode(named, mode),
    reserve: checkChoice(named, "reserve", reserve, BOOLEANS),
    lifetime: checkChoice(named, "lifetime", lifetime, LIFETIMES),
  };
}

/** Opens a segment, checks it and maps it. */
function attachSegment(
  action: Action & { name: string },
  options: OpenOptions,
  expectedSize?: number,
  patienceMs: number = 0,
): SegmentHandle {
  checkOptions(action, options);
  const trust = checkChoice(action, "trust", options.trust ?? "owner", TRUSTS);
  const fillHoles = checkChoice(action, "reserve", options.reserve ?? true, BOOLEANS);
  const writable = !checkChoice(action, "readonly", options.readonly ?? false, BOOLEANS);
  const deadline = performance.now() + patienceMs;
  while (true) {
    const attached = attach(action, { writable, trust });
    try {
      const { size } = attached.status;
      if (size > 0 || performance.now() >= deadline) {
        checkFoundSize(action, size, expectedSize);
        return new SegmentHandle(action, action.name, attached, { size, writable, fillHoles });
      }
    } catch (error) {
      close(attached.fd);
      throw error;
    }
    close(attached.fd);
    sleep(1);
  }
}

function checkFoundSize(action: Action, size: number, expectedSize: number | undefined): void {
  if (size === 0) {
    throw stateError(
      action,
      "ERR_SHM_SIZE",
      "it is empty: whoever made it has not given it a size",
      "Wait for it with openAsync(), or unlink() it if its creator has died.",
    );
  }
  if (expectedSize !== undefined && size !== expectedSize) {
    throw stateError(
      action,
      "ERR_SHM_SIZE",
      `it exists with ${size} bytes, not ${expectedSize}`,
      "Ask for the size that it has, open() it as it is, or unlink() it first.",
    );
  }
}

function hasCode(error: unknown, ...codes: ShmErrorCode[]): boolean {
  return error instanceof ShmError && codes.includes(error.code);
}

function elementWidth(action: Action, type: unknown): number {
  const prototype = typeof type === "function" ? type.prototype : undefined;
  const isTypedArray = prototype instanceof Object.getPrototypeOf(Uint8Array);
  if (!isTypedArray && prototype !== DataView.prototype) {
    throw new TypeError(misuse(action, "type must be a class of typed arrays, or DataView", type));
  }
  return (type as { BYTES_PER_ELEMENT?: number }).BYTES_PER_ELEMENT ?? 1;
}
