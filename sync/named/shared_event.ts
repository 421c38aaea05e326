/**
 * @module
 */

import type { Action } from "../../errors.ts";
import type { Fields } from "../../layout/field.ts";
import { type Struct, struct } from "../../layout/struct.ts";
import { creatableName } from "../../memory/names.ts";
import type { ObjectHandle } from "../../memory/objects/object_handle.ts";
import type { ObjectCreateOptions } from "../../memory/objects/object_options.ts";
import {
  type AsyncWaitOptions,
  BOOLEANS,
  checkChoice,
  checkOptions,
  type Trust,
} from "../../memory/options.ts";
import type { SegmentStat } from "../../memory/segment_info.ts";
import { autoResetEvent, event } from "../fields.ts";
import { SET_ONCE } from "../protocols/event.ts";
import { ResetEvent } from "../primitives/reset_event.ts";
import {
  createNamed,
  existsNamed,
  homeOf,
  type NamedOpenOptions,
  type OpenedNamed,
  openNamed,
  openNamedAsync,
  openOrCreateNamed,
  type Prepare,
  unlinkNamed,
} from "./named_object.ts";

type EventKind = "event" | "autoResetEvent";

const KINDS: readonly EventKind[] = ["event", "autoResetEvent"];
const noun = "event";

/** How `SharedEvent.create()` makes one. */
export interface SharedEventCreateOptions extends ObjectCreateOptions {
  /** Whether each `set()` lets only one pass, which resets it; false by default. */
  autoReset?: boolean;
  /** Whether it is set from the beginning; false by default. It does not change one that exists. */
  set?: boolean;
}

/** How `SharedEvent.openOrCreate()` opens or makes one. */
export interface SharedEventOpenOrCreateOptions extends SharedEventCreateOptions {
  /** Whose objects are accepted when there is one; `"owner"` by default. */
  trust?: Trust;
}

/**
 * Something that has happened, or not yet, of which threads and processes tell each other, of all on the
 * machine. Of two kinds:
 *
 * - with manual reset it lets everyone pass from `set()` to `reset()`: "the server is ready";
 * - with automatic reset each `set()` lets one pass, now or later: "there is a job". It does not count:
 *   two that come before anybody passes are one. What counts is a `NamedSemaphore`.
 *
 * **Nobody holds an event, so nobody's death changes it.** It stays as it is. An automatic one that was
 * passed by somebody who is killed right after that has been passed: to hand on work that must not be
 * lost, keep it in shared memory under a lock, with a `SharedCondition`.
 *
 * - A wait is woken at once, or, when the one who set it was killed in the midst of it, within 50 ms, with
 *   the event loop 250 ms at most.
 * - `wait` blocks the thread, `waitAsync` does not. A wait ends also when the event was set and reset again
 *   meanwhile, with manual reset.
 * - As many threads as `participants` says take part at once, 64 by default: one more gets
 *   `ERR_SHM_FULL`.
 *
 * In an object they are `t.event` and `t.autoResetEvent`.
 *
 * @example All go on; one goes on
 * ```ts
 * import { SharedEvent } from "@shmkit/shmkit";
 *
 * using ready = SharedEvent.create("doc-ready-event", { lifetime: "creator" });
 * using turn = SharedEvent.create("doc-turn-event", {
 *   autoReset: true,
 *   set: true,
 *   lifetime: "creator",
 * });
 * const waits = [ready.waitAsync(), ready.waitAsync({ timeout: 1000 })];
 * ready.set(); // by any process
 * await Promise.all(waits);
 * turn.wait();
 * console.log(ready.isSet, turn.isSet); // true false
 * ```
 */
export class SharedEvent extends ResetEvent implements Disposable {
  readonly #handle: ObjectHandle;

  private constructor(handle: ObjectHandle, kind: EventKind) {
    super(homeOf(handle, noun), kind === "autoResetEvent");
    this.#handle = handle;
    handle.watch(this);
  }

  /**
   * Creates an event. It appears under its name complete or not at all.
   *
   * @param name By the rule of `SharedSegment.create`, with which it shares the names.
   * @param options Of which kind, whether set; for how many threads, until when, and for whom.
   * @returns A handle, to be closed: use `using`.
   * @throws {TypeError | RangeError} When the name breaks the rule, or an option is wrong.
   * @throws {ShmError} `EEXIST` when the name is taken, `ENOSPC` when memory is short.
   */
  static create(name: string, options: SharedEventCreateOptions = {}): SharedEvent {
    const action = { verb: "create", noun };
    const { kind, layout, prepare } = checkKind(action, name, options);
    return new SharedEvent(createNamed(action, name, kind, layout, options, prepare), kind);
  }

  /**
   * Attaches to an event that exists, of either kind: {@linkcode autoReset} says which.
   *
   * @throws {ShmError} `ENOENT` when there is none, `ERR_SHM_KIND` when it is something else, `EACCES`
   * without rights, `ERR_SHM_TRUST` when it is another user's.
   */
  static open(name: string, options: NamedOpenOptions = {}): SharedEvent {
    return SharedEvent.#wrap(openNamed({ verb: "open", noun }, name, KINDS, options));
  }

  /**
   * Attaches to an event, or creates it when there is none: {@linkcode created} tells which.
   *
   * @throws {ShmError} What {@linkcode open} and {@linkcode create} throw, but for `ENOENT` and
   * `EEXIST`; `ERR_SHM_KIND` when it is reset in the other way.
   */
  static openOrCreate(name: string, options: SharedEventOpenOrCreateOptions = {}): SharedEvent {
    const action = { verb: "open or create", noun };
    const { kind, layout, prepare } = checkKind(action, name, options);
    const handle = openOrCreateNamed(action, name, kind, layout, options, prepare);
    return new SharedEvent(handle, kind);
  }

  /**
   * Waits until there is an event, then attaches to it as {@linkcode open} does. It asks again every
   * 25 ms at most, and does not block the event loop.
   *
   * @returns A promise of a handle; rejected with a `TimeoutError`, or with `signal.reason`.
   */
  static async openAsync(
    name: string,
    options: NamedOpenOptions & AsyncWaitOptions = {},
  ): Promise<SharedEvent> {
    return SharedEvent.#wrap(await openNamedAsync({ verb: "open", noun }, name, KINDS, options));
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
   */
  close(): void {
    this.#handle.close();
  }

  /** As {@linkcode close}, for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }

  static #wrap({ handle, field }: OpenedNamed): SharedEvent {
    return new SharedEvent(handle, field.kind as EventKind);
  }
}

/** What is to be made. */
interface CheckedEvent {
  readonly kind: EventKind;
  readonly layout: Struct<Fields>;
  readonly prepare: Prepare | undefined;
}

function checkKind(
  action: Action,
  name: string,
  options: SharedEventCreateOptions,
): CheckedEvent {
  const named = { ...action, name: creatableName(action, name) };
  checkOptions(named, options);
  const autoReset = checkChoice(named, "autoReset", options.autoReset ?? false, BOOLEANS);
  const set = checkChoice(named, "set", options.set ?? false, BOOLEANS);
  return {
    kind: autoReset ? "autoResetEvent" : "event",
    layout: struct("Event", autoReset ? { autoResetEvent } : { event }),
    prepare: set ? (words) => Atomics.store(words, 0, SET_ONCE) : undefined,
  };
}
