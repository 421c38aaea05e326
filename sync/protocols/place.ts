/**
 * Where a protocol runs: one thread, at one object. All that the protocols of this folder know of the
 * machine is here, so that they can be run step by step elsewhere.
 *
 * A word is named by its index: its offset in the file, divided by 4.
 *
 * @module
 */

/** A thread's place at an object. */
export interface Place {
  /** Who it is in the words of the object: never 0. */
  readonly id: number;
  /** All words of the object; only for `Atomics`. */
  readonly words: Int32Array<ArrayBuffer>;
  /** Whether a participant is not known to be dead. Not to be asked of the own id. */
  isAlive(id: number): boolean;
  /** Wakes threads that sleep on a word. @returns How many did. */
  wake(index: number, count: number): number;
  /** Mails a participant, if its event loop waits for the word. @returns Whether it took it. */
  mail(id: number, index: number): boolean;
  /** Mails up to so many of those whose event loops wait for the word. @returns How many took it. */
  mailSome(index: number, count: number): number;
  /** Which slot is ours. */
  readonly slot: number;
  /** How many slots there are, from 0 on. */
  readonly slotCount: number;
  /** The index of the bitmap of those who have ever had a shared lock. */
  readonly sharing: number;
  /** The id of who has a slot; when nobody has, of who had it last. */
  idAt(slot: number): number;
  /** The index of an entry in the row of a slot, given its offset in the row in bytes. */
  rowIndex(slot: number, offset: number): number;
}

/** What has happened since the last look. */
export interface Pause {
  /** Since the wait began, in milliseconds. */
  readonly waitedMs: number;
  /** Whether there was any sleep, so that a wake-up may have been ours. */
  readonly slept: boolean;
  /** Whether the last sleep ended by itself: time to ask whether others are dead. */
  readonly quiet: boolean;
}

/** The state before the first look. */
export const NO_PAUSE: Pause = { waitedMs: 0, slept: false, quiet: false };

/** The longest sleep, in milliseconds. Nobody relies on being woken. */
export const SLICE_MS = 50;

/** Something that is tried until it works. */
export interface Attempt {
  /** Where to sleep after a try in vain, and the value that the word must have for that. */
  readonly sleepIndex: number;
  readonly sleepValue: number;
  /** For how long at most, in milliseconds. */
  readonly sleepMs: number;
  /**
   * Whether it is time to try: it may work by now, or there is no use in looking any longer. Others know
   * nothing of it. Absent where one has to try first.
   */
  glance?(): boolean;
  /** Whether others wait for what it has already, so that it must not be left alone for long. */
  readonly holdsUp?: boolean;
  /** Tries. @returns Whether it worked. If not, others know now that somebody waits. */
  advance(pause: Pause): boolean;
  /**
   * Ends the attempt without success: whatever others know is taken back, and a wake-up that may
   * have been received is passed on.
   */
  giveUp(slept: boolean): void;
  /**
   * Ends the attempt of an event loop with success, when nobody mails it any more: mail that it has
   * got since it had what it wanted is passed on. Absent where the word itself sees to that.
   */
  settle?(): void;
}
