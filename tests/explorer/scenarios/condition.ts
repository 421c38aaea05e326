/**
 * The condition: whoever waits for what others do under the same lock is woken when they have done it (C1
 * in `docs/synchronisation.md`).
 *
 * @module
 */

import { LockAttempt, markConsistent, unlockWord } from "../../../sync/protocols/lock_word.ts";
import { waitPlainly } from "../../../sync/waiting/plain.ts";
import type { Exploration } from "../explorer.ts";
import { type AwaitLimits, ExploredPlace, FIRST } from "../place.ts";
import type { Program, World } from "../world.ts";

/** The protocol: production source, or a mutant of it. */
export type Protocol = typeof import("../../../sync/protocols/condition.ts");

const SIGNAL = FIRST;
const LOCK = FIRST + 2;
/** How much there is for those who wait. The lock guards it. */
const STORE = FIRST + 4;
const WORDS = FIRST + 5;
const OWNER = 0x3fff_ffff;

interface Way {
  readonly by?: "plain" | "await";
  readonly limits?: AwaitLimits;
}

/** What is explored, by name. */
export function explorations(protocol: Protocol): Readonly<Record<string, Exploration>> {
  const { NotificationAttempt, notify, notifyAll } = protocol;

  const lock = (place: ExploredPlace, by: Way["by"] = "plain"): void => {
    const attempt = new LockAttempt(place, LOCK);
    if (by === "plain") waitPlainly(place, attempt, Infinity);
    else place.await(attempt, LOCK);
    if (attempt.ownerDied) markConsistent(place, LOCK);
  };
  const unlock = (place: ExploredPlace): void => {
    if (!unlockWord(place, LOCK)) throw new Error("has lost the lock");
  };

  /** Takes one when there is one: as `wait()` and `waitAsync()` do. */
  const taker = ({ by = "plain", limits = {} }: Way = {}): Program => (process, world) => {
    const { words } = world;
    const place = new ExploredPlace(world, process);
    const { timeoutMs = Infinity } = limits;
    lock(place, by);
    const startMs = performance.now();
    while (process.observe("looks", () => words[STORE] === 0)) {
      const leftMs = timeoutMs - (performance.now() - startMs);
      if (leftMs <= 0) return unlock(place);
      const attempt = new NotificationAttempt(place, SIGNAL);
      unlock(place);
      let isOff = false;
      if (by === "plain") {
        const sleepMs = Math.min(attempt.sleepMs, leftMs);
        place.sleep(attempt.sleepIndex, attempt.sleepValue, sleepMs);
      } else {
        isOff = !place.await(attempt, SIGNAL, { ...limits, timeoutMs: leftMs });
      }
      lock(place, by);
      if (isOff) return unlock(place);
    }
    process.observe("takes one", () => void (words[STORE] as number)--);
    unlock(place);
  };

  /** Brings some, and says so: while it holds the lock, or after that. */
  const bringer = (
    count: number,
    { outside = false, all = false, rounds = 1 } = {},
  ): Program =>
  (process, world) => {
    const { words } = world;
    const place = new ExploredPlace(world, process);
    const tell = () => all ? notifyAll(place, SIGNAL) : notify(place, SIGNAL, count);
    for (let round = 0; round < rounds; round++) {
      lock(place);
      process.observe("brings some", () => (words[STORE] as number) += count);
      if (!outside) tell();
      unlock(place);
      if (outside) tell();
    }
  };

  const base = {
    words: WORDS,
    names: { [SIGNAL]: "signal", [LOCK]: "lock", [LOCK + 1]: "next", [STORE]: "store" },
    preemptions: 2,
    slices: false,
    mayWait: ({ words }: World) => words[STORE] === 0,
    check: ({ words }: World) => {
      if (((words[LOCK] as number) & OWNER) !== 0) throw new Error("the lock was left behind");
    },
  };
  const await_: Way = { by: "await" };
  const off: Way = { by: "await", limits: { timeoutMs: 20, aborts: true } };
  return {
    "one each": { ...base, programs: [bringer(1, { rounds: 2 }), taker(), taker()] },
    "one each, outside of the lock": {
      ...base,
      programs: [bringer(1, { rounds: 2, outside: true }), taker(), taker()],
    },
    "one each, for those who await": {
      ...base,
      programs: [bringer(1, { rounds: 2, outside: true }), taker(await_), taker(await_)],
      preemptions: 0,
    },
    "two for two": { ...base, programs: [bringer(2), taker(), taker()] },
    "two for two, one of which awaits": {
      ...base,
      programs: [bringer(2, { outside: true }), taker(), taker(await_)],
    },
    "all for two": {
      ...base,
      programs: [bringer(2, { all: true, outside: true }), taker(), taker(await_)],
    },
    "two that bring": {
      ...base,
      programs: [bringer(1, { outside: true }), bringer(1), taker(), taker()],
      preemptions: 1,
    },
    "one that gives up": {
      ...base,
      programs: [bringer(1), taker({ limits: { timeoutMs: 20 } }), taker()],
    },
    "one that calls it off": {
      ...base,
      programs: [bringer(1, { outside: true }), taker(off), taker(await_)],
      preemptions: 1,
    },
    "one of which dies": {
      ...base,
      programs: [bringer(2, { outside: true }), taker(), taker()],
      preemptions: 1,
      crashes: 1,
      slices: true,
      mortal: [1, 2], // or the others wait for ever
      check: () => {},
    },
  };
}
