/**
 * A POSIX named semaphore, with its address inside.
 *
 * @module
 */

import { mmap, munmap } from "./libc/mman.ts";
import {
  finishBackgroundWait,
  hotFunctions,
  semClose,
  semGetValue,
  semInit,
  semOpen,
  semTimedWait,
  semWaitInBackground,
  stopBackgroundWait,
} from "./libc/semaphore.ts";
import type { Address } from "./runtimes/runtime.ts";
import { platform } from "./select.ts";

/**
 * An attached `sem_t`. After `close()` no method may be called but `close()`: the caller checks.
 * Each method that gives a number gives 0, or a negative error number.
 */
export class NativeSemaphore {
  /** The semaphores of the call that is, or was last, made on another thread. */
  static #awaited: readonly NativeSemaphore[] = [];

  readonly #address: Address;
  readonly #detach: (address: Address) => void;
  readonly #post: (semaphore: Address) => number;
  readonly #tryWait: (semaphore: Address) => number;
  #backgroundWaits = 0;
  #closed = false;

  private constructor(address: Address, detach: (address: Address) => void) {
    const { post, tryWait } = hotFunctions();
    this.#address = address;
    this.#detach = detach;
    this.#post = post;
    this.#tryWait = tryWait;
  }

  /** sem_open(3) of one that exists. @returns The semaphore, or a negative error number. */
  static open(name: string): NativeSemaphore | number {
    const opened = semOpen(name);
    return typeof opened === "number" ? opened : new NativeSemaphore(opened.address, semClose);
  }

  /**
   * Makes a semaphore of a file that nobody else can open yet, as sem_open(3) does it: mmap(2) and
   * sem_init(3). @returns The semaphore, or a negative error number.
   */
  static create(fd: number, value: number): NativeSemaphore | number {
    const { PROT_READ, PROT_WRITE, MAP_SHARED } = platform().constants;
    const { byteLength } = platform().sem_t;
    const mapped = mmap(byteLength, PROT_READ | PROT_WRITE, MAP_SHARED, fd);
    if (typeof mapped === "number") return mapped;
    const result = semInit(mapped.start, value);
    const detach = (address: Address) => void munmap(address, byteLength);
    if (result >= 0) return new NativeSemaphore(mapped.start, detach);
    detach(mapped.start);
    return result;
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
   * @param deliver What is done with the semaphore from which a permit was taken. It is attached
   * until then, even if it has been closed meanwhile.
   * @returns Whether one was.
   */
  static async waitForAny(
    semaphores: readonly NativeSemaphore[],
    slicesMs: readonly number[],
    deliver: (taken: NativeSemaphore) => void,
  ): Promise<boolean> {
    NativeSemaphore.#awaited = semaphores;
    for (const each of semaphores) each.#backgroundWaits++;
    try {
      const addresses = semaphores.map((each) => each.#address);
      const taken = semaphores[await semWaitInBackground(addresses, slicesMs)];
      if (taken !== undefined) deliver(taken);
      return taken !== undefined;
    } finally {
      for (const each of semaphores) {
        each.#backgroundWaits--;
        if (each.#closed && each.#backgroundWaits === 0) each.#detach(each.#address);
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

  /** Blocks until `waitForAny()`, which was stopped, has nothing more to do with semaphores. */
  static finishWaiting(): void {
    finishBackgroundWait();
  }

  /** Detaches, at once or when the thread that waits has come back. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#backgroundWaits === 0) this.#detach(this.#address);
  }
}
