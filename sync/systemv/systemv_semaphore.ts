/**
 * @module
 */

import { ShmError } from "../../errors.ts";
import type { AsyncWaitOptions, WaitOptions } from "../../memory/options.ts";
import { checkSystemVName, type SystemVName } from "../../memory/systemv/systemv_options.ts";
import { poll } from "../../memory/waiting.ts";
import { openOrCreateSet } from "./open_or_create_set.ts";
import {
  createSet,
  NOUN,
  openSet,
  removeSet,
  type SemaphoreSet,
  setExists,
  statOf,
  valueOf,
  valuesOf,
} from "./semaphore_set.ts";
import { SetHandle, type SystemVPermit } from "./set_handle.ts";
import {
  readSetTable,
  type SystemVSemaphoreSetStat,
  type SystemVSemaphoreStat,
} from "./set_info.ts";
import {
  checkSetCreation,
  checkTrust,
  type SetCreation,
  type SystemVAsyncWaitOptions,
  type SystemVOperation,
  type SystemVPostOptions,
  type SystemVSemaphoreCreateOptions,
  type SystemVSemaphoreOpenOptions,
  type SystemVSemaphoreOpenOrCreateOptions,
  type SystemVTakeOptions,
  type SystemVWaitOptions,
} from "./set_options.ts";

/**
 * A set of System V semaphores: what programs get that call `semget` and `semop`.
 *
 * Each counts permits, from 0 to 32767. Any process with the right to write may post and wait;
 * several operations, on one or several semaphores of the set, are done together or not at all. The
 * set is found by a key, as a `SystemVSegment` is, and exists until it is removed, even if nobody
 * uses it. A handle holds nothing of the kernel's.
 *
 * **What a process takes with `{ undo: true }` the kernel gives back when the process ends, whatever
 * it dies of.** That is the default of `acquire`. It is the end of the process that counts: the
 * kernel keeps one account for all threads, so that permits of a terminated worker stay taken until
 * then. The kernel gives back permits, and does not tell who gets them that their owner died.
 *
 * `try*` never blocks, a plain verb may block the thread, `*Async` returns a promise and never blocks
 * the event loop. Threads that are blocked are served at once; a promise asks again every 1 to 25 ms,
 * in no order, and may be overtaken by those who block.
 *
 * @example
 * ```ts
 * import { SystemVSemaphore } from "@shmkit/shmkit";
 *
 * using printers = SystemVSemaphore.create({ initialValue: 2, lifetime: "creator" });
 * {
 *   using _permit = printers.acquire({ timeout: 1000 }); // comes back even after kill -9
 *   console.log(printers.value); // 1
 * }
 * console.log(printers.value); // 2
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man2/semop.2.html | semop(2)}
 */
export class SystemVSemaphore implements Disposable {
  /** The number by which the kernel knows the set, from 0 to 2^31 - 1. */
  readonly id: number;
  /** The number by which it was created, from 1 to 2^32 - 1; 0 when it is private. */
  readonly key: number;
  /** How many semaphores are in the set. */
  readonly count: number;
  /** Whether this handle created the set, rather than found it. */
  readonly created: boolean;
  readonly #handle: SetHandle;

  private constructor(set: SemaphoreSet, creation?: SetCreation) {
    this.#handle = new SetHandle(set, creation?.lifetime ?? "persist");
    this.id = set.id;
    this.key = set.key;
    this.count = set.count;
    this.created = creation !== undefined;
  }

  /**
   * Creates a set, and gives its semaphores their values.
   *
   * The kernel makes it with zeros, and one operation adds the values; whoever opens it in between
   * sees zeros and may wait already. When this fails, the set is removed again. A process that is
   * killed in between leaves a set of zeros: see `uninitialised` of {@linkcode openOrCreate}.
   *
   * @param options Its values, and more. Without a key it is private: others open it by its id.
   * @returns A handle, to be closed; use `using`.
   * @throws {TypeError} When an option has the wrong type.
   * @throws {RangeError} When the key, count, a value or the mode is out of range.
   * @throws {ShmError} `EEXIST` when the key is taken, `EINVAL` when the machine allows fewer
   * semaphores in a set, `ENOSPC` when there are too many sets, `EIDRM` when somebody has removed it
   * at once.
   * @see {@link https://man7.org/linux/man-pages/man2/semget.2.html | semget(2)}
   */
  static create(options: SystemVSemaphoreCreateOptions): SystemVSemaphore {
    const action = { verb: "create", noun: NOUN };
    const creation = checkSetCreation(action, options);
    return new SystemVSemaphore(createSet(action, creation), creation);
  }

  /**
   * Opens a set that exists, whoever made it, and whether or not it has been given values.
   *
   * @param name Its key or its id.
   * @param options Whose sets are accepted.
   * @returns A handle, to be closed.
   * @throws {TypeError} When it is named by neither, or by both.
   * @throws {ShmError} `ENOENT` when there is none, `EACCES` without the right to read it,
   * `ERR_SHM_TRUST` when it is another user's or everybody may write to it.
   */
  static open(name: SystemVName, options: SystemVSemaphoreOpenOptions = {}): SystemVSemaphore {
    const action = { verb: "open", noun: NOUN };
    const checkedName = checkSystemVName(action, name);
    return new SystemVSemaphore(openSet(action, checkedName, checkTrust(action, options)));
  }

