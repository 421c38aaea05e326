/**
 * @module
 */

import { type Action, ShmError, stateError, timeoutError } from "../../errors.ts";
import {
  failure,
  type NativeSemaphore,
  platform,
  refusal,
  semFileName,
  semUnlink,
} from "../../ffi/mod.ts";
import { nameExists } from "../../memory/files/attach.ts";
import { existingName } from "../../memory/names.ts";
import {
  type AsyncWaitOptions,
  checkInteger,
  checkOptions,
  checkSignal,
  checkTimeout,
  type WaitOptions,
} from "../../memory/options.ts";
import { poll } from "../../memory/waiting.ts";
import { createSemaphore, openSemaphore } from "./open_semaphore.ts";
import {
  checkCreation,
  type SemaphoreCreateOptions,
  type SemaphoreOpenOptions,
} from "./semaphore_options.ts";
import { hasWaiters, waitInLine } from "./semaphore_waiters.ts";

/**
 * A permit taken by {@linkcode NamedSemaphore.acquire}: it is posted back when it is disposed of.
 */
export interface SemaphorePermit extends Disposable {
  /**
   * Posts the permit back. Idempotent.
   *
   * @throws {ShmError} `ERR_SHM_CLOSED` when its semaphore was closed before: the permit is lost.
   */
  release(): void;
}

/** A wait blocks this long at a time, so that it is never in the kernel for good. */
const SLICE_MS = 50;

/**
 * A counting semaphore that any process on the machine can open, in any language: `sem_open`.
 *
 * It counts permits. `post` adds one, `wait` takes one and blocks while there is none. Nobody owns a
 * permit: any process may post, and **a permit that a process had taken when it was killed is lost**.
 * The semaphore exists until its name is unlinked and the last process has closed it.
 *
 * `try*` never blocks, a plain verb may block the thread, `*Async` returns a promise and never
 * blocks the event loop. One helper thread per JavaScript thread waits for all promises. A post
 * fulfils one within about 0.1 ms when one semaphore is awaited. When several are, the helper takes
 * turns: it takes up to an eighth of the time since the last permit, from 2 ms up to 50 ms.
 *
 * @example
 * ```ts
 * import { NamedSemaphore } from "@shmkit/shmkit";
 *
 * using ready = NamedSemaphore.openOrCreate("doc-ready", { initialValue: 0 });
 * ready.post();
 * console.log(await ready.waitAsync({ timeout: 1000 })); // true
 * NamedSemaphore.unlink("doc-ready");
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man7/sem_overview.7.html | sem_overview(7)}
 */
export class NamedSemaphore implements Disposable {
  /** The name, without a leading slash. */
  readonly name: string;
  /** Whether this handle created the semaphore, rather than found it. */
  readonly created: boolean;
  readonly #semaphore: NativeSemaphore;
  readonly #cancellations = new Set<(reason: unknown) => void>();
  #closed = false;

  private constructor(name: string, semaphore: NativeSemaphore, created: boolean) {
    this.name = name;
    this.created = created;
    this.#semaphore = semaphore;
  }

  /**
   * Creates a semaphore. It appears under its name complete or not at all.
   *
   * @param name By the rule of `SharedSegment.create`. Semaphores and segments do not share names.
   * @param options Its initial value, and more.
   * @returns A handle, to be closed; use `using`.
   * @throws {TypeError} When the name breaks the rule, or an option has the wrong type.
   * @throws {RangeError} When the initial value or the mode is out of range.
   * @throws {ShmError} `EEXIST` when the name is taken, `ENOSPC` when memory is short.
   * @see {@link https://man7.org/linux/man-pages/man3/sem_open.3.html | sem_open(3)}
   */
  static create(name: string, options: SemaphoreCreateOptions): NamedSemaphore {
    const action = { verb: "create", noun: "semaphore" };
    const creation = checkCreation(action, name, options);
    return new NamedSemaphore(creation.name, createSemaphore(action, creation), true);
  }

  /**
   * Attaches to a semaphore that exists, whoever made it: this library, C, C++, Python, Rust.
   *
   * @param name Its name, with or without a leading slash.
   * @param options How to attach.
   * @throws {TypeError} When no semaphore can have that name, or an option has the wrong type.
   * @throws {ShmError} `ENOENT` when there is none, `EACCES` without rights, `ERR_SHM_KIND` when its
   * file is no semaphore, `ERR_SHM_TRUST` when it is another user's.
   */
  static open(name: string, options: SemaphoreOpenOptions = {}): NamedSemaphore {
    const action = { verb: "open", noun: "semaphore" };
    const checked = semaphoreName(action, name);
    const semaphore = openSemaphore({ ...action, name: checked }, options);
    return new NamedSemaphore(checked, semaphore, false);
  }

