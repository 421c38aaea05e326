/**
 * A place at an object for a process under exploration: the protocols see no difference.
 *
 * @module
 */

import type { Attempt, Place } from "../../sync/protocols/place.ts";
import { idOf, LOOP, type Process, type World } from "./world.ts";

const MAX_PROCESSES = 4;
/** The first words are, for each process, the set of the words that its event loop awaits. */
const INTERESTS = 0;
/** Then there is a row of one entry for each. */
export const ROWS = INTERESTS + MAX_PROCESSES;
/** The bitmap of those who have ever had a shared lock. */
export const SHARING = ROWS + MAX_PROCESSES;
/** The words from here on are free. */
export const FIRST = SHARING + 1;

/** How an asynchronous wait may end before it has worked. */
export interface AwaitLimits {
  readonly timeoutMs?: number;
  /** Whether it is called off when the time is over, without a last look. */
  readonly aborts?: boolean;
}

/** A place whose calls of the kernel are steps. */
export class ExploredPlace implements Place {
  readonly id: number;
  readonly slot: number;
  readonly slotCount: number;
  readonly sharing = SHARING;
  readonly words: Int32Array<ArrayBuffer>;
  readonly #world: World;
  readonly #process: Process;

  constructor(world: World, process: Process) {
    this.id = process.id;
    this.slot = process.number;
    this.slotCount = world.processes.length;
    this.words = world.words;
    this.#world = world;
    this.#process = process;
  }

  idAt(slot: number): number {
    return idOf(slot);
  }

  rowIndex(slot: number, offset: number): number {
    return ROWS + slot + offset / 4;
  }

  isAlive(id: number): boolean {
    return this.#process.step(
      "asks whether alive:",
      undefined,
      [id],
      () => this.#world.isAlive(id),
    );
  }

  wake(index: number, count: number): number {
    return this.#process.step("wake", index, [count], () => this.#world.wake(index, count));
  }

  mail(id: number, index: number): boolean {
    const to = this.#world.processes.find((each) => each.id === id);
    if (to === undefined) return false;
    const interest = Atomics.load(this.words, INTERESTS + to.number);
    if ((interest & 1 << index) === 0) return false;
    return this.#process.step("mail", undefined, [to.number], () => this.#world.send(to));
  }

  mailSome(index: number, count: number): number {
    const others = this.#world.processes.filter(({ id }) => id !== this.id);
    // Where the search begins, depends on those before.
    const start = count >= others.length
      ? 0
      : this.#process.observe("looks for mailboxes from", () => this.#world.decide(others.length));
    let sent = 0;
    for (let step = 0; step < others.length && sent < count; step++) {
      const { id } = others[(start + step) % others.length] as Process;
      if (this.mail(id, index)) sent++;
    }
    return sent;
  }

  /** A look of which others know nothing is no step. */
  spin(): void {}

  sleep(index: number, value: number, timeoutMs: number): boolean {
    return this.#process.sleep(index, value, timeoutMs);
  }

  /** What an event loop does with an attempt: see `sync/waiting/event_loop.ts`. */
  await(
    attempt: Attempt,
    index: number,
    { timeoutMs = Infinity, aborts = false }: AwaitLimits = {},
  ): boolean {
    const own = INTERESTS + this.slot;
    Atomics.or(this.words, own, 1 << index);
    let waitedMs = 0;
    let quiet = false;
    while (true) {
      const isOff = aborts && waitedMs >= timeoutMs;
      if (isOff) this.#process.step("is called off", undefined, [], () => {}); // mail may still come
      const done = !isOff && attempt.advance({ waitedMs, slept: true, quiet });
      if (done || waitedMs >= timeoutMs) {
        Atomics.and(this.words, own, ~(1 << index));
        if (done) attempt.settle?.();
        else attempt.giveUp(true);
        return done;
      }
      const startMs = performance.now();
      quiet = this.#process.sleep(LOOP, 0, Math.min(attempt.sleepMs, timeoutMs - waitedMs));
      waitedMs += performance.now() - startMs;
    }
  }
}
