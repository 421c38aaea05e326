/**
 * The mutex: one owner at a time, whoever comes after a death is told, and nobody waits for ever (M1 to
 * M3 in `docs/synchronisation.md`).
 *
 * @module
 */

import { waitPlainly } from "../../../sync/waiting/plain.ts";
import type { Exploration } from "../explorer.ts";
import { type AwaitLimits, ExploredPlace, FIRST } from "../place.ts";
import { idOf, type Process, type Program, type World } from "../world.ts";

/** The protocol, and what drives it: production source, or a mutant of it. */
export type Protocol = typeof import("../../../sync/protocols/lock_word.ts");

const WORD = FIRST;
const NEXT = FIRST + 1;
/** Who is inside. */
const INSIDE = FIRST + 2;
/** Whether an owner has died, and nobody has marked the lock consistent since. */
const TRACES = FIRST + 3;
/** What nobody changes: who sleeps on it, takes a nap. */
const BED = FIRST + 4;
const WORDS = FIRST + 5;
const NAP_MS = 5;

interface Way {
  readonly by?: "plain" | "await" | "try" | "fast";
  readonly limits?: AwaitLimits;
  readonly rounds?: number;
  /** Whether it marks the lock consistent. */
  readonly repairs?: boolean;
  /** In how many rounds it sleeps while it has the lock. */
  readonly naps?: number;
  /** Whether it never gets the lock before another one who demands it, nor has to wait for its sake. */
  readonly fair?: boolean;
}

/** Locks in some way, is inside, and unlocks. */
function locker(
  { LockAttempt, markConsistent, OWNER, tryLockWord, unlockWord }: Protocol,
  { by = "plain", limits = {}, rounds = 1, repairs = true, naps = 0, fair = false }: Way,
): Program {
  /** @returns Whether it is told of a death; undefined without the lock. */
  const lock = (place: ExploredPlace): boolean | undefined => {
    if (by === "try") {
      const result = tryLockWord(place, WORD);
      if (result !== "busy") return result === "ownerDied";
      if (((place.words[WORD] as number) & OWNER) === A_DEAD_ID) throw new Error("spares the dead");
      return undefined;
    }
    // As `Mutex.lock()` does first.
    if (by === "fast" && Atomics.compareExchange(place.words, WORD, 0, place.id) === 0) {
      return false;
    }
    const attempt = new LockAttempt(place, WORD);
    const locked = by === "await"
      ? place.await(attempt, WORD, limits)
      : waitPlainly(place, attempt, limits.timeoutMs ?? Infinity);
    return locked ? attempt.ownerDied : undefined;
  };
  const enter = (process: Process, { words }: World, ownerDied: boolean) => {
    const { id } = process;
    if (words[INSIDE] !== 0) throw new Error("came in while another was inside");
    words[INSIDE] = id;
    if (((words[WORD] as number) & OWNER) !== id) throw new Error("came in without the lock");
    if (ownerDied && words[TRACES] === 0) throw new Error("was told of a death without one");
    if (!ownerDied && words[TRACES] !== 0) throw new Error("was not told of a death");
    if (!fair) return;
    if (words[NEXT] !== 0 && words[NEXT] !== id) throw new Error("took it from who is next");
    if (process.nowMs % LONG_MS !== 0) throw new Error("was polite to somebody who slept");
  };
  return (process, world) => {
    const place = new ExploredPlace(world, process);
    const { words } = place;
    for (let round = 0; round < rounds; round++) {
      const ownerDied = lock(place);
      if (ownerDied === undefined) continue;
      process.observe("is inside", () => enter(process, world, ownerDied));
      if (ownerDied && repairs) {
        if (!markConsistent(place, WORD)) throw new Error("has lost the lock");
        process.observe("has marked it consistent", () => void (words[TRACES] = 0));
      }
      if (round < naps) {
        const waits = world.processes.some(({ state, number }) =>
          state !== "ended" && number !== process.number
        );
        if (waits && round >= MAX_ROUNDS) {
          throw new Error("always gets the lock, while another waits");
        }
        process.sleep(BED, 0, NAP_MS);
      }
      process.step("leaves", undefined, [], () => {
        if (words[INSIDE] !== process.id) throw new Error("was not alone");
        words[INSIDE] = 0;
      });
      if (!unlockWord(place, WORD)) throw new Error("has lost the lock");
    }
  };
}

/** A hog that another one waits for has the lock so often at most. */
const MAX_ROUNDS = 4;
/** Who has slept so long demands the lock. */
const LONG_MS = 100;
/** The id of somebody who has died before. */
const A_DEAD_ID = idOf(20);

/** Unlocks what it does not hold: that has to be refused. */
function intruder({ unlockWord, markConsistent }: Protocol): Program {
  return (process, world) => {
    const place = new ExploredPlace(world, process);
    if (unlockWord(place, WORD)) throw new Error("has unlocked what it did not hold");
    if (markConsistent(place, WORD)) throw new Error("has marked what it did not hold");
  };
}