  /**
   * Waits until a set exists, then opens it as {@linkcode open} does. It asks again every 25 ms at
   * most, and does not block the event loop.
   *
   * @returns A promise of a handle; rejected with a `DOMException` named `TimeoutError` when the
   * time is over, with `signal.reason` when the signal is aborted, and with what `open` throws.
   */
  static async openAsync(
    name: SystemVName,
    options: SystemVSemaphoreOpenOptions & AsyncWaitOptions = {},
  ): Promise<SystemVSemaphore> {
    const action = { verb: "open", noun: NOUN };
    return await poll(action, () => {
      try {
        return SystemVSemaphore.open(name, options);
      } catch (error) {
        if (error instanceof ShmError && error.code === "ENOENT") return undefined;
        throw error;
      }
    }, options);
  }

  /**
   * Opens a set, or creates it when there is none. Of several processes that do this at once, one
   * creates it and gives it its values; the others **block** until it has them. {@linkcode created}
   * tells which.
   *
   * A set counts as initialised when it was operated on (`sem_otime`), or when each of its semaphores
   * was set by somebody, as C and Python programs do. One that is not within a second, because its
   * creator was killed or never meant to, is dealt with as `uninitialised` says.
   *
   * @param options Its key, its values, and more.
   * @throws {ShmError} `ERR_SHM_SIZE` when it exists with another count, `ETIMEDOUT` when it exists
   * and nobody initialises it, and what `create` and `open` throw.
   */
  static openOrCreate(options: SystemVSemaphoreOpenOrCreateOptions): SystemVSemaphore {
    const { set, creation } = openOrCreateSet({ verb: "open or create", noun: NOUN }, options);
    return new SystemVSemaphore(set, creation);
  }

  /**
   * What the kernel knows of all sets of the machine (of this container), whoever they belong to.
   *
   * @returns One for each; none where the kernel was built without them, or shows no table.
   * @throws {ShmError} `EACCES` where the kernel's table is hidden.
   */
  static list(): SystemVSemaphoreStat[] {
    return readSetTable({ verb: "list", noun: `${NOUN}s` });
  }

  /** Tells whether there is a set, whoever made it and whether or not it could be opened. */
  static exists(name: SystemVName): boolean {
    const action = { verb: "look up", noun: NOUN };
    return setExists(action, checkSystemVName(action, name));
  }

  /**
   * Removes a set at once, without opening it. Whoever waits for it or uses it gets `EIDRM`.
   *
   * @param name Its key or its id.
   * @returns Whether there was anything to remove.
   * @throws {ShmError} `EPERM` when it belongs to another user; by its key, also `EACCES`.
   */
  static remove(name: SystemVName): boolean {
    const action = { verb: "remove", noun: NOUN };
    return removeSet(action, checkSystemVName(action, name));
  }

  /** Whether `close()` was called. */
  get closed(): boolean {
    return this.#handle.closed;
  }

