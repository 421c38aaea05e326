/**
 * The barrier: nobody passes before all have arrived; when a member dies all are told, or pass; and who
 * joins when nobody is left begins anew (B1 to B3 in `docs/synchronisation.md`).
 *
 * @module
 */

import { waitPlainly } from "../../../sync/waiting/plain.ts";
import type { Exploration } from "../explorer.ts";
import { type AwaitLimits, ExploredPlace, FIRST } from "../place.ts";
import { idOf, type Program, type World } from "../world.ts";

/** The protocol: production source, or a mutant of it. */
export type Protocol = typeof import("../../../sync/protocols/barrier.ts");

const STATE = FIRST;
const MEMBERS = FIRST + 4;
const MAX_PARTIES = 3;
/** In which round each process is at least: it has arrived, or will at once. */
const ROUNDS = MEMBERS + MAX_PARTIES;
/** How many leaders there have been. */
const LEADERS = ROUNDS + MAX_PARTIES;
/** Whether somebody had crashed when it came. */
const LATE = LEADERS + 1;
const WORDS = LATE + MAX_PARTIES;
const ARRIVED = 0xfff;
const BROKEN = 1 << 31;
const A_DEAD_ID = idOf(20);
const ANOTHER_DEAD_ID = idOf(21);

interface Way {
  readonly by?: "plain" | "await";
  readonly rounds?: number;
  /** Whether it gives up first, and then comes again. */
  readonly hesitates?: AwaitLimits;
  /** Whether it resets the barrier first. */
  readonly resets?: boolean;
  /** Whether it has to join first. */
  readonly joins?: boolean;
  /** Whether the barrier was broken before. */
  readonly comesLate?: boolean;
}

