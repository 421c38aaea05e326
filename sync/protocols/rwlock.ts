/**
 * The read-write lock: see "Read-write lock" in `docs/synchronisation.md`, whose words and promises
 * (R1 to R3) these are.
 *
 *     index      word      of the lock word of the writer, see `lock_word.ts`
 *         + 1    next
 *         + 2    drain     counts readers that left while a writer waited
 *         + 3    writing   id of the writer that may be changing data; 0: none
 *
 * and in the row of each participant an entry, `generation:20 | count:12`, that only its participant
 * writes while it lives.
 *
 * P1 (exclusion): a reader stores its entry, then loads `word`. P2: a writer exchanges `word`, then
 * loads the entries of all whose bit is in the bitmap, which a reader sets before its first entry. In
 * the one order of all atomic accesses one of them sees the other.
 * P3 (no lost wake-up): a reader that leaves stores its entry, loads `word`, then adds to `drain`. A writer
 * loads `drain`, then the entries, then sleeps while `drain` is what it was.
 *
 * @module
 */

import {
  demand,
  DIED,
  type HasLeftTraces,
  LockAttempt,
  meetDemand,
  OWNER,
  Politeness,
  tryLockWord,
  unlockWord,
  WAIT,
  wakeAll,
} from "./lock_word.ts";
import { type Attempt, type Pause, type Place, SLICE_MS } from "./place.ts";

const DRAIN = 2;
const WRITING = 3;

const COUNT = 0xfff;

/** What has got `word`. */
interface Writer {
  /** Whether a writer has died before. */
  readonly ownerDied: boolean;
}

/** Has got `word` without an attempt. */
const AT_ONCE: Writer = { ownerDied: false };

/** A read-write lock as one participant has it. */
export class RwLockPart {
  readonly place: Place;
  readonly index: number;
  /** How many shared locks the participant has. The entry says so too, up to 4095. */
  readers = 0;
  /** What has got `word` here, and waits for readers or has the exclusive lock. */
  writer: Writer | undefined = undefined;
  /** Whether the participant has the exclusive lock. */
  isExclusive = false;
  /** Our entry, and what it is without a count. */
  readonly #entry: number;
  readonly #blank: number;
  readonly #firstEntry: number;
  readonly #stride: number;
  /** Whether writers know that they have to look at our entry. */
  #isKnown = false;

  /** @param rowOffset Where its entries are in the rows, in bytes. */
  constructor(place: Place, index: number, rowOffset: number) {
    this.place = place;
    this.index = index;
    this.#entry = place.rowIndex(place.slot, rowOffset);
    this.#blank = blankEntryOf(place.id);
    this.#firstEntry = place.rowIndex(0, rowOffset);
    this.#stride = place.rowIndex(1, rowOffset) - this.#firstEntry;
  }

  /** Whether a dead owner of `word` was changing data: a writer that waits for readers was not. */
  readonly hasLeftTraces: HasLeftTraces = (owner) =>
    Atomics.load(this.place.words, this.index + WRITING) === owner;

  /** Gets a shared lock when nobody owns, demands or waits for anything. */
  shareIfQuiet(): boolean {
    const { place: { words }, index } = this;
    // Who looks before it announces itself does not disturb a writer that waits for readers.
    if (Atomics.load(words, index) !== 0) return false;
    this.#announce();
    if (Atomics.load(words, index) === 0) {
      this.readers++;
      return true;
    }
    this.#withdraw();
    return false;
  }

  /** Gets a shared lock unless there is a writer. @returns What `word` was then, or undefined. */
  share(): number | undefined {
    this.#announce();
    const word = Atomics.load(this.place.words, this.index);
    if ((word & OWNER) === 0) {
      this.readers++;
      return word;
    }
    this.#withdraw();
    return undefined;
  }

  /** Gets one more shared lock, or the first of a thread whose own writer is not there yet. */
  shareMore(): number {
    this.#announce();
    this.readers++;
    return Atomics.load(this.place.words, this.index);
  }

  /** Gives a shared lock back. @returns False when something has been written over the entry. */
  unshare(): boolean {
    const expected = this.#counting(this.readers);
    this.readers--;
    return this.#withdraw() === expected;
  }

  /** Frees `word` when its owner is dead. Readers get the lock then, and know whether data are half changed. */
  freeFromDead(word: number): void {
    const { place, index } = this;
    const traces = this.hasLeftTraces(word & OWNER) ? DIED : 0;
    const free = WAIT | (word & DIED) | traces;
    if (Atomics.compareExchange(place.words, index, word, free) === word) wakeAll(place, index);
  }

