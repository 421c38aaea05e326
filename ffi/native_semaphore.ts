/**
 * A POSIX named semaphore, with its address inside.
 *
 * @module
 */

import {
  hotFunctions,
  semClose,
  semGetValue,
  semOpen,
  semTimedWait,
  semWaitInBackground,
  stopBackgroundWait,
} from "./libc/semaphore.ts";
import type { Address } from "./runtimes/runtime.ts";

/**
 * An attached `sem_t`. After `close()` no method may be called but `close()`: the caller checks.
 * Each method that gives a number gives 0, or a negative error number.
 */
export class NativeSemaphore {
  /** The semaphores of the call that is, or was last, made on another thread. */
  static #awaited: readonly NativeSemaphore[] = [];

  readonly #address: Address;
  readonly #post: (semaphore: Address) => number;
  readonly #tryWait: (semaphore: Address) => number;
  #backgroundWaits = 0;
  #closed = false;

  private constructor(address: Address) {
    const { post, tryWait } = hotFunctions();
    this.#address = address;
    this.#post = post;
    this.#tryWait = tryWait;
  }

  /** sem_open(3). @returns The semaphore, or a negative error number. */
  static open(name: string, flags: number, mode: number, value: number): NativeSemaphore | number {
    const opened = semOpen(name, flags, mode, value);
    return typeof opened === "number" ? opened : new NativeSemaphore(opened.address);
  }

  /** sem_post(3). */
  post(): number {
    return this.#post(this.#address);
  }

  /** sem_trywait(3). */
  tryWait(): number {
    return this.#tryWait(this.#address);
  }

  /** sem_clockwait(3): blocks this thread for the given time at most. */
  timedWait(timeoutMs: number): number {
    return semTimedWait(this.#address, timeoutMs);
  }

  /** sem_getvalue(3). */
  value(): number {
    return semGetValue(this.#address);
  }

  /**
   * Waits for several semaphores on another thread; one call at a time in this thread.
   *
   * @param slicesMs How long it blocks on one of them at a time: `MAX_SLICES` times at most.
   * @returns The semaphore from which a permit was taken, or undefined. One that was taken after
   * `close()` is put back.
   */
  static async waitForAny(
    semaphores: readonly NativeSemaphore[],
    slicesMs: readonly number[],
  ): Promise<NativeSemaphore | undefined> {
    NativeSemaphore.#awaited = semaphores;
    for (const each of semaphores) each.#backgroundWaits++;
    try {
      const addresses = semaphores.map((each) => each.#address);
      const taken = semaphores[await semWaitInBackground(addresses, slicesMs)];
      if (taken === undefined || !taken.#closed) return taken;
      taken.post();
      return undefined;
    } finally {
      for (const each of semaphores) {
        each.#backgroundWaits--;
        if (each.#closed && each.#backgroundWaits === 0) semClose(each.#address);
      }
    }
  }

  /**
   * Ends `waitForAny()` with its slice, because what is waited for has changed.
   *
   * @returns The semaphore from which a permit has been taken already, which is the caller's now.
   */
  static stopWaiting(): NativeSemaphore | undefined {
    return NativeSemaphore.#awaited[stopBackgroundWait()];
  }

  /** sem_close(3), at once or when the thread that waits has come back. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#backgroundWaits === 0) semClose(this.#address);
  }
}