/** What is explored, by name. */
export function explorations(protocol: Protocol): Readonly<Record<string, Exploration>> {
  const { ArrivalAttempt, BarrierWords } = protocol;

  const meet = (parties: number, way: Way = {}): Program => (process, world) => {
    const { by = "plain", rounds = 1, hesitates, resets = false, joins = false } = way;
    const { comesLate = false } = way;
    const { words } = world;
    const place = new ExploredPlace(world, process);
    const barrier = new BarrierWords(place, STATE, parties);
    const member = joins ? barrier.join() : process.number;
    if (member < 0) throw new Error("finds no room");
    const arrive = (limits: AwaitLimits) => {
      const attempt = new ArrivalAttempt(barrier, member);
      if (by === "await") place.await(attempt, STATE, limits);
      else waitPlainly(place, attempt, limits.timeoutMs ?? Infinity);
      return attempt.outcome;
    };
    if (resets) barrier.reset();
    for (let round = 1; round <= rounds; round++) {
      process.step("is ready", undefined, [], () => {
        words[ROUNDS + process.number] = round;
        words[LATE + process.number] = Number(world.anyCrashed);
      });
      let outcome = hesitates === undefined ? undefined : arrive(hesitates);
      while (outcome === undefined || (outcome === "reset" && !joins)) outcome = arrive({});
      process.observe(outcome, () => {
        if (outcome === "broken") {
          if (!world.anyCrashed && !comesLate) throw new Error("is told that it is broken");
          return;
        }
        if (outcome === "reset") throw new Error("is told of a reset that nobody has done");
        if (outcome === "lost") throw new Error("is no member any more");
        for (let other = 0; other < parties; other++) {
          if ((words[ROUNDS + other] as number) < round) {
            throw new Error("passes before all are there");
          }
        }
        if (outcome === "leader") (words[LEADERS] as number)++;
        if ((words[LEADERS] as number) > round) throw new Error("is one leader too many");
      });
      if (outcome === "broken") return;
    }
  };

  const base = {
    words: WORDS,
    names: { [STATE]: "state" },
    preemptions: 2,
    slices: false,
    initial: { [MEMBERS]: idOf(0), [MEMBERS + 1]: idOf(1), [MEMBERS + 2]: idOf(2) },
    check: ({ words, anyCrashed }: World) => {
      if (anyCrashed) return;
      if (((words[STATE] as number) & (ARRIVED | BROKEN)) !== 0) throw new Error("was left behind");
      const rounds = words[ROUNDS] as number;
      if (words[LEADERS] !== rounds) throw new Error("had not one leader in each round");
    },
  };
  const three = (way: Way = {}) => meet(3, way);
  const two = (way: Way = {}) => meet(2, way);
  const await_: Way = { by: "await" };
  return {
    "three that meet": { ...base, programs: [three(), three(), three(await_)] },
    "three that await": { ...base, programs: [three(await_), three(await_), three(await_)] },
    "three that meet twice": {
      ...base,
      programs: [three({ rounds: 2 }), three({ rounds: 2 }), three({ by: "await", rounds: 2 })],
      preemptions: 1,
    },
    "two that meet three times": {
      ...base,
      programs: [two({ rounds: 3 }), two({ by: "await", rounds: 3 })],
    },
    "one that hesitates": {
      ...base,
      programs: [three(), three({ hesitates: { timeoutMs: 20 } }), three(await_)],
    },
    "one that calls it off": {
      ...base,
      programs: [
        three(),
        three({ by: "await", hesitates: { timeoutMs: 20, aborts: true } }),
        three(await_),
      ],
    },
    "one that resets it": {
      ...base,
      programs: [three(), three({ resets: true }), three(await_)],
    },
    "three that join": {
      ...base,
      programs: [three({ joins: true }), three({ joins: true }), three({ joins: true })],
      initial: {},
    },
    "three that join when all have died": {
      ...base,
      programs: [three({ joins: true }), three({ joins: true }), three({ joins: true })],
      // Not noticed by anybody: one had arrived. The third had left before.
      initial: { [MEMBERS]: A_DEAD_ID, [MEMBERS + 1]: ANOTHER_DEAD_ID, [STATE]: 1 },
      slices: true,
    },
    "three that join when all have died, one of which dies": {
      ...base,
      programs: [three({ joins: true }), three({ joins: true }), three({ joins: true })],
      // Not noticed by anybody: one had arrived. The third had left before.
      initial: { [MEMBERS]: A_DEAD_ID, [MEMBERS + 1]: ANOTHER_DEAD_ID, [STATE]: 1 },
      slices: true,
      preemptions: 1,
      crashes: 1,
      mortal: [1],
      // For one that has died before it had joined, or before they had.
      mayWait: ({ words, processes }: World) =>
        processes.some(({ state, number }) =>
          state === "crashed" && words[ROUNDS + number] === 0
        ) ||
        processes.every(({ state, number }) => state !== "asleep" || words[LATE + number] === 1),
    },
    "three that join when all have gone": {
      ...base,
      programs: [three({ joins: true }), three({ joins: true }), three({ joins: true })],
      initial: { [STATE]: BROKEN | 2 },
    },
    "one that joins when the other is told of a death": {
      ...base,
      programs: [two({ comesLate: true }), two({ joins: true, comesLate: true })],
      initial: { [MEMBERS]: idOf(0), [STATE]: BROKEN | 1 },
      check: ({ words }: World) => {
        if (((words[STATE] as number) & BROKEN) === 0) throw new Error("is not broken any more");
      },
    },
    "three, one of which dies": {
      ...base,
      programs: [three(), three(), three()],
      crashes: 1,
      slices: true,
    },
    "three that meet twice, one of which dies": {
      ...base,
      programs: [three({ rounds: 2 }), three({ rounds: 2 }), three({ rounds: 2 })],
      preemptions: 0,
      crashes: 1,
      slices: true,
    },
    "one that comes when it is broken": {
      ...base,
      programs: [three({ comesLate: true })],
      initial: { ...base.initial, [STATE]: BROKEN | 2 },
      check: ({ words }: World) => {
        if (((words[STATE] as number) & BROKEN) === 0) throw new Error("is not broken any more");
      },
    },
    "a member that has died before": {
      ...base,
      programs: [three({ resets: true }), three({ comesLate: true })],
      initial: { ...base.initial, [MEMBERS + 2]: A_DEAD_ID, [STATE]: BROKEN },
      slices: true,
      // The third one has not come since.
      mayWait: ({ words }: World) => words[MEMBERS + 2] === 0,
      check: ({ words, processes }: World) => {
        if (words[MEMBERS + 2] !== 0) throw new Error("the dead is still a member");
        if (processes.every(({ state }) => state === "ended")) throw new Error("met without it");
      },
    },
  };
}
