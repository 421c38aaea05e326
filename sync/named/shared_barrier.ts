/**
 * @module
 */

import type { Fields } from "../../layout/field.ts";
import { type Struct, struct } from "../../layout/struct.ts";
import type { ObjectHandle } from "../../memory/objects/object_handle.ts";
import type { ObjectCreateOptions } from "../../memory/objects/object_options.ts";
import type { AsyncWaitOptions, Trust } from "../../memory/options.ts";
import type { SegmentStat } from "../../memory/segment_info.ts";
import { barrier } from "../fields.ts";
import { Barrier } from "../primitives/barrier.ts";
import {
  countIn,
  countOf,
  createNamed,
  existsNamed,
  homeOf,
  type NamedOpenOptions,
  type OpenedNamed,
  openNamed,
  openNamedAsync,
  openOrCreateNamed,
  unlinkNamed,
} from "./named_object.ts";

const noun = "barrier";
const layoutOf = (parties: number): Struct<Fields> =>
  struct("Barrier", { barrier: barrier(parties) });

/** Room for each party to be a thread. */
const withRoom = <T extends SharedBarrierCreateOptions>(options: T): T => ({
  ...options,
  participants: options.participants ?? Math.max(64, options.parties),
});

/** How `SharedBarrier.create()` makes one. */
export interface SharedBarrierCreateOptions extends ObjectCreateOptions {
  /** How many have to arrive: 1 to 1000. */
  parties: number;
  /** As of every object, but never fewer by default than there are parties. */
  participants?: number;
}

/** How `SharedBarrier.openOrCreate()` opens or makes one. */
export interface SharedBarrierOpenOrCreateOptions extends SharedBarrierCreateOptions {
  /** Whose objects are accepted when there is one; `"owner"` by default. */
  trust?: Trust;
}

/**
 * A point that so many parties reach together, again and again: threads and processes, of all on the
 * machine. **Nobody waits for the dead**: parties join first, and when one of them dies, of whatever
 * cause, the barrier is broken: all who wait get `ERR_SHM_BROKEN_BARRIER`, until somebody calls `reset()`.
 *
 * - A thread is one party, and joins with its first arrival; `join()` gives further ones.
 * - A handle that is closed without `leave()` breaks it, too, for those who are left. When nobody is, it
 *   is whole again for those who join next.
 * - A terminated worker counts as dead, a stopped process (`SIGSTOP`) as alive: it is waited for. Deaths
 *   are noticed within 50 ms, with the event loop 250 ms at most.
 * - An arrival that is called off, by a time-out or a signal, is withdrawn, as if it had not been.
 * - 1 to 1000 parties. One more that joins gets `EBUSY`. There is room for 64 threads, or for as many as
 *   there are parties, unless `participants` says otherwise.
 *
 * @example Two parties, in steps
 * ```ts
 * import { SharedBarrier } from "@shmkit/shmkit";
 *
 * using step = SharedBarrier.create("doc-step", { parties: 2, lifetime: "creator" });
 *
 * // Each in a process of its own, as a rule, which calls step.arriveAndWait().
 * using first = step.join();
 * using second = step.join();
 * const leads = await Promise.all([first.arriveAndWaitAsync(), second.arriveAndWaitAsync()]);
 * console.log(leads.filter((leader) => leader).length); // 1
 * ```
 */
export class SharedBarrier extends Barrier implements Disposable {
  readonly #handle: ObjectHandle;

  private constructor(handle: ObjectHandle, parties: number) {
    super(homeOf(handle, noun), parties);
    this.#handle = handle;
    handle.watch(this);
  }

  /**
   * Creates a barrier that nobody has joined. It appears under its name complete or not at all.
   *
   * @param name By the rule of `SharedSegment.create`, with which it shares the names.
   * @param options How many parties; until when, and for whom.
   * @returns A handle, to be closed: use `using`.
   * @throws {TypeError | RangeError} When the name breaks the rule, or an option is wrong.
   * @throws {ShmError} `EEXIST` when the name is taken, `ENOSPC` when memory is short.
   */
  static create(name: string, options: SharedBarrierCreateOptions): SharedBarrier {
    const action = { verb: "create", noun };
    const parties = countIn(action, name, options, "parties", 1000);
    const handle = createNamed(action, name, "barrier", layoutOf(parties), withRoom(options));
    return new SharedBarrier(handle, parties);
  }

  /**
   * Attaches to a barrier that exists, of however many parties: the property says it.
   *
   * @throws {ShmError} `ENOENT` when there is none, `ERR_SHM_KIND` when it is something else, `EACCES`
   * without rights, `ERR_SHM_TRUST` when it is another user's.
   */
  static open(name: string, options: NamedOpenOptions = {}): SharedBarrier {
    return SharedBarrier.#wrap(openNamed({ verb: "open", noun }, name, "barrier", options));
  }

  /**
   * Attaches to a barrier, or creates it when there is none: {@linkcode created} tells which.
   *
   * @throws {ShmError} What {@linkcode open} and {@linkcode create} throw, but for `ENOENT` and
   * `EEXIST`; `ERR_SHM_LAYOUT`, with the difference, when it has another number of parties.
   */
  static openOrCreate(name: string, options: SharedBarrierOpenOrCreateOptions): SharedBarrier {
    const action = { verb: "open or create", noun };
    const parties = countIn(action, name, options, "parties", 1000);
    const handle = openOrCreateNamed(action, name, "barrier", layoutOf(parties), withRoom(options));
    return new SharedBarrier(handle, parties);
  }

  /**
   * Waits until there is a barrier, then attaches to it as {@linkcode open} does. It asks again every
   * 25 ms at most, and does not block the event loop.
   *
   * @returns A promise of a handle; rejected with a `TimeoutError`, or with `signal.reason`.
   */
  static async openAsync(
    name: string,
    options: NamedOpenOptions & AsyncWaitOptions = {},
  ): Promise<SharedBarrier> {
    return SharedBarrier.#wrap(
      await openNamedAsync({ verb: "open", noun }, name, "barrier", options),
    );
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
   * Detaches. Pending promises of this handle are rejected with `ERR_SHM_CLOSED`. Parties that have
   * joined through it and not left are missing from now on: that breaks the barrier. Idempotent.
   */
  close(): void {
    this.#handle.close();
  }

  /** As {@linkcode close}, for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }

  static #wrap(opened: OpenedNamed): SharedBarrier {
    return new SharedBarrier(opened.handle, countOf(opened, "parties"));
  }
}
