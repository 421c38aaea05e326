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
  semTimedWaitInBackground,
} from "./libc/semaphore.ts";
import type { Address } from "./runtimes/runtime.ts";

/**
 * An attached `sem_t`. After `close()` no method may be called but `close()`: the caller checks.
 * Each method that gives a number gives 0, or a negative error number.
 */
export class NativeSemaphore {
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
   * Blocks another thread for the given time at most; one call at a time in this thread.
   *
   * @returns Whether a permit was taken. One that was taken after `close()` is put back.
   */
  async timedWaitInBackground(timeoutMs: number): Promise<boolean> {
    this.#backgroundWaits++;
    try {
      const taken = await semTimedWaitInBackground(this.#address, timeoutMs);
      if (!this.#closed) return taken;
      if (taken) this.#post(this.#address);
      return false;
    } finally {
      this.#backgroundWaits--;
      if (this.#closed && this.#backgroundWaits === 0) semClose(this.#address);
    }
  }

  /** sem_close(3), at once or when the thread that waits has come back. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#backgroundWaits === 0) semClose(this.#address);
  }
}