  /**
   * Attaches to a semaphore, or creates it when there is none. Of several processes that do this at
   * once, one creates; the initial value counts for that one only.
   */
  static openOrCreate(
    name: string,
    options: SemaphoreCreateOptions & SemaphoreOpenOptions,
  ): NamedSemaphore {
    const action = { verb: "open or create", noun: "semaphore" };
    const creation = checkCreation(action, name, options);
    while (true) {
      try {
        const semaphore = openSemaphore({ ...action, name: creation.name }, options);
        return new NamedSemaphore(creation.name, semaphore, false);
      } catch (error) {
        if (!(error instanceof ShmError && error.code === "ENOENT")) throw error;
      }
      try {
        return new NamedSemaphore(creation.name, createSemaphore(action, creation), true);
      } catch (error) {
        if (!(error instanceof ShmError && error.code === "EEXIST")) throw error;
      }
    }
  }

  /**
   * Waits until a semaphore exists, then attaches to it as {@linkcode open} does. It asks again
   * every 25 ms at most, and does not block the event loop.
   *
   * @returns A promise of a handle; rejected with a `DOMException` named `TimeoutError` when the
   * time is over, and with `signal.reason` when the signal is aborted.
   */
  static async openAsync(
    name: string,
    options: SemaphoreOpenOptions & AsyncWaitOptions = {},
  ): Promise<NamedSemaphore> {
    const unnamed = { verb: "open", noun: "semaphore" };
    const action = { ...unnamed, name: semaphoreName(unnamed, name) };
    return await poll(action, () => {
      try {
        return new NamedSemaphore(action.name, openSemaphore(action, options), false);
      } catch (error) {
        const isComing = error instanceof ShmError &&
          (error.code === "ENOENT" || error.code === "ERR_SHM_SIZE");
        if (isComing) return undefined;
        throw error;
      }
    }, options);
  }

  /** Tells whether there is a semaphore of that name, whether or not it could be opened. */
  static exists(name: string): boolean {
    const action = { verb: "look up", noun: "semaphore" };
    const checked = semaphoreName(action, name);
    return nameExists(action, checked, semFileName(checked));
  }

  /**
   * Removes a name. Whoever has opened the semaphore goes on with it.
   *
   * @returns Whether there was anything to remove.
   * @throws {ShmError} `EACCES` or `EPERM` when it belongs to another user.
   * @see {@link https://man7.org/linux/man-pages/man3/sem_unlink.3.html | sem_unlink(3)}
   */
  static unlink(name: string): boolean {
    const unnamed = { verb: "unlink", noun: "semaphore" };
    const action = { ...unnamed, name: semaphoreName(unnamed, name) };
    const result = semUnlink(action.name);
    if (result >= 0) return true;
    const error = failure(action, result, "sem_unlink");
    if (error.code === "ENOENT") return false;
    throw error;
  }

  /** Whether `close()` was called. */
  get closed(): boolean {
    return this.#closed;
  }

  /**
   * The number of permits at this moment: 0 while others wait. It may have changed when you look.
   *
   * @throws {ShmError} `ERR_SHM_CLOSED`.
   */
  get value(): number {
    return this.#open("read").value();
  }

