/**
 * @module
 */

import { struct } from "../../layout/struct.ts";
import type { ObjectHandle } from "../../memory/objects/object_handle.ts";
import type {
  ObjectCreateOptions,
  ObjectOpenOrCreateOptions,
} from "../../memory/objects/object_options.ts";
import type { AsyncWaitOptions } from "../../memory/options.ts";
import type { SegmentStat } from "../../memory/segment_info.ts";
import { Mutex } from "../primitives/mutex.ts";
import { mutex } from "../fields.ts";
import {
  createNamed,
  existsNamed,
  homeOf,
  type NamedOpenOptions,
  openNamed,
  openNamedAsync,
  openOrCreateNamed,
  unlinkNamed,
} from "./named_object.ts";

const LAYOUT = struct("Mutex", { mutex });
const noun = "mutex";

/**
 * A lock that one holds at a time, of all threads and processes on the machine. **It survives
 * `kill -9`**: when its owner dies, of whatever cause, another gets it, and is told.
 *
 * - Who owns it is the guard. It is not recursive: a thread that locks it twice gets `EDEADLK`.
 * - A terminated worker counts as dead, a stopped process (`SIGSTOP`) as alive.
 * - After a death, who waits gets it within 50 ms (with the event loop, 250 ms at most) from when the
 *   kernel has released the memory of the dead: for large processes that may take a moment.
 * - Who has waited for 100 ms is served next, so that nobody starves.
 * - Locking and releasing take some 15 to 30 ns when nobody else wants it. (In V8 a `using` takes
 *   100 ns by itself.)
 * - As many threads as `participants` says take part at once, 64 by default: one more gets
 *   `ERR_SHM_FULL`.
 *
 * To guard data, rather put a `t.mutex` into the layout of a `SharedObject`: then the lock lies where the
 * data are. How it works is told in `docs/synchronisation.md`, and which lock to take in `docs/locks.md`.
 *
 * @example One at a time, and a repair after a death
 * ```ts
 * import { SharedMutex } from "@shmkit/shmkit";
 *
 * using mutex = SharedMutex.openOrCreate("doc-mutex");
 * {
 *   using guard = mutex.lock({ timeout: 1000 });
 *   if (guard.ownerDied) {
 *     // Whoever held it has died: put right what it guards, and then:
 *     guard.markConsistent();
 *   }
 * }
 * console.log(await mutex.withLockAsync(() => 42)); // 42
 * SharedMutex.unlink("doc-mutex");
 * ```
 */
export class SharedMutex extends Mutex implements Disposable {
  readonly #handle: ObjectHandle;

  private constructor(handle: ObjectHandle) {
    super(homeOf(handle, noun));
    this.#handle = handle;
    handle.watch(this);
  }

  /**
   * Creates a mutex that nobody holds. It appears under its name complete or not at all.
   *
   * @param name By the rule of `SharedSegment.create`, with which it shares the names.
   * @param options For how many threads, until when, and for whom.
   * @returns A handle, to be closed: use `using`.
   * @throws {TypeError | RangeError} When the name breaks the rule, or an option is wrong.
   * @throws {ShmError} `EEXIST` when the name is taken, `ENOSPC` when memory is short.
   */
  static create(name: string, options: ObjectCreateOptions = {}): SharedMutex {
    return new SharedMutex(createNamed({ verb: "create", noun }, name, "mutex", LAYOUT, options));
  }

  /**
   * Attaches to a mutex that exists.
   *
   * @throws {ShmError} `ENOENT` when there is none, `ERR_SHM_KIND` when it is something else, `EACCES`
   * without rights, `ERR_SHM_TRUST` when it is another user's.
   */
  static open(name: string, options: NamedOpenOptions = {}): SharedMutex {
    return new SharedMutex(openNamed({ verb: "open", noun }, name, "mutex", options).handle);
  }

  /**
   * Attaches to a mutex, or creates it when there is none: {@linkcode created} tells which.
   *
   * @throws {ShmError} What {@linkcode open} and {@linkcode create} throw, but for `ENOENT` and
   * `EEXIST`.
   */
  static openOrCreate(name: string, options: ObjectOpenOrCreateOptions = {}): SharedMutex {
    const action = { verb: "open or create", noun };
    return new SharedMutex(openOrCreateNamed(action, name, "mutex", LAYOUT, options));
  }

  /**
   * Waits until there is a mutex, then attaches to it as {@linkcode open} does. It asks again every
   * 25 ms at most, and does not block the event loop.
   *
   * @returns A promise of a handle; rejected with a `TimeoutError`, or with `signal.reason`.
   */
  static async openAsync(
    name: string,
    options: NamedOpenOptions & AsyncWaitOptions = {},
  ): Promise<SharedMutex> {
    const { handle } = await openNamedAsync({ verb: "open", noun }, name, "mutex", options);
    return new SharedMutex(handle);
  }

  /** Tells whether there is anything of that name, whatever it is. */
  static exists(name: string): boolean {
    return existsNamed({ verb: "look up", noun }, name);
  }

  /**
   * Removes a name, whatever it is of. Whoever is attached goes on with what it has.
   *
   * @returns Whether there was anything to remove.
   * @throws {ShmError} `EACCES` or `EPERM` when it belongs to another user.
   */
  static unlink(name: string): boolean {
    return unlinkNamed({ verb: "unlink", noun }, name);
  }

  /** The name, without a leading slash. */
  get name(): string {
    return this.#handle.name;
  }

  /** Whether this handle created it, rather than found it. */
  get created(): boolean {
    return this.#handle.created;
  }

  /** Whether {@linkcode close} was called. */
  get closed(): boolean {
    return this.#handle.closed;
  }

  /**
   * What the kernel knows of its file now.
   *
   * @throws {ShmError} `ERR_SHM_CLOSED`.
   */
  stat(): SegmentStat {
    return this.#handle.stat();
  }

  /**
   * Removes the name, unless somebody else has taken it. Whoever is attached goes on.
   *
   * @returns Whether there was anything to remove.
   * @throws {ShmError} `ERR_SHM_CLOSED`; `EACCES` or `EPERM` when it belongs to another user.
   */
  unlink(): boolean {
    return this.#handle.unlink();
  }

  /**
   * Detaches. Pending promises of this handle are rejected with `ERR_SHM_CLOSED`. Idempotent.
   *
   * @throws {ShmError} `EBUSY` while a guard that came from this handle is held: nothing is closed then.
   */
  close(): void {
    this.#handle.close();
  }

  /** As {@linkcode close}, for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }
}
