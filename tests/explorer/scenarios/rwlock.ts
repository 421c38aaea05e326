/**
 * The read-write lock: no writer beside anybody else, whoever comes after a writer that has died at work
 * is told, and nobody waits for ever (R1 to R3 in `docs/synchronisation.md`).
 *
 * @module
 */

import { waitPlainly } from "../../../sync/waiting/plain.ts";
import type { Exploration } from "../explorer.ts";
import { type AwaitLimits, ExploredPlace, FIRST, ROWS, SHARING } from "../place.ts";
import { idOf, type Process, type Program, type World } from "../world.ts";

/** The protocol: production source, or a mutant of it. */
export type Protocol = typeof import("../../../sync/protocols/rwlock.ts");

const WORD = FIRST;
const NEXT = FIRST + 1;
const DRAIN = FIRST + 2;
const WRITING = FIRST + 3;
/** The set of those who read, and who writes. */
const READERS = FIRST + 4;
const WRITER = FIRST + 5;
/** Whether a writer has died at work. Nobody marks that as repaired here. */
const TRACES = FIRST + 6;
/** What nobody changes: who sleeps on it, takes a nap. */
const BED = FIRST + 7;
const WORDS = FIRST + 8;
const NAP_MS = 5;
const LONG_MS = 100;
const OWNER = 0x3fff_ffff;
const DIED = 1 << 30;
const COUNT = 0xfff;
const A_DEAD_ID = idOf(20);

interface Way {
  readonly by?: "plain" | "await" | "try" | "fast";
  readonly limits?: AwaitLimits;
  readonly rounds?: number;
  readonly naps?: boolean;
}

type Told = boolean | undefined;

/** Reads: has a shared lock, and another one inside if `twice`. */
function reader(protocol: Protocol, way: Way & { twice?: boolean } = {}): Program {
  const { RwLockPart, SharedAttempt, tryShare } = protocol;
  const { by = "plain", limits = {}, rounds = 1, naps = false, twice = false } = way;
  type Part = InstanceType<typeof RwLockPart>;
  const share = (place: ExploredPlace, part: Part): Told => {
    if (by === "try") return told(tryShare(part));
    if (by === "fast" && part.shareIfQuiet()) return false;
    const attempt = new SharedAttempt(part);
    const locked = by === "await"
      ? place.await(attempt, WORD, limits)
      : waitPlainly(place, attempt, limits.timeoutMs ?? Infinity);
    return locked ? attempt.ownerDied : undefined;
  };
  return (process, world) => {
    const { words } = world;
    const place = new ExploredPlace(world, process);
    const part = new RwLockPart(place, WORD, 0);
    const bit = 1 << process.number;
    for (let round = 0; round < rounds; round++) {
      const ownerDied = share(place, part);
      if (ownerDied === undefined) continue;
      process.observe("reads", () => {
        (words[READERS] as number) |= bit;
        if (words[WRITER] !== 0) throw new Error("reads while another writes");
        checkTold(words, ownerDied);
      });
      if (twice) {
        if (tryShare(part) === "busy") throw new Error("waits for itself");
        if (!part.unshare()) throw new Error("has lost a shared lock");
      }
      if (naps) process.sleep(BED, 0, NAP_MS);
      process.step("reads no more", undefined, [], () => {
        if (words[WRITER] !== 0) throw new Error("reads while another writes");
        (words[READERS] as number) &= ~bit;
      });
      if (!part.unshare()) throw new Error("has lost the shared lock");
    }
  };
}

/** Writes: has the exclusive lock. */
function writer(protocol: Protocol, way: Way = {}): Program {
  const { RwLockPart, ExclusiveAttempt, tryExclude } = protocol;
  const { by = "plain", limits = {}, rounds = 1, naps = false } = way;
  type Part = InstanceType<typeof RwLockPart>;
  const exclude = (place: ExploredPlace, part: Part): Told => {
    if (by === "try") return told(tryExclude(part));
    if (by === "fast" && part.excludeIfQuiet()) return false;
    const attempt = new ExclusiveAttempt(part);
    const locked = by === "await"
      ? place.await(attempt, WORD, limits)
      : waitPlainly(place, attempt, limits.timeoutMs ?? Infinity);
    return locked ? attempt.ownerDied : undefined;
  };
  return (process, world) => {
    const { words } = world;
    const place = new ExploredPlace(world, process);
    const part = new RwLockPart(place, WORD, 0);
    for (let round = 0; round < rounds; round++) {
      const ownerDied = exclude(place, part);
      if (ownerDied === undefined) continue;
      process.observe("writes", () => {
        if (words[WRITER] !== 0) throw new Error("writes while another writes");
        if (words[READERS] !== 0) throw new Error("writes while another reads");
        words[WRITER] = process.id;
        checkTold(words, ownerDied);
      });
      if (naps) process.sleep(BED, 0, NAP_MS);
      process.step("writes no more", undefined, [], () => {
        if (words[WRITER] !== process.id || words[READERS] !== 0) throw new Error("was not alone");
        words[WRITER] = 0;
      });
      if (!part.unlockExclusive()) throw new Error("has lost the exclusive lock");
    }
  };
}

function told(result: "locked" | "ownerDied" | "busy"): Told {
  return result === "busy" ? undefined : result === "ownerDied";
}

function checkTold(words: Int32Array, ownerDied: boolean): void {
  if (ownerDied && words[TRACES] === 0) throw new Error("was told of a death without one");
  if (!ownerDied && words[TRACES] !== 0) throw new Error("was not told of a death");
}

