/**
 * @module
 */

import type { Fields } from "../../layout/field.ts";
import { type Struct, struct } from "../../layout/struct.ts";
import type { ObjectHandle } from "../../memory/objects/object_handle.ts";
import type { ObjectCreateOptions } from "../../memory/objects/object_options.ts";
import type { AsyncWaitOptions, Trust } from "../../memory/options.ts";
import type { SegmentStat } from "../../memory/segment_info.ts";
import { semaphore } from "../fields.ts";
import { Semaphore } from "../primitives/semaphore.ts";
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

const noun = "semaphore";
const layoutOf = (permits: number): Struct<Fields> =>
  struct("Semaphore", { semaphore: semaphore(permits) });

/** How `SharedSemaphore.create()` makes one. */
export interface SharedSemaphoreCreateOptions extends ObjectCreateOptions {
  /** How many permits it has: 1 to 4096, each of 4 bytes. */
  permits: number;
}

/** How `SharedSemaphore.openOrCreate()` opens or makes one. */
export interface SharedSemaphoreOpenOrCreateOptions extends SharedSemaphoreCreateOptions {
  /** Whose objects are accepted when there is one; `"owner"` by default. */
  trust?: Trust;
}

/**
 * So many permits, each of which one holds at a time, of all threads and processes on the machine. **It
 * survives `kill -9`**: a permit belongs to who acquired it, and when that one dies, of whatever cause,
 * the permit is free again.
 *
 * - Only its holder gives a permit back: nobody can post one too many. `NamedSemaphore` is the one that
 *   any process, in any language, may post, and which loses what the dead had.
 * - Nobody is told of a death. Where that matters, guard the data by a `SharedMutex`.
 * - A terminated worker counts as dead, a stopped process (`SIGSTOP`) as alive. After a death, who waits
 *   gets the permit within 50 ms, with the event loop 250 ms at most.
 * - Who has waited for 100 ms is served next, so that nobody starves.
 * - 1 to 4096 permits. As many threads as `participants` says take part at once, 64 by default: one more
 *   gets `ERR_SHM_FULL`.
 *
 * To bound the use of data, rather put a `t.semaphore(n)` into the layout of a `SharedObject`.
 *
 * @example At most two at a time
 * ```ts
 * import { SharedSemaphore } from "@shmkit/shmkit";
 *
 * using downloads = SharedSemaphore.create("doc-downloads", { permits: 2, lifetime: "creator" });
 * {
 *   using _permit = downloads.acquire({ timeout: 1000 });
 *   console.log(downloads.available, "of", downloads.permits); // 1 of 2
 * }
 * await downloads.withPermitAsync(() => fetch("data:,one"), { timeout: 1000 });
 * ```
 */
export class SharedSemaphore extends Semaphore implements Disposable {
  readonly #handle: ObjectHandle;

  private constructor(handle: ObjectHandle, permits: number) {
    super(homeOf(handle, noun), permits);
    this.#handle = handle;
    handle.watch(this);
  }

  /**
   * Creates a semaphore of which all permits are free. It appears under its name complete or not at all.
   *
   * @param name By the rule of `SharedSegment.create`, with which it shares the names.
   * @param options How many permits; for how many threads, until when, and for whom.
   * @returns A handle, to be closed: use `using`.
   * @throws {TypeError | RangeError} When the name breaks the rule, or an option is wrong.
   * @throws {ShmError} `EEXIST` when the name is taken, `ENOSPC` when memory is short.
   */
  static create(name: string, options: SharedSemaphoreCreateOptions): SharedSemaphore {
    const action = { verb: "create", noun };
    const permits = countIn(action, name, options, "permits", 4096);
    const handle = createNamed(action, name, "semaphore", layoutOf(permits), options);
    return new SharedSemaphore(handle, permits);
  }

  /**
   * Attaches to a semaphore that exists, of however many permits: the property says it.
   *
   * @throws {ShmError} `ENOENT` when there is none, `ERR_SHM_KIND` when it is something else, `EACCES`
   * without rights, `ERR_SHM_TRUST` when it is another user's.
   */
  static open(name: string, options: NamedOpenOptions = {}): SharedSemaphore {
    return SharedSemaphore.#wrap(openNamed({ verb: "open", noun }, name, "semaphore", options));
  }

  /**
   * Attaches to a semaphore, or creates it when there is none: {@linkcode created} tells which.
   *
   * @throws {ShmError} What {@linkcode open} and {@linkcode create} throw, but for `ENOENT` and
   * `EEXIST`; `ERR_SHM_LAYOUT`, with the difference, when it has another number of permits.
   */
  static openOrCreate(name: string, options: SharedSemaphoreOpenOrCreateOptions): SharedSemaphore {
    const action = { verb: "open or create", noun };
    const permits = countIn(action, name, options, "permits", 4096);
    const handle = openOrCreateNamed(action, name, "semaphore", layoutOf(permits), options);
    return new SharedSemaphore(handle, permits);
  }

  /**
   * Waits until there is a semaphore, then attaches to it as {@linkcode open} does. It asks again every
   * 25 ms at most, and does not block the event loop.
   *
   * @returns A promise of a handle; rejected with a `TimeoutError`, or with `signal.reason`.
   */
  static async openAsync(
    name: string,
    options: NamedOpenOptions & AsyncWaitOptions = {},
  ): Promise<SharedSemaphore> {
    return SharedSemaphore.#wrap(
      await openNamedAsync({ verb: "open", noun }, name, "semaphore", options),
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
   * Detaches. Pending promises of this handle are rejected with `ERR_SHM_CLOSED`. Idempotent.
   *
   * @throws {ShmError} `EBUSY` while a permit that came from this handle is held: nothing is closed then.
   */
  close(): void {
    this.#handle.close();
  }

  /** As {@linkcode close}, for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }

  static #wrap(opened: OpenedNamed): SharedSemaphore {
    return new SharedSemaphore(opened.handle, countOf(opened, "permits"));
  }
}
