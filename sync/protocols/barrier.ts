/**
 * The barrier: see "Barrier" in `docs/synchronisation.md`, whose promises (B1 to B3) this keeps.
 *
 *      0  state     BROKEN:1 (bit 31) | WAIT:1 (bit 30) | phase:18 | arrived:12
 *      4  (reserved)
 *     16  members   N words: ids; 0: vacant
 *
 * P1: whoever ends a phase changes `state`, by which it also removes WAIT, and then wakes all. Who waits
 *     sleeps while `state` is what it saw in that phase, with WAIT: so it is woken, or does not fall asleep.
 *
 * @module
 */

import { wakeAll } from "./lock_word.ts";
import { type Attempt, type Pause, type Place, SLICE_MS } from "./place.ts";

/** A member has died or left its handle; until it is reset. */
const BROKEN = 1 << 31;
/** Somebody sleeps, or awaits. */
const WAIT = 1 << 30;
const PHASE_SHIFT = 12;
const PHASE_MASK = 0x3_ffff;
const ARRIVED_MASK = (1 << PHASE_SHIFT) - 1;
/** Where the words of the members are. */
const FIRST_MEMBER = 4;

/** The size of a barrier. */
export function barrierByteLength(parties: number): number {
  return 4 * (FIRST_MEMBER + parties);
}

function phaseOf(state: number): number {
  return state >>> PHASE_SHIFT & PHASE_MASK;
}

/** The state at the beginning of a phase, however many there have been. */
function beginning(phase: number): number {
  return (phase & PHASE_MASK) << PHASE_SHIFT;
}

/** The state of a barrier that begins anew: the phase in between would mean that all had arrived. */
function restart(state: number): number {
  return beginning(phaseOf(state) + 2);
}

/** What ended an arrival: `lost` is one by who is no member, since something was written over it. */
export type Outcome = "leader" | "passed" | "broken" | "reset" | "lost";

/** A barrier, as one thread sees it. */
export class BarrierWords {
  readonly place: Place;
  /** Where `state` is. */
  readonly index: number;
  /** How many have to arrive. */
  readonly parties: number;
  /** Which members this thread is: 1. The others that have its id are left from some mistake. */
  readonly #own: Uint8Array;

  constructor(place: Place, index: number, parties: number) {
    this.place = place;
    this.index = index;
    this.parties = parties;
    this.#own = new Uint8Array(parties);
  }

  get broken(): boolean {
    return (Atomics.load(this.place.words, this.index) & BROKEN) !== 0;
  }

  /** How many have arrived in this phase. */
  get arrived(): number {
    return Atomics.load(this.place.words, this.index) & ARRIVED_MASK;
  }