  /**
   * Whether anybody who lives has a shared lock.
   *
   * @param ask Whether to ask who is dead: otherwise all are taken to live.
   */
  hasReaders(ask: boolean): boolean {
    const { place: { words, slotCount, sharing } } = this;
    for (let group = 0; group * 32 < slotCount; group++) {
      let bits = Atomics.load(words, sharing + group);
      for (; bits !== 0; bits &= bits - 1) {
        const slot = group * 32 + (31 - Math.clz32(bits & -bits));
        if (slot < slotCount && this.#isReading(slot, ask)) return true;
      }
    }
    return false;
  }

  #isReading(slot: number, ask: boolean): boolean {
    const { place } = this;
    const { words, id } = place;
    const index = this.#firstEntry + slot * this.#stride;
    const entry = Atomics.load(words, index);
    if ((entry & COUNT) === 0) return false;
    const holder = place.idAt(slot);
    if ((entry & ~COUNT) !== blankEntryOf(holder)) return false;
    if (!ask || holder === id || place.isAlive(holder)) return true;
    // Or each writer to come would sleep before it asks.
    Atomics.compareExchange(words, index, entry, 0);
    return false;
  }

  /**
   * Gets the exclusive lock when nobody has or demands anything. When only readers are in the way, it
   * waits for them from now on, until an attempt goes on with that.
   */
  excludeIfQuiet(): boolean {
    const { place: { words, id }, index } = this;
    if (this.readers > 0 || this.writer !== undefined) return false;
    if (Atomics.compareExchange(words, index, 0, id) !== 0) return false;
    this.writer = AT_ONCE;
    if (this.hasReaders(false)) return false;
    this.beginWriting();
    return true;
  }

  /** Marks that data may be changed from now on: nobody else has the lock. */
  beginWriting(): void {
    this.isExclusive = true;
    Atomics.store(this.place.words, this.index + WRITING, this.place.id);
  }

  /** Gives the exclusive lock back. @returns False when something has been written over it. */
  unlockExclusive(): boolean {
    const { place, index } = this;
    const { words, id } = place;
    this.writer = undefined;
    this.isExclusive = false;
    const isOurs = Atomics.compareExchange(words, index + WRITING, id, 0) === id;
    return unlockWord(place, index, true) && isOurs;
  }

  /** Where a writer sleeps that waits for readers. */
  get drainIndex(): number {
    return this.index + DRAIN;
  }

  #counting(readers: number): number {
    return this.#blank | Math.min(readers, COUNT);
  }

  #announce(): void {
    if (!this.#isKnown) {
      const { words, slot, sharing } = this.place;
      Atomics.or(words, sharing + (slot >> 5), 1 << slot);
      this.#isKnown = true;
    }
    Atomics.store(this.place.words, this.#entry, this.#counting(this.readers + 1));
  }

  /** Stores how many there are, and tells a writer that waits for readers. @returns What was there. */
  #withdraw(): number {
    const { place, index, readers } = this;
    const { words, id } = place;
    const before = Atomics.exchange(words, this.#entry, this.#counting(readers));
    if (readers > 0) return before;
    const owner = Atomics.load(words, index) & OWNER;
    if (owner === 0) return before;
    Atomics.add(words, index + DRAIN, 1);
    if (owner !== id && place.wake(index + DRAIN, 1) === 0) place.mail(owner, index);
    return before;
  }
}

/** The entry of a participant that has no shared lock: its generation. */
function blankEntryOf(id: number): number {
  return id << 2 & ~COUNT;
}

/** Gets a shared lock. */
export class SharedAttempt implements Attempt {
  readonly sleepIndex: number;
  sleepValue = 0;
  sleepMs: number = SLICE_MS;
  /** Whether a writer has died before, when it has worked. */
  ownerDied = false;
  readonly #part: RwLockPart;
  #politeness: Politeness | undefined;

  constructor(part: RwLockPart) {
    this.#part = part;
    this.sleepIndex = part.index;
  }

  glance(): boolean {
    const { place, index, isExclusive, writer } = this.#part;
    return isExclusive || writer !== undefined || (Atomics.load(place.words, index) & OWNER) === 0;
  }

