/**
 * The semaphore: each permit has one holder, those of the dead come back, and nobody waits for ever (S1
 * and S2 in `docs/synchronisation.md`).
 *
 * @module
 */

import { waitPlainly } from "../../../sync/waiting/plain.ts";
import type { Exploration } from "../explorer.ts";
import { type AwaitLimits, ExploredPlace, FIRST } from "../place.ts";
import { idOf, type Process, type Program, type World } from "../world.ts";

/** The protocol: production source, or a mutant of it. */
export type Protocol = typeof import("../../../sync/protocols/semaphore.ts");

const SIGNAL = FIRST;
const NEXT = FIRST + 1;
const PERMITS = FIRST + 4;
const MAX_PERMITS = 2;
/** Who uses each permit. */
const USERS = PERMITS + MAX_PERMITS;
/** What nobody changes: who sleeps on it, takes a nap. */
const BED = USERS + MAX_PERMITS;
const WORDS = BED + 1;
const NAP_MS = 5;
const LONG_MS = 100;
const A_DEAD_ID = idOf(20);

interface Way {
  readonly by?: "plain" | "await" | "try" | "fast";
  readonly limits?: AwaitLimits;
  readonly rounds?: number;
  readonly naps?: boolean;
  /** Whether it never has to wait for somebody who sleeps. */
  readonly fair?: boolean;
}

/** Acquires a permit in some way, uses it, and releases it. */
function user(protocol: Protocol, count: number, way: Way): Program {
  const { by = "plain", limits = {}, rounds = 1, naps = false, fair = false } = way;
  type Permits = InstanceType<Protocol["Permits"]>;
  const acquire = (place: ExploredPlace, permits: Permits): number => {
    if (by === "try") {
      const permit = protocol.tryPermit(permits);
      const { words } = place;
      for (let at = PERMITS; permit < 0 && at < PERMITS + count; at++) {
        if (words[at] === A_DEAD_ID) throw new Error("spares the dead");
      }
      return permit;
    }
    const hinted = by === "fast" ? permits.takeHinted() : -1;
    if (hinted >= 0) return hinted;
    const attempt = new protocol.PermitAttempt(permits);
    if (by === "await") place.await(attempt, SIGNAL, limits);
    else waitPlainly(place, attempt, limits.timeoutMs ?? Infinity);
    return attempt.permit;
  };
  return (process, world) => {
    const { words } = world;
    const place = new ExploredPlace(world, process);
    const permits = new protocol.Permits(place, SIGNAL, count);
    for (let round = 0; round < rounds; round++) {
      const permit = acquire(place, permits);
      if (permit < 0) continue;
      process.observe(`uses ${permit}`, () => {
        if (words[USERS + permit] !== 0) throw new Error("uses what another uses");
        if (words[PERMITS + permit] !== process.id) throw new Error("uses what it does not hold");
        words[USERS + permit] = process.id;
        if (fair && process.nowMs % LONG_MS !== 0) throw new Error("was polite to one who slept");
      });
      if (naps) process.sleep(BED, 0, NAP_MS);
      process.step("uses it no more", undefined, [], () => {
        if (words[USERS + permit] !== process.id) throw new Error("was not alone");
        words[USERS + permit] = 0;
      });
      if (!permits.release(permit)) throw new Error("has lost the permit");
    }
  };
}

/** Has both permits from the beginning, and releases one after the other. */
function hog(protocol: Protocol): Program {
  return (process, world) => {
    const permits = new protocol.Permits(new ExploredPlace(world, process), SIGNAL, 2);
    if (!permits.release(0)) throw new Error("has lost a permit");
    process.sleep(BED, 0, NAP_MS);
    if (!permits.release(1)) throw new Error("has lost a permit");
  };
}

