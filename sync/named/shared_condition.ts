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
import { Condition } from "../primitives/condition.ts";
import { condition } from "../fields.ts";
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

const LAYOUT = struct("Condition", { condition });
const noun = "condition";

/**
 * Lets those who hold a lock wait until others have changed what it guards: threads and processes, of
 * all on the machine. The lock is that of any mutex, with a name or in an object, or the exclusive one of
 * a read-write lock: all who use the condition have to take the same one.
 *
 * - A wait releases the lock, sleeps, and has it again when it ends, however it ends.
 * - It takes a predicate, and ends when that is true. The predicate is looked at after each notification
 *   and every 50 ms besides: **whoever changed the data may have been killed before it could notify**,
 *   and nobody waits longer for that.
 * - When somebody dies with the lock, `guard.ownerDied` says so to the predicate, too.
 * - `wait` blocks the thread, `waitAsync` does not, and neither does `notify`.
 * - As many threads as `participants` says take part at once, 64 by default: one more gets
 *   `ERR_SHM_FULL`.
 *
 * @example A job is waited for, under a mutex that has a name, too
 * ```ts
 * import { SharedCondition, SharedMutex } from "@shmkit/shmkit";
 *
 * using mutex = SharedMutex.create("doc-jobs-mutex", { lifetime: "creator" });
 * using arrived = SharedCondition.create("doc-jobs-arrived", { lifetime: "creator" });
 * const jobs: string[] = []; // in real life, in shared memory
 *
 * const working = mutex.withLockAsync(async (guard) => {
 *   await arrived.waitAsync(guard, () => jobs.length > 0, { timeout: 1000 });
 *   return jobs.shift();
 * });
 * await mutex.withLockAsync(() => { // any other process does it like this
 *   jobs.push("sweep");
 *   arrived.notify();
 * });
 * console.log(await working); // sweep
 * ```
 */
export class SharedCondition extends Condition implements Disposable {
  readonly #handle: ObjectHandle;

  private constructor(handle: ObjectHandle) {
    super(homeOf(handle, noun));
    this.#handle = handle;
    handle.watch(this);
  }

  /**
   * Creates a condition for which nobody waits. It appears under its name complete or not at all.
   *
   * @param name By the rule of `SharedSegment.create`, with which it shares the names.
   * @param options For how many threads, until when, and for whom.
   * @returns A handle, to be closed: use `using`.
   * @throws {TypeError | RangeError} When the name breaks the rule, or an option is wrong.
   * @throws {ShmError} `EEXIST` when the name is taken, `ENOSPC` when memory is short.
   */
  static create(name: string, options: ObjectCreateOptions = {}): SharedCondition {
    return new SharedCondition(
      createNamed({ verb: "create", noun }, name, "condition", LAYOUT, options),
    );
  }

  /**
   * Attaches to a condition that exists.
   *
   * @throws {ShmError} `ENOENT` when there is none, `ERR_SHM_KIND` when it is something else, `EACCES`
   * without rights, `ERR_SHM_TRUST` when it is another user's.
   */
  static open(name: string, options: NamedOpenOptions = {}): SharedCondition {
    return new SharedCondition(
      openNamed({ verb: "open", noun }, name, "condition", options).handle,
    );
  }

  /**
   * Attaches to a condition, or creates it when there is none: {@linkcode created} tells which.
   *
   * @throws {ShmError} What {@linkcode open} and {@linkcode create} throw, but for `ENOENT` and
   * `EEXIST`.
   */
  static openOrCreate(name: string, options: ObjectOpenOrCreateOptions = {}): SharedCondition {
    const action = { verb: "open or create", noun };
    return new SharedCondition(openOrCreateNamed(action, name, "condition", LAYOUT, options));
  }

  /**
   * Waits until there is a condition, then attaches to it as {@linkcode open} does. It asks again every
   * 25 ms at most, and does not block the event loop.
   *
   * @returns A promise of a handle; rejected with a `TimeoutError`, or with `signal.reason`.
   */
  static async openAsync(
    name: string,
    options: NamedOpenOptions & AsyncWaitOptions = {},
  ): Promise<SharedCondition> {
    const { handle } = await openNamedAsync({ verb: "open", noun }, name, "condition", options);
    return new SharedCondition(handle);
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
   * Detaches. Pending promises of this handle are rejected with `ERR_SHM_CLOSED`, as soon as they have
   * their lock again. Idempotent.
   */
  close(): void {
    this.#handle.close();
  }

  /** As {@linkcode close}, for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }
}