/** What is explored, by name. */
export function explorations(protocol: Protocol): Readonly<Record<string, Exploration>> {
  const { DIED, OWNER } = protocol;
  const lock = (way: Way = {}) => locker(protocol, way);
  const ownerOf = (words: Int32Array) => (words[WORD] as number) & OWNER;
  const base = {
    words: WORDS,
    names: { [WORD]: "word", [NEXT]: "next", [INSIDE]: "inside", [TRACES]: "traces" },
    preemptions: 2,
    slices: false,
    check: ({ words, processes }: World) => {
      // Those that are gone may leave both, as nobody needs to have come since.
      const gone = processes.filter(({ crashed, stopped }) => crashed || stopped).map(({ id }) =>
        id
      );
      gone.push(0);
      if (!gone.includes(ownerOf(words))) throw new Error("the lock was left behind");
      if (!gone.includes(words[NEXT] as number)) throw new Error("a demand was left behind");
    },
    onCrash: (words: Int32Array, { id }: Process) => {
      if (ownerOf(words) === id) words[TRACES] = 1;
      if (words[INSIDE] === id) words[INSIDE] = 0;
    },
    mayWait: ({ words, processes }: World) =>
      processes.some(({ id, stopped }) => stopped && ownerOf(words) === id),
  };
  const await_ = lock({ by: "await" });
  return {
    "three that wait": { ...base, programs: [lock(), lock(), lock()] },
    "three, one of which awaits": { ...base, programs: [lock({ by: "fast" }), lock(), await_] },
    "three, two of which await": { ...base, programs: [lock({ by: "fast" }), await_, await_] },
    "three that await": { ...base, programs: [await_, await_, await_] },
    "three that have waited for long": {
      ...base,
      programs: [lock({ by: "fast" }), lock(), await_],
      sleepMs: LONG_MS,
    },
    "one that gives up": {
      ...base,
      programs: [lock(), lock({ limits: { timeoutMs: 20 } }), await_],
    },
    "one that gives up a demand": {
      ...base,
      programs: [lock({ rounds: 2, naps: 2 }), lock({ limits: { timeoutMs: 120 } })],
      sleepMs: LONG_MS,
    },
    "one that awaits and gives up": {
      ...base,
      programs: [
        lock({ by: "fast", rounds: 2, naps: 2 }),
        await_,
        lock({ by: "await", limits: { timeoutMs: 20 } }),
      ],
      preemptions: 1,
    },
    "one that calls it off": {
      ...base,
      programs: [
        lock({ by: "fast", rounds: 2, naps: 2 }),
        await_,
        lock({ by: "await", limits: { timeoutMs: 20, aborts: true } }),
      ],
      preemptions: 1,
    },
    "one that is always back": {
      ...base,
      programs: [lock({ rounds: 4, fair: true }), lock({ fair: true })],
      sleepMs: LONG_MS,
      patient: true,
    },
    // Whoever demands it may be passed by until WAIT is set: with preemptions, any number of times.
    "one that is always back at once": {
      ...base,
      programs: [lock({ by: "fast", rounds: 9, naps: 9 }), lock({ fair: true })],
      sleepMs: LONG_MS,
      patient: true,
      preemptions: 0,
    },
    "three that come when it is their turn": {
      ...base,
      programs: [
        lock({ by: "fast", rounds: 2, naps: 2 }),
        lock({ fair: true }),
        lock({ fair: true }),
      ],
      preemptions: 1,
      sleepMs: LONG_MS,
      patient: true,
    },
    "three that come at once when it is their turn": {
      ...base,
      programs: [lock({ by: "fast", rounds: 2 }), lock({ fair: true }), lock({ fair: true })],
      preemptions: 3,
      sleepMs: LONG_MS,
      patient: true,
    },
    "one that demands it from the dead": {
      ...base,
      programs: [lock()],
      initial: { [WORD]: A_DEAD_ID, [NEXT]: idOf(0), [TRACES]: 1 },
      slices: true,
    },
    "three, one of which dies": {
      ...base,
      programs: [lock({ by: "fast" }), await_, lock()],
      crashes: 1,
      slices: true,
    },
    "three, one of which stops": {
      ...base,
      programs: [lock({ by: "fast" }), await_, lock()],
      preemptions: 1,
      stops: 1,
      slices: true,
    },
    "two twice, two of which die": {
      ...base,
      programs: [lock({ rounds: 2 }), lock({ rounds: 2 })],
      crashes: 2,
      slices: true,
    },
    "three, only one of which repairs": {
      ...base,
      programs: [lock({ repairs: false }), lock({ by: "await", repairs: false }), lock()],
      preemptions: 1,
      crashes: 1,
      slices: true,
    },
    "one that tries": {
      ...base,
      programs: [lock(), lock({ by: "try" }), await_],
      preemptions: 1,
      crashes: 1,
      slices: true,
    },
    "sleeps that end for no reason": {
      ...base,
      programs: [lock(), lock(), await_],
      preemptions: 1,
      spurious: 2,
    },
    "an owner that has died before": {
      ...base,
      programs: [lock({ by: "try", repairs: false }), lock(), await_],
      initial: { [WORD]: A_DEAD_ID, [NEXT]: A_DEAD_ID, [TRACES]: 1 },
      preemptions: 1,
      slices: true,
    },
    "an owner that has died before, without slices": {
      ...base,
      programs: [lock({ limits: { timeoutMs: 20 } }), lock(), await_],
      initial: { [WORD]: A_DEAD_ID, [TRACES]: 1 },
      mayWait: ({ processes }: World) => processes.slice(1).some(({ state }) => state === "ended"),
    },
    "a death that is not repaired": {
      ...base,
      programs: [lock({ repairs: false }), lock({ by: "await", repairs: false })],
      initial: { [WORD]: DIED, [TRACES]: 1 },
    },
    "one that unlocks what it does not hold": {
      ...base,
      programs: [lock(), intruder(protocol), lock()],
    },
  };
}
