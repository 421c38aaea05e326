/**
 * @module
 */

import { timeoutError } from "../../errors.ts";
import type { AsyncWaitOptions, WaitOptions } from "../../memory/options.ts";
import type { Participant } from "../participants/participant.ts";
import {
  AutomaticEventAttempt,
  isEventSet,
  ManualEventAttempt,
  resetEvent,
  setEvent,
  takeEvent,
} from "../protocols/event.ts";
import { type Home, Synchroniser } from "./synchroniser.ts";
import { type Crowd, inCrowd, lookInCrowd } from "../waiting/crowd.ts";
import { type Line, lookInLine } from "../waiting/event_loop.ts";

const VERB = "wait for";

/** An event as this thread sees it: one for all handles. */
interface EventState {
  /** Those of this thread who await it: of a manual event each for itself, of an automatic one in line. */
  readonly crowd: Crowd;
  readonly line: Line;
}

/**
 * Something that has happened, or not yet: see `SharedEvent`, which is one with a name. This is the
 * field of a shared object, of one of two kinds.
 *
 * With manual reset (`event`) it lets everyone pass from {@linkcode set} to {@linkcode reset}. With
 * automatic reset (`autoResetEvent`) each {@linkcode set} lets one pass: it is reset by whoever does.
 *
 * @example Once everything is ready, all go on; a turn is taken by one
 * ```ts
 * import { SharedObject, t } from "@shmkit/shmkit";
 *
 * const Stage = t.struct("Stage", { ready: t.event, turn: t.autoResetEvent });
 * using stage = SharedObject.create("doc-stage", Stage, {}, { lifetime: "creator" });
 * const { ready, turn } = stage.value;
 *
 * const waits = [ready.waitAsync(), ready.waitAsync({ timeout: 1000 })];
 * ready.set(); // by any process
 * await Promise.all(waits);
 *
 * turn.set();
 * turn.wait();
 * console.log(ready.isSet, turn.isSet); // true false
 * ```
 */
export class ResetEvent {
  readonly #sync: Synchroniser;
  readonly #automatic: boolean;
  #state: EventState | undefined;
  #participant: Participant | undefined;

  /** @ignore Made by fields, and by the functions that open named ones. */
  constructor(home: Home, automatic: boolean) {
    this.#sync = new Synchroniser(home);
    this.#automatic = automatic;
  }

  /** Whether each {@linkcode set} lets only one pass, which resets it. */
  get autoReset(): boolean {
    return this.#automatic;
  }

  /**
   * Whether it is set now.
   *
   * @throws {ShmError} `ERR_SHM_CLOSED`; `ERR_SHM_FULL` when too many threads synchronise on the object.
   */
  get isSet(): boolean {
    return isEventSet(this.#enter("read"), this.#sync.index);
  }

  /**
   * Sets it, and so ends the waits of all; with automatic reset that of one, now or later. Does nothing
   * when it is set already. Never blocks.
   *
   * @throws {ShmError} `ERR_SHM_CLOSED`; `ERR_SHM_FULL`.
   */
  set(): void {
    const participant = this.#enter("set");
    const { crowd, line } = this.#state as EventState;
    setEvent(participant, this.#sync.index, !this.#automatic);
    if (this.#automatic) lookInLine(line);
    else lookInCrowd(crowd);
  }

  /**
   * Resets it: who begins to wait now waits for the next {@linkcode set}. With manual reset, whoever has
   * waited when it was set passes all the same. Does nothing when it is not set. Never blocks.
   *
   * @throws {ShmError} `ERR_SHM_CLOSED`; `ERR_SHM_FULL`.
   */
  reset(): void {
    resetEvent(this.#enter("reset"), this.#sync.index);
  }

  /**
   * Passes if it is set: with automatic reset, it is not set any more after that. Never blocks.
   *
   * @returns Whether it was set.
   * @throws {ShmError} `ERR_SHM_CLOSED`; `ERR_SHM_FULL`.
   */
  tryWait(): boolean {
    const participant = this.#enter(VERB);
    return this.#automatic
      ? takeEvent(participant, this.#sync.index)
      : isEventSet(participant, this.#sync.index);
  }

  /**
   * Waits until it is set, and **blocks the thread** until then.
   *
   * @param options `timeout` in milliseconds; `Infinity` by default.
   * @throws {DOMException} `TimeoutError` when the time is over: it was not set then, or others passed.
   * @throws {ShmError} `ERR_SHM_CLOSED`; `ERR_SHM_FULL`.
   */
  wait(options: WaitOptions = {}): void {
    const checked = this.#sync.checkWait(VERB, options);
    if (this.tryWait()) return;
    if (checked.timeoutMs === 0) throw timeoutError(this.#sync.action(VERB), 0);
    const Attempt = this.#automatic ? AutomaticEventAttempt : ManualEventAttempt;
    this.#sync.wait(VERB, new Attempt(this.#participant as Participant, this.#sync.index), checked);
  }

  /**
   * Waits until it is set, without blocking the event loop. With automatic reset, callers in one thread
   * pass in order. While it is pending the process stays alive.
   *
   * @param options `timeout` in milliseconds, and a `signal` that calls it off.
   * @returns A promise; rejected with a `TimeoutError`, with `signal.reason`, or with `ERR_SHM_CLOSED`
   * when the handle is closed.
   */
  async waitAsync(options: AsyncWaitOptions = {}): Promise<void> {
    const checked = this.#sync.checkAwait(VERB, options);
    const participant = this.#enter(VERB);
    const { crowd, line } = this.#state as EventState;
    if (line.size === 0 && this.tryWait()) return;
    if (checked.timeoutMs === 0) throw timeoutError(this.#sync.action(VERB), 0);
    if (this.#automatic) {
      const attempt = new AutomaticEventAttempt(participant, this.#sync.index);
      await this.#sync.await(VERB, line, attempt, checked, () => attempt);
    } else {
      const attempt = new ManualEventAttempt(participant, this.#sync.index);
      await inCrowd(crowd, (own) => this.#sync.await(VERB, own, attempt, checked, () => attempt));
    }
  }

  #enter(verb: string): Participant {
    const membership = this.#sync.enter(verb);
    const { participant } = membership;
    if (participant === this.#participant) return participant;
    this.#state = this.#sync.stateOf(
      membership,
      (): EventState => ({ crowd: new Set(), line: new Set() }),
    );
    return this.#participant = participant;
  }
}