  /**
   * Adds permits, and wakes as many waiters. Never waits.
   *
   * @param count How many: an integer from 1 to 2^31 - 1. They are added one by one.
   * @throws {RangeError} When the count is out of range.
   * @throws {ShmError} `EOVERFLOW` when the value would pass 2^31 - 1. Nothing is added then, unless
   * others post at the same time: then the message says how many were.
   * @see {@link https://man7.org/linux/man-pages/man3/sem_post.3.html | sem_post(3)}
   */
  post(count: number = 1): void {
    const semaphore = this.#open("post");
    if (count !== 1) this.#checkCount(semaphore, count);
    for (let added = 0; added < count; added++) {
      const result = semaphore.post();
      if (result < 0) {
        const done = added === 0 ? undefined : `${added} of ${count} permits were added before.`;
        throw failure(this.#action("post"), result, "sem_post", done);
      }
    }
  }

  /**
   * Takes a permit if there is one. Never blocks.
   *
   * @returns Whether a permit was taken.
   * @throws {ShmError} `ERR_SHM_CLOSED`.
   * @see {@link https://man7.org/linux/man-pages/man3/sem_wait.3.html | sem_trywait(3)}
   */
  tryWait(): boolean {
    return this.#open("wait for").tryWait() === 0;
  }

  /**
   * Takes a permit, and **blocks the thread** until there is one.
   *
   * @param options `timeout` in milliseconds: 0 asks once, `Infinity` (the default) waits for ever.
   * @returns Whether a permit was taken; false when the time was over first.
   * @throws {ShmError} `ERR_SHM_CLOSED`.
   * @see {@link https://man7.org/linux/man-pages/man3/sem_wait.3.html | sem_wait(3)}
   */
  wait(options: WaitOptions = {}): boolean {
    const timeoutMs = this.#timeout(options);
    const semaphore = this.#open("wait for"); // after the options, whose getters could close it
    if (semaphore.tryWait() === 0) return true;
    const deadline = performance.now() + timeoutMs;
    while (true) {
      const remainingMs = deadline - performance.now();
      if (remainingMs <= 0) return false;
      if (semaphore.timedWait(Math.min(remainingMs, SLICE_MS)) === 0) return true;
    }
  }

  /**
   * Takes a permit, without blocking the event loop. Callers in one thread are served in order.
   * While it is pending the process stays alive.
   *
   * @param options `timeout` in milliseconds, and a `signal` that calls it off.
   * @returns A promise of whether a permit was taken: false when the time was over first. Rejected
   * with `signal.reason` when the signal is aborted, and with a {@linkcode ShmError}
   * (`ERR_SHM_CLOSED`) when the handle is closed.
   */
  async waitAsync(options: AsyncWaitOptions = {}): Promise<boolean> {
    const timeoutMs = this.#timeout(options);
    const signal = checkSignal(this.#action("wait for"), options.signal);
    signal?.throwIfAborted();
    const semaphore = this.#open("wait for"); // after the options, whose getters could close it
    if (!hasWaiters(semaphore) && semaphore.tryWait() === 0) return true;
    if (timeoutMs === 0) return false;

    return await waitInLine(semaphore, { timeoutMs, signal, cancellations: this.#cancellations });
  }

  /**
   * As {@linkcode wait}, as a permit that posts itself back at the end of its scope.
   *
   * @throws {DOMException} `TimeoutError` when the time is over.
   *
   * @example
   * ```ts
   * import { NamedSemaphore } from "@shmkit/shmkit";
   *
   * using semaphore = NamedSemaphore.openOrCreate("doc-permit", { initialValue: 1 });
   * {
   *   using _permit = semaphore.acquire({ timeout: 1000 });
   *   console.log(semaphore.value); // 0
   * }
   * console.log(semaphore.value); // 1
   * NamedSemaphore.unlink("doc-permit");
   * ```
   */
  acquire(options: WaitOptions = {}): SemaphorePermit {
    if (this.wait(options)) return this.#permit();
    throw timeoutError(this.#action("acquire"), options.timeout ?? Infinity);
  }

  /** As {@linkcode tryWait}, as a permit. @returns The permit, or null when there is none. */
  tryAcquire(): SemaphorePermit | null {
    return this.tryWait() ? this.#permit() : null;
  }

  /**
   * As {@linkcode waitAsync}, as a permit. The promise is also rejected, with a `DOMException` named
   * `TimeoutError`, when the time is over.
   */
  async acquireAsync(options: AsyncWaitOptions = {}): Promise<SemaphorePermit> {
    if (await this.waitAsync(options)) return this.#permit();
    throw timeoutError(this.#action("acquire"), options.timeout ?? Infinity);
  }

  /**
   * Detaches from the semaphore. Pending `*Async` calls of this handle are rejected. Idempotent.
   *
   * @see {@link https://man7.org/linux/man-pages/man3/sem_close.3.html | sem_close(3)}
   */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const cancel of [...this.#cancellations]) cancel(this.#closedError("wait for"));
    this.#semaphore.close();
  }

  /** As {@linkcode close}, for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }

  #permit(): SemaphorePermit {
    let held = true;
    const release = () => {
      if (!held) return;
      this.post();
      held = false;
    };
    return { release, [Symbol.dispose]: release };
  }

  #open(verb: string): NativeSemaphore {
    if (this.#closed) throw this.#closedError(verb);
    return this.#semaphore;
  }

  #closedError(verb: string): ShmError {
    return stateError(
      this.#action(verb),
      "ERR_SHM_CLOSED",
      "this handle is closed",
      "Open the semaphore again.",
    );
  }

  #action(verb: string): Action {
    return { verb, noun: "semaphore", name: this.name };
  }

  #timeout(options: WaitOptions): number {
    const action = this.#action("wait for");
    checkOptions(action, options);
    return checkTimeout(action, options.timeout ?? Infinity);
  }

  #checkCount(semaphore: NativeSemaphore, count: number): void {
    const { SEM_VALUE_MAX } = platform().constants;
    checkInteger(this.#action("post"), "count", count, 1, SEM_VALUE_MAX);
    const value = semaphore.value();
    if (value + count <= SEM_VALUE_MAX) return;
    throw refusal(
      this.#action("post"),
      "EOVERFLOW",
      "sem_post",
      `Its value is ${value}, and ${count} more would pass ${SEM_VALUE_MAX}: post fewer. Nothing ` +
        "was added.",
    );
  }
}

/** Checks a name that may exist; that of its file has a prefix. */
function semaphoreName(action: Action, name: string): string {
  return existingName(action, name, semFileName(""));
}
