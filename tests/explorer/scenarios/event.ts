/**
 * The event, with manual and with automatic reset: a set ends the waits that it is for, and none is
 * invented (E1 in `docs/synchronisation.md`).
 *
 * @module
 */

import { waitPlainly } from "../../../sync/waiting/plain.ts";
import type { Exploration } from "../explorer.ts";
import { type AwaitLimits, ExploredPlace, FIRST } from "../place.ts";
import type { Program, World } from "../world.ts";

/** The protocol: production source, or a mutant of it. */
export type Protocol = typeof import("../../../sync/protocols/event.ts");

const STATE = FIRST;
/** How many waits were ended by an automatic event, and how often it was reset by hand. */
const TAKEN = FIRST + 1;
/** What each process saw when it began to wait. */
const BEGAN = FIRST + 2;
const WORDS = BEGAN + 4;
const SET = 1;
const COUNTER = ~3;

interface Way {
  readonly by?: "plain" | "await" | "try";
  readonly limits?: AwaitLimits;
}

/** What is explored, by name. */
export function explorations(protocol: Protocol): Readonly<Record<string, Exploration>> {
  const { AutomaticEventAttempt, isEventSet, ManualEventAttempt, resetEvent } = protocol;
  const { setEvent, takeEvent } = protocol;

  /** Waits for a manual event. */
  const wait = ({ by = "plain", limits = {} }: Way = {}): Program => (process, world) => {
    const { words } = world;
    const place = new ExploredPlace(world, process);
    const at = BEGAN + process.number;
    const attempt = new ManualEventAttempt(place, STATE);
    process.observe("begins to wait", () => words[at] = words[STATE] as number);
    const ended = by === "await"
      ? place.await(attempt, STATE, limits)
      : waitPlainly(place, attempt, limits.timeoutMs ?? Infinity);
    process.observe(ended ? "goes on" : "has given up", () => {
      const [state, began] = [words[STATE] as number, words[at] as number];
      const wasSet = (began & SET) !== 0 || (state & COUNTER) !== (began & COUNTER);
      if (ended && !wasSet) throw new Error("goes on although it was not set");
    });
  };

  /** Waits for an automatic event. */
  const take = ({ by = "plain", limits = {} }: Way = {}): Program => (process, world) => {
    const { words } = world;
    const place = new ExploredPlace(world, process);
    const attempt = new AutomaticEventAttempt(place, STATE);
    const ended = by === "try"
      ? isEventSet(place, STATE) && takeEvent(place, STATE)
      : by === "plain"
      ? waitPlainly(place, attempt, limits.timeoutMs ?? Infinity)
      : place.await(attempt, STATE, limits);
    if (ended) {
      process.observe("goes on", () => {
        (words[TAKEN] as number)++;
        if ((words[TAKEN] as number) > (words[STATE] as number) >> 2) {
          throw new Error("goes on although it was not set");
        }
      });
    }
  };

  const set =
    (all: boolean, actions: readonly ("set" | "reset" | "take")[]): Program => (process, world) => {
      const place = new ExploredPlace(world, process);
      for (const action of actions) {
        if (action === "set") setEvent(place, STATE, all);
        else if (action === "reset") resetEvent(place, STATE);
        else if (takeEvent(place, STATE)) {
          process.observe("took it", () => void (world.words[TAKEN] as number)++);
        }
      }
    };

  const manual = {
    words: WORDS,
    names: { [STATE]: "state" },
    preemptions: 3,
    slices: false,
    mayWait: ({ words, processes }: World) =>
      processes.every(({ state, number }) => {
        const [now, began] = [words[STATE] as number, words[BEGAN + number] as number];
        return state !== "asleep" || ((now & SET) === 0 && (now & COUNTER) === (began & COUNTER));
      }),
  };
  const automatic = {
    words: WORDS,
    names: { [STATE]: "state" },
    preemptions: 2,
    slices: false,
    mayWait: ({ words }: World) => ((words[STATE] as number) & SET) === 0,
    check: ({ words }: World) => {
      const [state, taken] = [words[STATE] as number, words[TAKEN] as number];
      if (taken + (state & SET) !== state >> 2) throw new Error("a set has ended no wait");
    },
  };
  const await_ = { by: "await" } as const;
  const off = { by: "await", limits: { timeoutMs: 20, aborts: true } } as const;
  const shortly = { limits: { timeoutMs: 20 } };
  const pulse = set(true, ["set", "reset"]);
  const twice = set(false, ["set", "set"]);
  return {
    "manual, set once": { ...manual, programs: [set(true, ["set"]), wait(), wait(await_)] },
    "manual, set and reset": { ...manual, programs: [pulse, wait(), wait(await_)] },
    "manual, set by two": { ...manual, programs: [pulse, pulse, wait()] },
    "manual, two that await": { ...manual, programs: [pulse, wait(await_), wait(await_)] },
    "manual, some of which give up": { ...manual, programs: [pulse, wait(shortly), wait(off)] },
    "manual, one of which dies": {
      ...manual,
      programs: [set(true, ["set"]), wait(), wait(await_)],
      preemptions: 2,
      crashes: 1,
      slices: true,
      mayWait: ({ words }: World) => ((words[STATE] as number) & SET) === 0,
    },
    "automatic, set once": {
      ...automatic,
      programs: [set(false, ["set"]), take(), take()],
      preemptions: 3,
    },
    "automatic, set twice": { ...automatic, programs: [twice, take(), take(await_)] },
    "automatic, set by two": {
      ...automatic,
      programs: [set(false, ["set"]), set(false, ["set"]), take(), take(await_)],
      preemptions: 1,
    },
    "automatic, set often for three that wait": {
      ...automatic,
      programs: [set(false, ["set", "set", "set"]), take(), take(), take()],
      preemptions: 1,
    },
    "automatic, two that await": { ...automatic, programs: [twice, take(await_), take(await_)] },
    "automatic, one that gives up": { ...automatic, programs: [twice, take(), take(shortly)] },
    "automatic, one that calls it off": {
      ...automatic,
      programs: [twice, take(await_), take(off)],
    },
    "automatic, one that calls it off when it was taken": {
      ...automatic,
      programs: [set(false, ["set", "take", "set"]), take(await_), take(off)],
    },
    "automatic, one that tries": {
      ...automatic,
      programs: [twice, take({ by: "try" }), take(await_)],
    },
    "automatic, one of which dies": {
      ...automatic,
      programs: [twice, take(), take(await_)],
      preemptions: 2,
      crashes: 1,
      slices: true,
      check: () => {},
    },
  };
}
