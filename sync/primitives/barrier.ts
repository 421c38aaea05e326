/**
 * @module
 */

import { type ShmError, stateError } from "../../errors.ts";
import type { AsyncWaitOptions, WaitOptions } from "../../memory/options.ts";
import type { Membership } from "../participants/membership.ts";
import { ArrivalAttempt, BarrierWords, type Outcome } from "../protocols/barrier.ts";
import { type Home, Synchroniser } from "./synchroniser.ts";
import { type Line, lookInLine } from "../waiting/event_loop.ts";

/** A barrier as this thread sees it: one for all handles. */
class BarrierState {
  readonly words: BarrierWords;
  /** The members that this thread has joined as. */
  readonly members: Set<Member> = new Set();
  /** As which of them the thread arrives that has not said as which. */
  self: Member | undefined;

  constructor(words: BarrierWords) {
    this.words = words;
  }

  /** Lets everyone in this thread look: others have been told, but a thread does not mail itself. */
  look(except?: Member): void {
    for (const member of [...this.members]) {
      if (member !== except && member.line.size > 0) lookInLine(member.line);
    }
  }
}

/** A place among the parties. */
interface Member {
  readonly number: number;
  readonly membership: Membership;
  /** Those who await the end of a phase: one, and whoever arrives in the next ones. */
  readonly line: Line;
  /** What calls them off. */
  readonly left: AbortController;
  /** What is done when its handle is closed. */
  readonly depart: () => void;
}

/** What members do, by the barrier that they have joined. */
interface MemberVerbs {
  arriveAndWait(member: Member, options?: WaitOptions): boolean;
  arriveAndWaitAsync(member: Member, options?: AsyncWaitOptions): Promise<boolean>;
  leave(member: Member): void;
}

/**
 * A place among the parties of a barrier, as {@linkcode Barrier.join} gives it.
 *
 * To be left when no longer needed, best with `using`: then others can join in its place. When its
 * handle is closed before, or its thread or process ends, whatever it dies of, the barrier is broken.
 */
export class BarrierMember implements Disposable {
  readonly #verbs: MemberVerbs;
  readonly #member: Member;

  /** @ignore Made by joining. */
  constructor(verbs: MemberVerbs, member: Member) {
    this.#verbs = verbs;
    this.#member = member;
  }

  /**
   * Arrives, and **blocks the thread** until all parties have arrived in this phase. Then the next
   * phase begins.
   *
   * @param options `timeout` in milliseconds; `Infinity` by default.
   * @returns Whether this was the last to arrive: true for exactly one of each phase.
   * @throws {DOMException} `TimeoutError` when the time is over: the arrival is withdrawn, as if it had
   * not been.
   * @throws {ShmError} `ERR_SHM_BROKEN_BARRIER` when a member has died or left its handle, or when
   * somebody resets the barrier; `EDEADLK` when this thread is another party that has not arrived, or
   * this one is awaiting already; `ERR_SHM_CLOSED` when it has left, or the handle is closed.
   */
  arriveAndWait(options?: WaitOptions): boolean {
    return this.#verbs.arriveAndWait(this.#member, options);
  }

  /**
   * As {@linkcode arriveAndWait}, without blocking the event loop. Calls of one member arrive in one
   * phase after another. While it is pending the process stays alive.
   *
   * @param options `timeout` in milliseconds, and a `signal` that calls it off.
   * @returns A promise of whether this was the last to arrive. When it is called off the arrival is
   * withdrawn.
   */
  arriveAndWaitAsync(options?: AsyncWaitOptions): Promise<boolean> {
    return this.#verbs.arriveAndWaitAsync(this.#member, options);
  }

  /**
   * Makes room for another member. What it awaits is rejected with `ERR_SHM_CLOSED`, and withdrawn.
   * The others go on when somebody else has joined. Idempotent.
   */
  leave(): void {
    this.#verbs.leave(this.#member);
  }

  /** As {@linkcode leave}, for `using`. */
  [Symbol.dispose](): void {
    this.leave();
  }
}