/** What is explored, by name. */
export function explorations(protocol: Protocol): Readonly<Record<string, Exploration>> {
  const read = (way: Way & { twice?: boolean } = {}) => reader(protocol, way);
  const write = (way: Way = {}) => writer(protocol, way);
  const ownerOf = (words: Int32Array) => (words[WORD] as number) & OWNER;
  const countOf = (words: Int32Array, { number }: Process) =>
    (words[ROWS + number] as number) & COUNT;
  const base = {
    words: WORDS,
    names: {
      [WORD]: "word",
      [NEXT]: "next",
      [DRAIN]: "drain",
      [WRITING]: "writing",
      [SHARING]: "sharing",
      [ROWS]: "entry of 0",
      [ROWS + 1]: "entry of 1",
      [ROWS + 2]: "entry of 2",
    },
    preemptions: 2,
    slices: false,
    check: ({ words, processes }: World) => {
      const left = processes.filter((each) => !each.crashed && !each.stopped);
      for (const process of left) {
        if (process.id === ownerOf(words)) throw new Error("the lock was left behind");
        if (process.id === words[NEXT]) throw new Error("a demand was left behind");
        if (process.id === words[WRITING]) throw new Error("a mark of a writer was left behind");
        if (countOf(words, process) !== 0) throw new Error("a shared lock was left behind");
      }
    },
    onCrash: (words: Int32Array, { id, number }: Process) => {
      if (words[WRITING] === id) words[TRACES] = 1;
      if (words[WRITER] === id) words[WRITER] = 0;
      (words[READERS] as number) &= ~(1 << number);
    },
    mayWait: ({ words, processes }: World) =>
      processes.some((each) =>
        each.stopped && (ownerOf(words) === each.id || countOf(words, each) > 0)
      ),
  };
  const dying = { ...base, crashes: 1, slices: true };
  const shortly = { timeoutMs: 20 };
  const off = { timeoutMs: 20, aborts: true };
  return {
    "a writer and two readers": {
      ...base,
      programs: [write({ by: "fast" }), read({ by: "fast" }), read()],
    },
    "two writers and a reader": { ...base, programs: [write({ by: "fast" }), write(), read()] },
    "a writer that awaits, and readers": {
      ...base,
      programs: [write({ by: "await" }), read({ by: "fast" }), read({ by: "await" })],
    },
    "writers that await, and a reader": {
      ...base,
      programs: [write({ by: "await" }), write({ by: "await" }), read({ by: "fast" })],
    },
    "a reader that reads twice": { ...base, programs: [read({ twice: true }), write(), read()] },
    "those who have waited for long": {
      ...base,
      programs: [write({ by: "fast" }), read(), write({ by: "await" })],
      sleepMs: LONG_MS,
    },
    "a reader that has waited for long": {
      ...base,
      programs: [write({ rounds: 2, naps: true }), read(), read({ by: "await" })],
      preemptions: 1,
      sleepMs: LONG_MS,
    },
    "a writer that gives up": {
      ...base,
      programs: [read({ naps: true }), write({ limits: shortly }), read({ by: "await" })],
      preemptions: 1,
    },
    "a writer that awaits and gives up": {
      ...base,
      programs: [
        write({ by: "fast", naps: true }),
        write({ by: "await", limits: off }),
        write({ by: "await" }),
      ],
      preemptions: 1,
    },
    "a reader that gives up": {
      ...base,
      programs: [write({ naps: true }), read({ by: "await", limits: off }), read()],
      preemptions: 1,
    },
    "those who try": {
      ...base,
      programs: [write({ by: "try" }), read({ by: "try" }), write({ by: "await" })],
    },
    "a writer and two readers, one of which dies": {
      ...dying,
      programs: [write(), read({ by: "fast" }), read()],
      preemptions: 1,
    },
    "two writers and a reader, one of which dies": {
      ...dying,
      programs: [write({ by: "fast" }), write({ by: "await" }), read()],
      preemptions: 1,
    },
    "a writer and a reader, both of which die": {
      ...dying,
      programs: [write({ rounds: 2 }), read({ rounds: 2 })],
      crashes: 2,
    },
    "those who try, one of which dies": {
      ...dying,
      programs: [write({ by: "try" }), read({ by: "try", rounds: 2 }), write()],
      preemptions: 1,
    },
    "a writer and two readers, one of which stops": {
      ...base,
      programs: [write(), read({ by: "fast" }), read({ by: "await" })],
      preemptions: 1,
      stops: 1,
      slices: true,
    },
    "a writer that has died before": {
      ...base,
      programs: [read({ by: "try" }), write(), read({ by: "await" })],
      initial: { [WORD]: A_DEAD_ID, [NEXT]: A_DEAD_ID, [WRITING]: A_DEAD_ID, [TRACES]: 1 },
      preemptions: 1,
      slices: true,
    },
    "readers and a waiting writer that have died before": {
      ...base,
      programs: [write({ by: "try" }), read(), write({ by: "await" })],
      // A count of an earlier holder of the slot counts nothing.
      initial: { [WORD]: A_DEAD_ID, [ROWS + 1]: 7 << 12 | 1, [SHARING]: 2 },
      preemptions: 1,
      slices: true,
    },
    "a death that is not repaired": {
      ...base,
      programs: [read({ by: "await" }), write(), read({ by: "try" })],
      initial: { [WORD]: DIED, [TRACES]: 1 },
    },
  };
}