  advance({ waitedMs, quiet }: Pause): boolean {
    const part = this.#part;
    const { place, index } = part;
    const { words, id } = place;
    if (part.isExclusive) return false;
    if (part.writer !== undefined) return this.#have(part.shareMore());
    while (true) {
      const word = Atomics.load(words, index);
      const owner = word & OWNER;
      if (owner === 0) {
        const next = Atomics.load(words, index + 1);
        if (next !== 0 && next !== id && !this.#passes(word, next, waitedMs)) return false;
        const shared = part.share();
        if (shared === undefined) continue;
        if (next === id) {
          meetDemand(place, index + 1);
          wakeAll(place, index); // those who were polite
        }
        return this.#have(shared);
      }
      if (owner === id || (quiet && !place.isAlive(owner))) {
        part.freeFromDead(word);
        continue;
      }
      if (demand(place, index + 1, waitedMs)) continue;
      const waiting = word | WAIT;
      if (waiting !== word && Atomics.compareExchange(words, index, word, waiting) !== word) {
        continue;
      }
      this.sleepValue = waiting;
      this.sleepMs = SLICE_MS;
      return false;
    }
  }

  giveUp(): void {
    // All are woken when the lock becomes free: there is nothing to pass on.
    meetDemand(this.#part.place, this.#part.index + 1);
  }

  #have(word: number): true {
    this.ownerDied = (word & DIED) !== 0;
    return true;
  }

  #passes(word: number, next: number, nowMs: number): boolean {
    const { place, index } = this.#part;
    const politeness = this.#politeness ??= new Politeness();
    if (politeness.isOver(place, word, index + 1, next, nowMs)) return true;
    this.sleepValue = word;
    this.sleepMs = politeness.remainingMs(nowMs);
    return false;
  }
}

/** Gets a shared lock if that is possible at once. @returns Whether, and whether a writer had died. */
export function tryShare(part: RwLockPart): "locked" | "ownerDied" | "busy" {
  const { place, index, isExclusive } = part;
  if (isExclusive) return "busy";
  while (true) {
    const isOpen = part.readers > 0 || part.writer !== undefined;
    const word = isOpen ? part.shareMore() : Atomics.load(place.words, index);
    const owner = word & OWNER;
    if (isOpen) return (word & DIED) === 0 ? "locked" : "ownerDied";
    if (owner === 0) {
      const shared = part.share();
      if (shared !== undefined) return (shared & DIED) === 0 ? "locked" : "ownerDied";
    } else if (owner === place.id || !place.isAlive(owner)) {
      part.freeFromDead(word);
    } else {
      return "busy";
    }
  }
}

/** Gets the exclusive lock: first `word`, then the readers have to leave. */
export class ExclusiveAttempt extends LockAttempt {
  readonly #part: RwLockPart;
  /** When it was last asked who of the readers is dead. */
  #askedMs = 0;

  constructor(part: RwLockPart) {
    super(part.place, part.index, part.hasLeftTraces);
    this.#part = part;
  }

  override glance(): boolean {
    const { isExclusive, writer } = this.#part;
    if (isExclusive) return true;
    return writer === undefined ? super.glance() : !this.#part.hasReaders(false);
  }

  /** It has `word`, and waits for readers. */
  get holdsUp(): boolean {
    return this.#part.writer === this;
  }

  override advance(pause: Pause): boolean {
    const part = this.#part;
    if (part.isExclusive) return false;
    if (part.writer !== this) {
      // One that waits in this thread cannot go on while this one does: it begins anew then.
      if (part.writer !== undefined) this.ownerDied = part.writer.ownerDied;
      else if (!this.#getWord(pause)) return false;
      part.writer = this;
      this.#askedMs = pause.waitedMs;
    }
    return this.#drain(pause);
  }

  override giveUp(slept: boolean): void {
    const part = this.#part;
    if (part.writer !== this) return super.giveUp(slept);
    part.writer = undefined;
    unlockWord(part.place, part.index, true);
  }

  #getWord(pause: Pause): boolean {
    this.sleepIndex = this.#part.index;
    return super.advance(pause);
  }

  #drain({ waitedMs, quiet }: Pause): boolean {
    const part = this.#part;
    this.sleepIndex = part.drainIndex;
    this.sleepValue = Atomics.load(part.place.words, this.sleepIndex);
    this.sleepMs = SLICE_MS;
    // Sleeps may end early again and again, by those who look in.
    const ask = quiet || waitedMs - this.#askedMs >= SLICE_MS;
    if (ask) this.#askedMs = waitedMs;
    if (part.hasReaders(ask)) return false;
    part.beginWriting();
    return true;
  }
}

/** Gets the exclusive lock if that is possible at once. @returns Whether, and whether a writer had died. */
export function tryExclude(part: RwLockPart): "locked" | "ownerDied" | "busy" {
  const { place, index } = part;
  // Readers are asked before, too, so that new ones are not kept out in vain.
  if (part.writer !== undefined || part.hasReaders(true)) return "busy";
  const result = tryLockWord(place, index, part.hasLeftTraces);
  if (result === "busy") return result;
  if (part.hasReaders(true)) {
    unlockWord(place, index, true);
    return "busy";
  }
  part.writer = AT_ONCE;
  part.beginWriting();
  return result;
}