/**
 * A point that so many parties reach together, again and again: threads and processes, of all on the
 * machine. It is known who they are, so that when one dies the others are told instead of waiting for
 * ever. This is the field of a shared object.
 *
 * Each thread is one party, with the verbs of the barrier itself: it joins with its first arrival, and
 * stays joined. Where a thread is several parties, or leaves again, {@linkcode join} gives a member.
 *
 * Closing a handle leaves the parties that joined through it missing: that breaks the barrier for the
 * others, as their death would, unless {@linkcode BarrierMember.leave} or {@linkcode leave} was called.
 * When nobody is left, it is whole again for those who join next.
 *
 * @example Three workers, in steps
 * ```ts
 * import { SharedObject, t } from "@shmkit/shmkit";
 *
 * const Race = t.struct("Race", { step: t.barrier(3) });
 * using race = SharedObject.create("doc-race", Race, {}, { lifetime: "creator" });
 *
 * // Each in a process of its own, as a rule:
 * const members = [1, 2, 3].map(() => race.value.step.join());
 * const leads = await Promise.all(members.map((member) => member.arriveAndWaitAsync()));
 * console.log(leads.filter((leader) => leader).length); // 1
 * for (const member of members) member.leave();
 * ```
 */
export class Barrier {
  readonly #sync: Synchroniser;
  readonly #parties: number;
  #state: BarrierState | undefined;
  #entered: Membership | undefined;
  readonly #verbs: MemberVerbs = {
    arriveAndWait: (member, options) => this.#arriveAndWait(member, options),
    arriveAndWaitAsync: (member, options) => this.#arriveAndWaitAsync(member, options),
    leave: (member) => this.#leave(member),
  };

  /** @ignore Made by fields. */
  constructor(home: Home, parties: number) {
    this.#sync = new Synchroniser(home);
    this.#parties = parties;
  }

  /** How many have to arrive: as the layout says. */
  get parties(): number {
    return this.#parties;
  }

  /** How many have arrived in this phase, at this moment. */
  get arrived(): number {
    return this.#enter("look at").words.arrived;
  }

  /** How many parties have joined and not left, at this moment; also those who have died, until a reset. */
  get joined(): number {
    return this.#enter("look at").words.joined;
  }

  /**
   * Whether it is broken: a member has died or left its handle. Deaths are noticed by who waits, and
   * not before.
   */
  get broken(): boolean {
    return this.#enter("look at").words.broken;
  }

  /**
   * Becomes one of the parties. A broken barrier of which no living party is left begins anew.
   *
   * @returns The membership, to be left: best with `using`.
   * @throws {ShmError} `EBUSY` when there are as many as the layout says; `ERR_SHM_BROKEN_BARRIER` when
   * one of those is dead; `ERR_SHM_CLOSED`; `ERR_SHM_FULL` when too many threads synchronise on the
   * object.
   */
  join(): BarrierMember {
    return new BarrierMember(this.#verbs, this.#join());
  }

  /**
   * Arrives as this thread, and **blocks it** until all parties have arrived, as
   * {@linkcode BarrierMember.arriveAndWait} does. It joins at the first call.
   *
   * @param options `timeout` in milliseconds; `Infinity` by default.
   * @returns Whether this was the last to arrive: true for exactly one of each phase.
   * @throws {ShmError} And what {@linkcode join} throws.
   */
  arriveAndWait(options?: WaitOptions): boolean {
    this.#sync.checkWait("arrive at", options ?? {});
    return this.#arriveAndWait(this.#ownMember(), options);
  }

  /**
   * Arrives as this thread, as {@linkcode BarrierMember.arriveAndWaitAsync} does. It joins at the first
   * call.
   *
   * @param options `timeout` in milliseconds, and a `signal` that calls it off.
   * @returns A promise of whether this was the last to arrive.
   */
  async arriveAndWaitAsync(options: AsyncWaitOptions = {}): Promise<boolean> {
    this.#sync.checkAwait("arrive at", options);
    return await this.#arriveAndWaitAsync(this.#ownMember(), options);
  }

  /** Leaves what {@linkcode arriveAndWait} of the barrier itself has joined, if it has. Idempotent. */
  leave(): void {
    const self = this.#state?.self;
    if (self !== undefined) this.#leave(self);
  }

  /**
   * Makes a broken barrier usable again: a new phase begins, nobody has arrived, and the dead make room
   * for others to join. Who waits is told, by `ERR_SHM_BROKEN_BARRIER`. The living stay joined. Best
   * done by one of them, when the others no longer wait.
   *
   * @throws {ShmError} `ERR_SHM_CLOSED`; `ERR_SHM_FULL`.
   */
  reset(): void {
    const state = this.#enter("reset");
    state.words.reset();
    state.look();
  }

  #arriveAndWait(member: Member, options: WaitOptions = {}): boolean {
    const checked = this.#sync.checkWait("arrive at", options);
    const state = this.#stateOf(member);
    const { words, members } = state;
    state.look(); // so that nobody seems to wait whose phase is over
    for (const other of members) {
      // Whoever else of this thread awaits has arrived, unless it is a further phase.
      const arrives = other !== member;
      if ((other.line.size > 0) !== arrives) throw this.#deadlock(arrives);
    }
    const attempt = new ArrivalAttempt(words, member.number);
    try {
      this.#sync.wait("arrive at", attempt, checked);
    } catch (error) {
      if (attempt.outcome !== "passed") throw error;
    } finally {
      state.look();
    }
    return this.#result(attempt.outcome);
  }

  async #arriveAndWaitAsync(member: Member, options: AsyncWaitOptions = {}): Promise<boolean> {
    const { timeoutMs, signal } = this.#sync.checkAwait("arrive at", options);
    const state = this.#stateOf(member);
    const { signal: left } = member.left;
    const either = signal === undefined ? left : AbortSignal.any([signal, left]);
    const attempt = new ArrivalAttempt(state.words, member.number);
    const checked = { timeoutMs, signal: either };
    try {
      await this.#sync.await("arrive at", member.line, attempt, checked, () => attempt);
    } catch (error) {
      if (attempt.outcome !== "passed") throw error;
    }
    state.look(member);
    return this.#result(attempt.outcome);
  }

  #leave(member: Member): void {
    const { left, membership, number, depart } = member;
    const state = this.#state as BarrierState;
    if (membership.closed || !state.members.delete(member)) return;
    if (state.self === member) state.self = undefined;
    membership.cancellations.delete(depart);
    left.abort(this.#leftError());
    state.words.leave(number);
  }

  #join(): Member {
    const state = this.#enter("join");
    const membership = this.#entered as Membership;
    const { words, members } = state;
    const number = words.join();
    if (number < 0) throw words.broken ? this.#brokenError("join", "broken") : this.#fullError();
    const depart = () => {
      members.delete(member);
      if (state.self === member) state.self = undefined;
      words.break(); // first: who is killed in between is dead, and not just gone
      words.leave(number);
      queueMicrotask(() => state.look());
    };
    const left = new AbortController();
    const member: Member = { number, membership, line: new Set(), left, depart };
    members.add(member);
    membership.cancellations.add(depart);
    return member;
  }

  #ownMember(): Member {
    const state = this.#enter("arrive at");
    return state.self ??= this.#join();
  }

  #stateOf(member: Member): BarrierState {
    const state = this.#enter("arrive at");
    if (!state.members.has(member)) throw this.#leftError();
    return state;
  }

  #result(outcome: Outcome | undefined): boolean {
    if (outcome === "leader" || outcome === "passed") return outcome === "leader";
    throw this.#brokenError("arrive at", outcome);
  }

  #enter(verb: string): BarrierState {
    const membership = this.#sync.enter(verb);
    if (membership === this.#entered) return this.#state as BarrierState;
    this.#entered = membership;
    return this.#state = this.#sync.stateOf(
      membership,
      (participant, index) => new BarrierState(new BarrierWords(participant, index, this.#parties)),
    );
  }

  #brokenError(verb: string, outcome: Outcome | undefined): ShmError {
    const action = this.#sync.action(verb);
    if (outcome === "lost") {
      const remedy = "Find out who writes over the barrier, and join() again.";
      return stateError(action, "ERR_SHM_LOCK_LOST", "this member has lost its place", remedy);
    }
    return stateError(
      action,
      "ERR_SHM_BROKEN_BARRIER",
      outcome === "reset"
        ? "somebody has reset it"
        : "a member has died, or closed its handle without leave()",
      outcome === "reset"
        ? "Arrive again, if the others do."
        : "Let one of the others reset() it, and somebody join() in the place of the missing.",
    );
  }

  #fullError(): ShmError {
    return stateError(
      this.#sync.action("join"),
      "EBUSY",
      `it has ${this.#parties} parties already, which is as many as its layout says`,
      "Have one of them leave() it, or make a barrier of more.",
    );
  }

  #leftError(): ShmError {
    return stateError(
      this.#sync.action("arrive at"),
      "ERR_SHM_CLOSED",
      "this member has left",
      "Call join() again.",
    );
  }

  #deadlock(isOther: boolean): ShmError {
    return stateError(
      this.#sync.action("arrive at"),
      "EDEADLK",
      isOther
        ? "this thread is another party, too, which has not arrived, and would wait for itself"
        : "this member has arrived already, and would wait for itself",
      "Use arriveAndWaitAsync() where a thread is several parties.",
    );
  }
}