  /**
   * The number of permits of the first semaphore at this moment. It may have changed when you look.
   *
   * @throws {ShmError} `ERR_SHM_CLOSED`; `EIDRM` when the set was removed.
   */
  get value(): number {
    return valueOf(this.#handle.open("read"), this.#handle.set, 0);
  }

  /** The numbers of permits of all semaphores, at one moment. @throws {ShmError} As `value`. */
  get values(): number[] {
    return valuesOf(this.#handle.open("read"), this.#handle.set);
  }

  /**
   * Adds permits, and wakes who waits. Never waits.
   *
   * @param count How many: an integer from 1 to 32767. All or none are added.
   * @param options To which semaphore. With `undo`, **they are taken away again** when this process
   * ends: that is for what was taken with `undo`.
   * @throws {RangeError} When the count or the index is out of range.
   * @throws {ShmError} `ERANGE` when the value would pass 32767, `EACCES` without the right to write,
   * `EIDRM` when the set was removed, `ERR_SHM_CLOSED`.
   * @see {@link https://man7.org/linux/man-pages/man2/semop.2.html | semop(2)}
   */
  post(count: number = 1, options: SystemVPostOptions = {}): void {
    this.#handle.try("post", this.#handle.posting(count, options));
  }

  /**
   * Takes permits if they are there. Never blocks.
   *
   * @param options How many (1 by default), of which semaphore, and whether it is undone at the end
   * of this process (false by default).
   * @returns Whether they were taken: all or none.
   * @throws {ShmError} `ERR_SHM_CLOSED`, `EIDRM`, `EACCES`, as `post`.
   */
  tryWait(options: SystemVTakeOptions = {}): boolean {
    return this.#handle.try("wait for", this.#handle.taking("wait for", options, false));
  }

  /**
   * Takes permits, and **blocks the thread** until they are there.
   *
   * @param options As for `tryWait`, and `timeout` in milliseconds: 0 asks once, `Infinity` (the
   * default) waits for ever.
   * @returns Whether they were taken; false when the time was over first.
   * @throws {ShmError} `EIDRM` when the set is removed meanwhile, and as `tryWait`.
   */
  wait(options: SystemVWaitOptions = {}): boolean {
    return this.#handle.block("wait for", this.#handle.taking("wait for", options, false), options);
  }

  /**
   * Takes permits, without blocking the event loop: it asks again every 1 to 25 ms, so that a post
   * arrives that much later.
   *
   * @param options As for `wait`, and a `signal` that calls it off.
   * @returns A promise of whether they were taken: false when the time was over first. Rejected with
   * `signal.reason` when the signal is aborted, and with what `tryWait` throws, when that is so.
   */
  async waitAsync(options: SystemVAsyncWaitOptions = {}): Promise<boolean> {
    return await this.#handle.poll(
      "wait for",
      this.#handle.taking("wait for", options, false),
      options,
    );
  }

  /**
   * As {@linkcode wait}, as a permit that is given back at the end of its scope; or by the kernel at
   * the end of this process, unless `undo` is false.
   *
   * @throws {DOMException} `TimeoutError` when the time is over.
   */
  acquire(options: SystemVWaitOptions = {}): SystemVPermit {
    const taking = this.#handle.taking("acquire", options, true);
    if (this.#handle.block("acquire", taking, options)) return this.#handle.permit(taking);
    throw this.#handle.timeoutError("acquire", options);
  }

  /** As {@linkcode tryWait}, as a permit. @returns The permit, or null when there is none. */
  tryAcquire(options: SystemVTakeOptions = {}): SystemVPermit | null {
    const taking = this.#handle.taking("acquire", options, true);
    return this.#handle.try("acquire", taking) ? this.#handle.permit(taking) : null;
  }

  /**
   * As {@linkcode waitAsync}, as a permit. The promise is also rejected, with a `DOMException` named
   * `TimeoutError`, when the time is over.
   */
  async acquireAsync(options: SystemVAsyncWaitOptions = {}): Promise<SystemVPermit> {
    const taking = this.#handle.taking("acquire", options, true);
    if (await this.#handle.poll("acquire", taking, options)) return this.#handle.permit(taking);
    throw this.#handle.timeoutError("acquire", options);
  }

  /**
   * Does several operations together: all of them in one step, or none. **Blocks the thread** until
   * that is possible. `{ value: 0 }` waits until a semaphore has no permits.
   *
   * @param operations In the order in which they are done: from 1 to 500 as a rule.
   * @param options `timeout` in milliseconds.
   * @returns Whether they were done; false when the time was over first.
   * @throws {RangeError} When an index or a value is out of range, or there are no operations.
   * @throws {ShmError} `E2BIG` when the machine allows fewer operations, and what `post` and `wait`
   * throw.
   *
   * @example
   * ```ts
   * import { SystemVSemaphore } from "@shmkit/shmkit";
   *
   * using forks = SystemVSemaphore.create({ initialValue: [1, 1, 1], lifetime: "creator" });
   * forks.operate([{ index: 0, value: -1, undo: true }, { index: 1, value: -1, undo: true }]);
   * console.log(forks.values); // 0, 0, 1
   * ```
   */
  operate(operations: readonly SystemVOperation[], options: WaitOptions = {}): boolean {
    return this.#handle.block("operate on", this.#handle.operations(operations), options);
  }

  /** As {@linkcode operate}, but never blocks. @returns Whether they were done. */
  tryOperate(operations: readonly SystemVOperation[]): boolean {
    return this.#handle.try("operate on", this.#handle.operations(operations));
  }

  /** As {@linkcode operate}, without blocking the event loop, in the manner of `waitAsync`. */
  async operateAsync(
    operations: readonly SystemVOperation[],
    options: AsyncWaitOptions = {},
  ): Promise<boolean> {
    return await this.#handle.poll("operate on", this.#handle.operations(operations), options);
  }

  /**
   * What the kernel knows of the set now, and of each semaphore: also how many threads wait for it.
   *
   * @throws {ShmError} `ERR_SHM_CLOSED`; `EIDRM` when the set was removed.
   */
  stat(): SystemVSemaphoreSetStat {
    return statOf(this.#handle.open("stat"), this.#handle.set);
  }

  /**
   * Removes the set at once. Whoever waits for it or uses it gets `EIDRM`.
   *
   * @returns Whether it was there to be removed.
   * @throws {ShmError} `ERR_SHM_CLOSED`; `EPERM` when it belongs to another user.
   */
  remove(): boolean {
    return removeSet(this.#handle.open("remove"), { id: this.id });
  }

  /**
   * Ends the use of this handle. Pending `*Async` calls are rejected within 25 ms. It gives nothing
   * back. With `lifetime: "creator"`, the handle that created the set also removes it. Idempotent.
   */
  close(): void {
    this.#handle.close();
  }

  /** As {@linkcode close}, for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }
}
