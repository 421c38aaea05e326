/**
 * @module
 */

import { Attempts } from "./attempts.ts";
import { atExit } from "./exit.ts";
import { ReadonlyMemory } from "./readonly_memory.ts";
import type { SystemVStat } from "./segment_info.ts";
import { ReadonlySegmentWindow, SegmentWindow } from "./segment_window.ts";
import {
  createSystemV,
  openSystemV,
  removeSystemV,
  systemVExists,
  type SystemVHandle,
} from "./systemv/systemv_handle.ts";
import {
  checkSystemVAccess,
  checkSystemVCreation,
  checkSystemVName,
  type SystemVCreateOptions,
  type SystemVLifetime,
  type SystemVName,
  type SystemVOpenOptions,
  type SystemVOpenOrCreateOptions,
} from "./systemv/systemv_options.ts";
import { readSystemVTable } from "./systemv/systemv_table.ts";
import { misuse, ShmError, type ShmErrorCode } from "../errors.ts";
import type { AsyncWaitOptions } from "./options.ts";
import { poll } from "./waiting.ts";
import { WritableMemory } from "./writable_memory.ts";

/**
 * A System V shared-memory segment: what programs get that call `shmget` and `shmat`.
 *
 * It is found by a key, a number that its programs agree on (see {@linkcode ftok}), or by its id. It
 * has no descriptor, and its size never changes. New programs are better served by `SharedSegment`:
 * keys collide, and there is no way to fill memory in advance but `prefault`.
 *
 * @example The classic pair, in one process for brevity
 * ```ts
 * import { SystemVSegment } from "@shmkit/shmkit";
 *
 * using writer = SystemVSegment.create({ size: 4096, lifetime: "lastDetach" });
 * writer.bytes.set([1, 2, 3]);
 *
 * using reader = SystemVSegment.open({ id: writer.id }, { readonly: true });
 * console.log(reader.copy(0, 3)); // 1, 2, 3
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man7/sysvipc.7.html | sysvipc(7)}
 */
export class SystemVSegment extends WritableMemory {
  /** Whether this handle created the segment, rather than found it. */
  readonly created: boolean;
  readonly #handle: SystemVHandle;
  readonly #removeAtClose: () => void;

