/**
 * The table of those who take part in synchronisation at an object: "Participants" in
 * `docs/synchronisation.md` has every word.
 *
 * @module
 */

import { isThreadGone } from "../../ffi/mod.ts";
import { type ObjectShape, placesOf } from "../../memory/objects/trailer.ts";

/** The bytes of a lock file's participant `slot` are locked from here on. */
export const SLOT_LOCKS: number = 2 ** 52 + 1024;
/** One byte for each process: who sweeps its terminated threads holds it. */
export const SWEEP_LOCKS: number = 2 ** 53 - 2 ** 32;

/** Words of a slot. */
export const WORD = {
  generation: 0,
  thread: 1,
  pid: 2,
  descriptor: 3,
  start: 4,
  namespace: 6,
  mailbox: 8,
  interest: 12,
  sleeping: 14,
  awaiting: 15,
  handles: 16,
} as const;

/** How many handles of a thread are noted in its slot. */
export const HANDLES = 8;

/** The least that a slot has, in bytes. */
export const SLOT_BYTE_LENGTH = 96;
/** A bit for each slot that there can be. */
const BITMAP_WORDS = 32;
/** What the two bitmaps take, in bytes. */
export const BITMAPS_BYTE_LENGTH: number = 2 * 4 * BITMAP_WORDS;

const GENERATION = 0xf_ffff;
const SLOT_BITS = 10;
const SLOT_MASK = (1 << SLOT_BITS) - 1;

/** The id of a participant. */
export function idOf(slot: number, generation: number): number {
  return ((generation & GENERATION) << SLOT_BITS) | (slot + 1);
}

/** The slot of an id; -1 and beyond the table for what is none. */
export function slotOf(id: number): number {
  return (id & SLOT_MASK) - 1;
}

/** Whether the generation of a slot is that of an id. */
export function isOfGeneration(id: number, generation: number): boolean {
  return (id >>> SLOT_BITS & GENERATION) === (generation & GENERATION);
}

/** What a participant says about itself. */
export interface Identity {
  readonly generation: number;
  /** 0: nobody, or not complete. */
  readonly thread: number;
  readonly pid: number;
  /** The inode number of the PID namespace in which these are their numbers. */
  readonly namespace: number;
  /** That holds the lock of the slot, in that process. */
  readonly descriptor: number;
  /** When the thread started, in clock ticks since boot. */
  readonly startTicks: number;
}

/** The table in the memory of an object. */
export class Slots {
  readonly words: Int32Array<ArrayBuffer>;
  readonly count: number;
  /** The index of the bitmap of those who await something. */
  readonly bitmap: number;
  /** The index of the bitmap of those who have ever had a shared lock. */
  readonly sharing: number;
  readonly #first: number;
  readonly #stride: number;

  constructor(words: Int32Array<ArrayBuffer>, shape: ObjectShape) {
    const places = placesOf(shape);
    this.words = words;
    this.count = shape.participants;
    this.bitmap = places.waiters / 4;
    this.sharing = this.bitmap + BITMAP_WORDS;
    this.#first = places.slots / 4;
    this.#stride = shape.slotByteLength / 4;
  }

  /** The index of a word of a slot. */
  at(slot: number, word: number): number {
    return this.#first + slot * this.#stride + word;
  }

  load(slot: number, word: number): number {
    return Atomics.load(this.words, this.at(slot, word));
  }

  store(slot: number, word: number, value: number): void {
    Atomics.store(this.words, this.at(slot, word), value);
  }

  /** A number in two words, the low one first. */
  loadLong(slot: number, word: number): number {
    const low = this.load(slot, word) >>> 0;
    return low + (this.load(slot, word + 1) >>> 0) * 2 ** 32;
  }

  storeLong(slot: number, word: number, value: number): void {
    this.store(slot, word, value % 2 ** 32 | 0);
    this.store(slot, word + 1, Math.floor(value / 2 ** 32) | 0);
  }

  /** The id that the holder of a slot has now. */
  idAt(slot: number): number {
    return idOf(slot, this.load(slot, WORD.generation));
  }

  /** Whether an id is that of a slot's holder, and not of one before. */
  isCurrent(id: number): boolean {
    const slot = slotOf(id);
    return slot >= 0 && slot < this.count &&
      isOfGeneration(id, this.load(slot, WORD.generation));
  }

  /** What the holder of a slot says; undefined when it changed meanwhile. */
  identityAt(slot: number): Identity | undefined {
    const generation = this.load(slot, WORD.generation);
    const identity = {
      generation,
      thread: this.load(slot, WORD.thread),
      pid: this.load(slot, WORD.pid),
      namespace: this.loadLong(slot, WORD.namespace),
      descriptor: this.load(slot, WORD.descriptor),
      startTicks: this.loadLong(slot, WORD.start),
    };
    return this.load(slot, WORD.generation) === generation ? identity : undefined;
  }

  /** Whether the thread of a slot is proven to have ended, though its process may not have. */
  isThreadGone(slot: number, namespace: number): boolean {
    const identity = this.identityAt(slot);
    if (identity === undefined || identity.thread === 0 || namespace === 0) return false;
    return identity.namespace === namespace && isThreadGone(identity.pid, identity.thread);
  }
}
