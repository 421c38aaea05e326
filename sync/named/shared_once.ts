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
import { Once } from "../primitives/once.ts";
import { once } from "../fields.ts";
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

const LAYOUT = struct("Once", { once });
const noun = "once-flag";

/**
 * Runs a function once, whoever comes first of all threads and processes on the machine; the others wait
 * for its end, and see what it has written.
 *
 * - When the function throws, the next one runs it. **When whoever runs it is killed, the next one runs
 *   it, too**, and is told: what it makes may be half made.
 * - It is done once for as long as the name exists: also for processes that start tomorrow, until
 *   `unlink`. There is no reset.
 * - A terminated worker counts as dead, a stopped process (`SIGSTOP`) as alive. After a death, who waits
 *   goes on within 50 ms, with the event loop 250 ms at most.
 * - A function that waits for itself is `EDEADLK`.
 * - As many threads as `participants` says take part at once, 64 by default: one more gets
 *   `ERR_SHM_FULL`.
 *
 * To initialise data, rather put a `t.once` into the layout of a `SharedObject`, or give the first value
 * to `SharedObject.openOrCreate`, which nobody sees half made.
 *
 * @example Whoever comes first does it
 * ```ts
 * import { SharedOnce } from "@shmkit/shmkit";
 *
 * using migration = SharedOnce.openOrCreate("doc-migration", { lifetime: "lastDetach" });
 * const ran = migration.run((ownerDied) => {
 *   if (ownerDied) {
 *     // Somebody has begun it, and died: undo that first.
 *   }
 * });
 * console.log(ran, migration.run(() => {}), migration.done); // true false true
 * ```
 */
export class SharedOnce extends Once implements Disposable {
  readonly #handle: ObjectHandle;

  private constructor(handle: ObjectHandle) {
    super(homeOf(handle, noun));
    this.#handle = handle;
    handle.watch(this);
  }

  /**
   * Creates a once-flag that is not done. It appears under its name complete or not at all.
   *
   * @param name By the rule of `SharedSegment.create`, with which it shares the names.
   * @param options For how many threads, until when, and for whom.
   * @returns A handle, to be closed: use `using`.
   * @throws {TypeError | RangeError} When the name breaks the rule, or an option is wrong.
   * @throws {ShmError} `EEXIST` when the name is taken, `ENOSPC` when memory is short.
   */
  static create(name: string, options: ObjectCreateOptions = {}): SharedOnce {
    return new SharedOnce(createNamed({ verb: "create", noun }, name, "once", LAYOUT, options));
  }

  /**
   * Attaches to a once-flag that exists.
   *
   * @throws {ShmError} `ENOENT` when there is none, `ERR_SHM_KIND` when it is something else, `EACCES`
   * without rights, `ERR_SHM_TRUST` when it is another user's.
   */
  static open(name: string, options: NamedOpenOptions = {}): SharedOnce {
    return new SharedOnce(openNamed({ verb: "open", noun }, name, "once", options).handle);
  }

  /**
   * Attaches to a once-flag, or creates it when there is none: {@linkcode created} tells which.
   *
   * @throws {ShmError} What {@linkcode open} and {@linkcode create} throw, but for `ENOENT` and
   * `EEXIST`.
   */
  static openOrCreate(name: string, options: ObjectOpenOrCreateOptions = {}): SharedOnce {
    const action = { verb: "open or create", noun };
    return new SharedOnce(openOrCreateNamed(action, name, "once", LAYOUT, options));
  }

  /**
   * Waits until there is a once-flag, then attaches to it as {@linkcode open} does. It asks again every
   * 25 ms at most, and does not block the event loop.
   *
   * @returns A promise of a handle; rejected with a `TimeoutError`, or with `signal.reason`.
   */
  static async openAsync(
    name: string,
    options: NamedOpenOptions & AsyncWaitOptions = {},
  ): Promise<SharedOnce> {
    const { handle } = await openNamedAsync({ verb: "open", noun }, name, "once", options);
    return new SharedOnce(handle);
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
   * @throws {ShmError} `EBUSY` while a function runs that came to this handle: nothing is closed then.
   */
  close(): void {
    this.#handle.close();
  }

  /** As {@linkcode close}, for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }
}