/** What is explored, by name. */
export function explorations(protocol: Protocol): Readonly<Record<string, Exploration>> {
  const one = (way: Way = {}) => user(protocol, 1, way);
  const two = (way: Way = {}) => user(protocol, 2, way);
  const permitsOf = (words: Int32Array) => words.subarray(PERMITS, PERMITS + MAX_PERMITS);
  const base = {
    words: WORDS,
    names: {
      [SIGNAL]: "signal",
      [NEXT]: "next",
      [PERMITS]: "permit 0",
      [PERMITS + 1]: "permit 1",
    },
    preemptions: 2,
    slices: false,
    check: ({ words, processes }: World) => {
      for (const { id, crashed, stopped } of processes) {
        if (crashed || stopped) continue;
        if (permitsOf(words).includes(id)) throw new Error("a permit was left behind");
        if (words[NEXT] === id) throw new Error("a demand was left behind");
      }
    },
    onCrash: (words: Int32Array, { id }: Process) => {
      for (let at = USERS; at < USERS + MAX_PERMITS; at++) if (words[at] === id) words[at] = 0;
    },
    mayWait: ({ words, processes }: World) =>
      processes.some(({ id, stopped }) => stopped && permitsOf(words).includes(id)),
  };
  const off = { timeoutMs: 20, aborts: true };
  return {
    "one permit for three": { ...base, programs: [one({ by: "fast" }), one(), one()] },
    "one permit for three, one of which awaits": {
      ...base,
      programs: [one({ by: "fast" }), one(), one({ by: "await" })],
    },
    "one permit for three that await": {
      ...base,
      programs: [one({ by: "await" }), one({ by: "await" }), one({ by: "await" })],
      preemptions: 1,
    },
    "two permits for three": {
      ...base,
      programs: [two({ by: "fast" }), two({ rounds: 2 }), two()],
    },
    "two permits for four": {
      ...base,
      programs: [two({ by: "fast", naps: true }), two(), two(), two()],
      preemptions: 1,
    },
    "one that has all, for two that await": {
      ...base,
      programs: [hog(protocol), two({ by: "await" }), two({ by: "await" })],
      initial: { [PERMITS]: idOf(0), [PERMITS + 1]: idOf(0) },
      preemptions: 1,
    },
    "those who come when it is their turn": {
      ...base,
      programs: [
        one({ by: "fast", rounds: 2, naps: true }),
        one({ fair: true }),
        one({ fair: true }),
      ],
      preemptions: 1,
      sleepMs: LONG_MS,
      patient: true,
    },
    "three that have waited for long": {
      ...base,
      programs: [one({ by: "fast" }), one(), one({ by: "await" })],
      sleepMs: LONG_MS,
    },
    "one that gives up": {
      ...base,
      programs: [one(), one({ limits: { timeoutMs: 20 } }), one()],
    },
    "one that gives up a demand": {
      ...base,
      programs: [one({ rounds: 2, naps: true }), one({ limits: { timeoutMs: 120 } })],
      sleepMs: LONG_MS,
    },
    "one that calls it off": {
      ...base,
      programs: [
        one({ by: "fast", naps: true }),
        one({ by: "await" }),
        one({ by: "await", limits: off }),
      ],
      preemptions: 1,
    },
    "one that tries": {
      ...base,
      programs: [one(), one({ by: "try", rounds: 2 }), one({ by: "await" })],
    },
    "three, one of which dies": {
      ...base,
      programs: [one({ by: "fast" }), one(), one()],
      preemptions: 1,
      crashes: 1,
      slices: true,
    },
    "two permits for three, one of which dies": {
      ...base,
      programs: [two({ by: "try" }), two({ rounds: 2 }), two()],
      preemptions: 1,
      crashes: 1,
      slices: true,
    },
    "three, one of which stops": {
      ...base,
      programs: [one({ by: "fast" }), one({ by: "await" }), one()],
      preemptions: 1,
      stops: 1,
      slices: true,
    },
    "a holder that has died before": {
      ...base,
      programs: [one({ by: "try" }), one({ by: "try", naps: true }), one({ by: "await" })],
      initial: { [PERMITS]: A_DEAD_ID, [NEXT]: A_DEAD_ID },
      preemptions: 1,
      slices: true,
    },
  };
}
