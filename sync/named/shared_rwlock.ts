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
import { RwLock } from "../primitives/rwlock.ts";
import { rwlock } from "../fields.ts";
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

const LAYOUT = struct("RwLock", { rwlock });
const noun = "read-write lock";

/**
 * A lock that any number of readers share, or one writer has exclusively, of all threads and processes
 * on the machine. **It survives `kill -9`**: the death of a reader is no matter; that of a writer is told
 * to all who lock it, until a writer has called `markConsistent()`.
 *
 * - A writer that waits keeps new readers out, and a reader that has waited for 100 ms comes next:
 *   neither starves the other.
 * - A thread that shares it may share it again; no shared lock becomes an exclusive one (`EDEADLK`).
 * - A terminated worker counts as dead, a stopped process (`SIGSTOP`) as alive. After a death, who waits
 *   goes on within 50 ms, with the event loop 250 ms at most.
 * - It costs more than a `SharedMutex`: take it where several read at once, for longer than it takes to
 *   lock. Each participant takes 64 bytes more.
 * - As many threads as `participants` says take part at once, 64 by default: one more gets
 *   `ERR_SHM_FULL`. A writer looks at each of them: do not ask for more than you need.
 *
 * To guard data, rather put a `t.rwlock` into the layout of a `SharedObject`.
 *
 * @example Readers together, a writer alone
 * ```ts
 * import { SharedRwLock } from "@shmkit/shmkit";
 *
 * using config = SharedRwLock.create("doc-rwlock", { lifetime: "creator" });
 * {
 *   using first = config.lockShared();
 *   using second = config.lockShared();
 *   console.log(first.held, second.held, config.tryLockExclusive()); // true true null
 * }
 * config.withExclusive((guard) => {
 *   if (guard.ownerDied) guard.markConsistent(); // after a repair
 * });
 * ```
 */
export class SharedRwLock extends RwLock implements Disposable {
  readonly #handle: ObjectHandle;

  private constructor(handle: ObjectHandle) {
    super(homeOf(handle, noun));
    this.#handle = handle;
    handle.watch(this);
  }

  /**
   * Creates a read-write lock that nobody holds. It appears under its name complete or not at all.
   *
   * @param name By the rule of `SharedSegment.create`, with which it shares the names.
   * @param options For how many threads, until when, and for whom.
   * @returns A handle, to be closed: use `using`.
   * @throws {TypeError | RangeError} When the name breaks the rule, or an option is wrong.
   * @throws {ShmError} `EEXIST` when the name is taken, `ENOSPC` when memory is short.
   */
  static create(name: string, options: ObjectCreateOptions = {}): SharedRwLock {
    return new SharedRwLock(createNamed({ verb: "create", noun }, name, "rwlock", LAYOUT, options));
  }

  /**
   * Attaches to a read-write lock that exists.
   *
   * @throws {ShmError} `ENOENT` when there is none, `ERR_SHM_KIND` when it is something else, `EACCES`
   * without rights, `ERR_SHM_TRUST` when it is another user's.
   */
  static open(name: string, options: NamedOpenOptions = {}): SharedRwLock {
    return new SharedRwLock(openNamed({ verb: "open", noun }, name, "rwlock", options).handle);
  }

  /**
   * Attaches to a read-write lock, or creates it when there is none: {@linkcode created} tells which.
   *
   * @throws {ShmError} What {@linkcode open} and {@linkcode create} throw, but for `ENOENT` and
   * `EEXIST`.
   */
  static openOrCreate(name: string, options: ObjectOpenOrCreateOptions = {}): SharedRwLock {
    const action = { verb: "open or create", noun };
    return new SharedRwLock(openOrCreateNamed(action, name, "rwlock", LAYOUT, options));
  }

  /**
   * Waits until there is a read-write lock, then attaches to it as {@linkcode open} does. It asks again every
   * 25 ms at most, and does not block the event loop.
   *
   * @returns A promise of a handle; rejected with a `TimeoutError`, or with `signal.reason`.
   */
  static async openAsync(
    name: string,
    options: NamedOpenOptions & AsyncWaitOptions = {},
  ): Promise<SharedRwLock> {
    const { handle } = await openNamedAsync({ verb: "open", noun }, name, "rwlock", options);
    return new SharedRwLock(handle);
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