  /** How many have joined and not left, whether or not they have died. */
  get joined(): number {
    const { place: { words }, parties } = this;
    let joined = 0;
    for (let member = 0; member < parties; member++) {
      if (Atomics.load(words, this.#at(member)) !== 0) joined++;
    }
    return joined;
  }

  /** Becomes a member. @returns Which, or -1 when it is full: broken, if one of them is dead. */
  join(): number {
    this.#renew();
    const { place: { words, id }, parties } = this;
    for (let member = 0; member < parties; member++) {
      const at = this.#at(member);
      let holder = Atomics.load(words, at);
      if (holder === 0) holder = Atomics.compareExchange(words, at, 0, id);
      if (holder !== 0 && (holder !== id || this.#own[member] !== 0)) continue;
      this.#own[member] = 1;
      return member;
    }
    if (this.hasDeadMember()) this.break();
    return -1;
  }

  /** Makes room for another member. */
  leave(member: number): void {
    const { words, id } = this.place;
    this.#own[member] = 0;
    Atomics.compareExchange(words, this.#at(member), id, 0);
  }

  /** Whether this thread is still the member that it was. */
  isMember(member: number): boolean {
    return Atomics.load(this.place.words, this.#at(member)) === this.place.id;
  }

  hasDeadMember(): boolean {
    for (let member = 0; member < this.parties; member++) {
      if (this.#isDead(Atomics.load(this.place.words, this.#at(member)))) return true;
    }
    return false;
  }

  /**
   * Tells all who wait or come that it is broken.
   *
   * @param phase Only if it is still that one; otherwise any.
   */
  break(phase: number = -1): void {
    const { words } = this.place;
    while (true) {
      const state = Atomics.load(words, this.index);
      if ((state & BROKEN) !== 0 || (phase >= 0 && phaseOf(state) !== phase)) return;
      const broken = (state | BROKEN) & ~WAIT;
      if (Atomics.compareExchange(words, this.index, state, broken) === state) break;
    }
    wakeAll(this.place, this.index);
  }

  /**
   * Begins anew if it is broken, or a member is dead, and nobody is left who would have to be told.
   *
   * P2: nobody who arrives is counted out. Its state is that from before the members were looked at: who
   *     has arrived since has changed it, and who has only joined arrives in the new phase. (But for an
   *     arrival in place of one that was taken back meanwhile: that one is told of a reset.)
   */
  #renew(): void {
    const { place: { words }, index, parties } = this;
    while (true) {
      const state = Atomics.load(words, index);
      const dead: (readonly [at: number, holder: number])[] = [];
      for (let member = 0; member < parties; member++) {
        const at = this.#at(member);
        const holder = Atomics.load(words, at);
        if (holder === 0) continue;
        if (!this.#isDead(holder)) return;
        dead.push([at, holder]);
      }
      if ((state & BROKEN) === 0 && dead.length === 0) return;
      if (Atomics.compareExchange(words, index, state, restart(state)) !== state) continue;
      // These, and not who has joined and died since: of that, others have to be told.
      for (const [at, holder] of dead) Atomics.compareExchange(words, at, holder, 0);
      return;
    }
  }

  /** Begins anew, without the dead. Who waits is told. */
  reset(): void {
    const { place: { words }, index } = this;
    const removed = this.#removeDead();
    while (true) {
      const state = Atomics.load(words, index);
      // Several may reset it, one after the other, and the last ones find it as it should be.
      if (!removed && (state & (BROKEN | ARRIVED_MASK)) === 0) return;
      if (Atomics.compareExchange(words, index, state, restart(state)) === state) break;
    }
    wakeAll(this.place, index);
  }

  /** @returns Whether there were any. */
  #removeDead(): boolean {
    const { words } = this.place;
    let removed = false;
    for (let member = 0; member < this.parties; member++) {
      const holder = Atomics.load(words, this.#at(member));
      if (!this.#isDead(holder)) continue;
      Atomics.compareExchange(words, this.#at(member), holder, 0);
      removed = true;
    }
    return removed;
  }

  #at(member: number): number {
    return this.index + FIRST_MEMBER + member;
  }

  #isDead(holder: number): boolean {
    return holder !== 0 && holder !== this.place.id && !this.place.isAlive(holder);
  }
}

/** Arrives, and waits for the others. */
export class ArrivalAttempt implements Attempt {
  sleepIndex: number;
  sleepValue = 0;
  sleepMs: number = SLICE_MS;
  /** What came of it: undefined as long as it lasts, and when it was withdrawn. */
  outcome: Outcome | undefined;
  readonly #barrier: BarrierWords;
  readonly #member: number;
  /** The phase in which it has arrived. */
  #phase = -1;

  constructor(barrier: BarrierWords, member: number) {
    this.#barrier = barrier;
    this.#member = member;
    this.sleepIndex = barrier.index;
  }

  advance({ quiet }: Pause): boolean {
    if (this.#phase < 0 && this.#arrive()) return true;
    const { place: { words }, index } = this.#barrier;
    if (quiet && this.#barrier.hasDeadMember()) this.#barrier.break(this.#phase);
    while (true) {
      const state = Atomics.load(words, index);
      if (this.#isOver(state)) return true;
      const waiting = state | WAIT;
      if (waiting !== state && Atomics.compareExchange(words, index, state, waiting) !== state) {
        continue;
      }
      this.sleepValue = waiting;
      return false;
    }
  }

  /** Withdraws the arrival, unless the phase has ended with it: then that is the outcome. */
  giveUp(): void {
    if (this.#phase < 0) return;
    const { place: { words }, index } = this.#barrier;
    while (true) {
      const state = Atomics.load(words, index);
      if (this.#isOver(state)) return;
      if (Atomics.compareExchange(words, index, state, state - 1) === state) return;
    }
  }

  /** @returns Whether that was all: it was the last to arrive, or cannot. */
  #arrive(): boolean {
    const barrier = this.#barrier;
    const { place: { words }, index, parties } = barrier;
    while (true) {
      const state = Atomics.load(words, index);
      if ((state & BROKEN) !== 0) return this.#end("broken");
      if (!barrier.isMember(this.#member)) return this.#end("lost");
      const arrived = (state & ARRIVED_MASK) + 1;
      const last = arrived >= parties;
      const phase = phaseOf(state);
      const changed = last ? beginning(phase + 1) : (state + 1) | WAIT;
      if (Atomics.compareExchange(words, index, state, changed) !== state) continue;
      if (last) {
        wakeAll(barrier.place, index);
        return this.#end("leader");
      }
      this.#phase = phase;
      return false;
    }
  }

  /** Whether the phase of the arrival has ended. */
  #isOver(state: number): boolean {
    const phase = phaseOf(state);
    if (phase === ((this.#phase + 1) & PHASE_MASK)) return this.#end("passed");
    if (phase !== this.#phase) return this.#end("reset");
    return (state & BROKEN) !== 0 && this.#end("broken");
  }

  #end(outcome: Outcome): true {
    this.outcome = outcome;
    return true;
  }
}