  private constructor(handle: SystemVHandle, created: boolean, lifetime: SystemVLifetime) {
    super(handle);
    this.#handle = handle;
    this.created = created;
    handle.watch(this);
    this.#removeAtClose = () => {};
    if (lifetime === "creator") {
      const remove = () => removeSystemV({ verb: "remove", noun: "" }, { id: handle.id });
      const callOff = atExit(remove);
      this.#removeAtClose = () => {
        callOff();
        remove();
      };
    }
  }

  /**
   * Creates a segment, filled with zeros, and attaches to it.
   *
   * @param options Its size, and more. Without a key it is private: others open it by its id.
   * @returns A handle, to be closed.
   * @throws {TypeError} When an option has the wrong type.
   * @throws {RangeError} When the key, size or mode is out of range.
   * @throws {ShmError} `EEXIST` when the key is taken, `EINVAL` when the size is beyond the limit of
   * the machine, `ENOSPC` when there are too many segments, `ENOMEM` when memory or huge pages are
   * short.
   * @see {@link https://man7.org/linux/man-pages/man2/shmget.2.html | shmget(2)}
   */
  static create(options: SystemVCreateOptions): SystemVSegment {
    const action = { verb: "create", noun: "System V segment" };
    const creation = checkSystemVCreation(action, options);
    return new SystemVSegment(createSystemV(action, creation), true, creation.lifetime);
  }

  /**
   * Attaches to a segment that exists.
   *
   * @param name Its key or its id.
   * @param options How to attach.
   * @returns A handle, to be closed; with `readonly`, one that only reads.
   * @throws {TypeError} When it is named by neither, or by both.
   * @throws {ShmError} `ENOENT` when there is none, `EACCES` without rights, `ERR_SHM_TRUST` when it
   * is another user's or everybody may write to it.
   * @see {@link https://man7.org/linux/man-pages/man2/shmat.2.html | shmat(2)}
   */
  static open(
    name: SystemVName,
    options: SystemVOpenOptions & { readonly: true },
  ): ReadonlySystemVSegment;
  /** Attaches to a segment that exists, for reading and writing. */
  static open(
    name: SystemVName,
    options?: SystemVOpenOptions & { readonly?: false },
  ): SystemVSegment;
  /** Attaches to a segment that exists, for reading or for both. */
  static open(
    name: SystemVName,
    options: SystemVOpenOptions,
  ): SystemVSegment | ReadonlySystemVSegment;
  static open(
    name: SystemVName,
    options: SystemVOpenOptions = {},
  ): SystemVSegment | ReadonlySystemVSegment {
    const action = { verb: "open", noun: "System V segment" };
    const checkedName = checkSystemVName(action, name);
    const handle = openSystemV(action, checkedName, checkSystemVAccess(action, options));
    return handle.writable
      ? new SystemVSegment(handle, false, "persist")
      : new ReadonlySystemVSegment(handle);
  }

  /**
   * Waits until a segment exists, then attaches to it as {@linkcode open} does. It asks again every
   * 25 ms at most, and does not block the event loop.
   *
   * @param name Its key or its id.
   * @param options How to attach, and how long to wait.
   * @returns A promise of a handle; rejected with a `DOMException` named `TimeoutError` when the
   * time is over, with `signal.reason` when the signal is aborted, and with what `open` throws.
   */
  static openAsync(
    name: SystemVName,
    options: SystemVOpenOptions & AsyncWaitOptions & { readonly: true },
  ): Promise<ReadonlySystemVSegment>;
  /** Waits until a segment exists, then attaches to it for reading and writing. */
  static openAsync(
    name: SystemVName,
    options?: SystemVOpenOptions & AsyncWaitOptions & { readonly?: false },
  ): Promise<SystemVSegment>;
  /** Waits until a segment exists, then attaches to it for reading or for both. */
  static openAsync(
    name: SystemVName,
    options: SystemVOpenOptions & AsyncWaitOptions,
  ): Promise<SystemVSegment | ReadonlySystemVSegment>;
  static async openAsync(
    name: SystemVName,
    options: SystemVOpenOptions & AsyncWaitOptions = {},
  ): Promise<SystemVSegment | ReadonlySystemVSegment> {
    const action = { verb: "open", noun: "System V segment" };
    return await poll(action, () => {
      try {
        return SystemVSegment.open(name, options);
      } catch (error) {
        if (error instanceof ShmError && error.code === "ENOENT") return undefined;
        throw error;
      }
    }, options);
  }

  /**
   * Attaches to a segment, or creates it when there is none. Of several processes that do this at
   * once, one creates. {@linkcode created} tells which.
   *
   * @param options Its key, its size, and more.
   * @returns A handle, to be closed.
   * @throws {ShmError} `ERR_SHM_SIZE` when it exists with another size, and what `create` and `open`
   * throw.
   */
  static openOrCreate(options: SystemVOpenOrCreateOptions): SystemVSegment {
    const action = { verb: "open or create", noun: "System V segment" };
    const creation = checkSystemVCreation(action, options);
    // Each option is read once: what was checked is what is used.
    const { key } = creation;
    if (key === undefined) throw new TypeError(misuse(action, "key must be given", key));
    const { trust } = options;
    const access = checkSystemVAccess(action, {
      ...creation,
      ...(trust !== undefined && { trust }),
    });
    const attempts = new Attempts();
    while (true) {
      try {
        const handle = openSystemV(action, { key }, access, creation.size);
        return new SystemVSegment(handle, false, "persist");
      } catch (error) {
        if (!hasCode(error, "ENOENT")) throw error;
      }
      try {
        return new SystemVSegment(createSystemV(action, creation), true, creation.lifetime);
      } catch (error) {
        // ENOENT: somebody has removed it before it was attached.
        if (!hasCode(error, "EEXIST", "ENOENT") || !attempts.goOn()) throw error;
      }
    }
  }

  /**
   * What the kernel knows of all System V segments of the machine (of this container), whoever they
   * belong to.
   *
   * @returns One for each; none where the kernel was built without them, or shows no table.
   * @throws {ShmError} `EACCES` where the kernel's table is hidden.
   * @see {@link https://man7.org/linux/man-pages/man5/proc_sysvipc.5.html | proc_sysvipc(5)}
   */
  static list(): SystemVStat[] {
    return readSystemVTable({ verb: "list", noun: "System V segments" });
  }

  /**
   * Tells whether there is a segment, whoever made it and whether or not it could be opened.
   *
   * @param name Its key or its id.
   */
  static exists(name: SystemVName): boolean {
    const action = { verb: "look up", noun: "System V segment" };
    return systemVExists(action, checkSystemVName(action, name));
  }

  /**
   * Marks a segment for removal, without attaching to it: it can no longer be found by its key, and
   * is freed when the last process detaches, which may be at once.
   *
   * @param name Its key or its id.
   * @returns Whether there was anything to remove.
   * @throws {ShmError} `EPERM` when it belongs to another user.
   * @see {@link https://man7.org/linux/man-pages/man2/shmctl.2.html | shmctl(2)}
   */
  static remove(name: SystemVName): boolean {
    const action = { verb: "remove", noun: "System V segment" };
    return removeSystemV(action, checkSystemVName(action, name));
  }

  /** The number by which the kernel knows it, from 0 to 2^31 - 1. */
  get id(): number {
    return this.#handle.id;
  }

  /** The number by which it was created, from 1 to 2^32 - 1; 0 when it is private. */
  get key(): number {
    return this.#handle.key;
  }

  /**
   * What the kernel knows of the segment now.
   *
   * @throws {ShmError} `ERR_SHM_CLOSED`.
   */
  stat(): SystemVStat {
    return this.#handle.stat();
  }

  /**
   * Attaches to the segment once more and shows a part of it, for segments with more bytes than fit
   * into an `ArrayBuffer`.
   *
   * @param byteOffset Where the part starts.
   * @param byteLength How many bytes it has: 1 at least.
   * @throws {RangeError} When it is not within the segment.
   */
  window(byteOffset: number, byteLength: number): SegmentWindow {
    return new SegmentWindow(this.#handle.window(byteOffset, byteLength), byteOffset);
  }

  /**
   * Marks the segment for removal: it can no longer be found by its key, and is freed when the last
   * process detaches. Until then it can still be opened by its id.
   *
   * @returns Whether it was there to be marked.
   * @throws {ShmError} `ERR_SHM_CLOSED`; `EPERM` when it belongs to another user.
   */
  remove(): boolean {
    return this.#handle.remove();
  }

  /**
   * Detaches from the segment. Every view becomes empty. With `lifetime: "creator"`, the handle that
   * created it also removes it. Idempotent.
   */
  override close(): void {
    if (this.closed) return;
    try {
      // Before it is detached: an id that nobody is attached to may be another segment's by now.
      this.#removeAtClose();
    } finally {
      this.#handle.close();
    }
  }
}

function hasCode(error: unknown, ...codes: ShmErrorCode[]): boolean {
  return error instanceof ShmError && codes.includes(error.code);
}

/** A System V segment that this process can read and cannot change. */
export class ReadonlySystemVSegment extends ReadonlyMemory {
  readonly #handle: SystemVHandle;

  /** @ignore Use `SystemVSegment.open(name, { readonly: true })`. */
  constructor(handle: SystemVHandle) {
    super(handle);
    this.#handle = handle;
    handle.watch(this);
  }

  /** The number by which the kernel knows it. */
  get id(): number {
    return this.#handle.id;
  }

  /** The number by which it was created; 0 when it is private. */
  get key(): number {
    return this.#handle.key;
  }

  /** What the kernel knows of the segment now. */
  stat(): SystemVStat {
    return this.#handle.stat();
  }

  /** Attaches to the segment once more and shows a part of it. */
  window(byteOffset: number, byteLength: number): ReadonlySegmentWindow {
    return new ReadonlySegmentWindow(this.#handle.window(byteOffset, byteLength), byteOffset);
  }
}
