/**
 * Once: it is done once, nobody passes before that, and nobody waits for ever.
 *
 * @module
 */

import { waitPlainly } from "../../../sync/waiting/plain.ts";
import type { Exploration } from "../explorer.ts";
import { type AwaitLimits, ExploredPlace, FIRST } from "../place.ts";
import { idOf, type Process, type Program, type World } from "../world.ts";

/** The protocol: production source, or a mutant of it. */
export type Protocol = typeof import("../../../sync/protocols/once.ts");

const WORD = FIRST;
const NEXT = FIRST + 1;
/** How often it was done, who is at it, and whether one who was at it has died or failed. */
const DONE = FIRST + 2;
const RUNNER = FIRST + 3;
const TRACES = FIRST + 4;
const WORDS = FIRST + 5;
const OWNER = 0x3fff_ffff;
const DONE_ID = 1023;
const LONG_MS = 100;
const A_DEAD_ID = idOf(20);

interface Way {
  readonly by?: "plain" | "await" | "try";
  readonly limits?: AwaitLimits;
  /** Whether its run fails. */
  readonly fails?: boolean;
}

function runner(protocol: Protocol, { by = "plain", limits = {}, fails = false }: Way): Program {
  const { failOnce, finishOnce, OnceAttempt, tryOnce } = protocol;
  const begin = (place: ExploredPlace): "locked" | "ownerDied" | "busy" | "done" => {
    if (by === "try") return tryOnce(place, WORD);
    const attempt = new OnceAttempt(place, WORD);
    const ended = by === "await"
      ? place.await(attempt, WORD, limits)
      : waitPlainly(place, attempt, limits.timeoutMs ?? Infinity);
    if (!ended) return "busy";
    return attempt.isDone ? "done" : attempt.ownerDied ? "ownerDied" : "locked";
  };
  return (process, world) => {
    const { words } = world;
    const place = new ExploredPlace(world, process);
    const result = begin(place);
    if (result === "busy") return;
    process.observe(result, () => {
      if (result === "done") {
        if (words[DONE] === 0) throw new Error("passes before it is done");
        return;
      }
      if (words[DONE] !== 0) throw new Error("is to do it again");
      if (words[RUNNER] !== 0) throw new Error("is not the only one to do it");
      if ((result === "ownerDied") !== (words[TRACES] !== 0)) throw new Error("is told wrongly");
      words[RUNNER] = process.id;
    });
    if (result === "done") return;
    process.step(fails ? "fails" : "does it", undefined, [], () => {
      words[RUNNER] = 0;
      if (!fails) (words[DONE] as number)++;
    });
    if (!(fails ? failOnce : finishOnce)(place, WORD)) {
      throw new Error("has lost the right to do it");
    }
  };
}

/** What is explored, by name. */
export function explorations(protocol: Protocol): Readonly<Record<string, Exploration>> {
  const run = (way: Way = {}) => runner(protocol, way);
  const ownerOf = (words: Int32Array) => (words[WORD] as number) & OWNER;
  const base = {
    words: WORDS,
    names: { [WORD]: "word", [NEXT]: "next" },
    preemptions: 2,
    slices: false,
    check: ({ words, processes }: World) => {
      const left = processes.filter((each) => !each.crashed && !each.stopped);
      const isLeft = (id: number) => left.some((each) => each.id === id);
      if (isLeft(ownerOf(words))) throw new Error("the right was left behind");
      if (isLeft(words[NEXT] as number)) throw new Error("a demand was left behind");
      if (words[DONE] !== 0 && left.length === processes.length && ownerOf(words) !== DONE_ID) {
        throw new Error("it was done, and nobody knows");
      }
    },
    onCrash: (words: Int32Array, { id }: Process) => {
      if (ownerOf(words) !== id) return;
      // It has to be done again even if it was done, when nobody could be told.
      words[TRACES] = 1;
      words[RUNNER] = 0;
      words[DONE] = 0;
    },
    mayWait: ({ words, processes }: World) =>
      processes.some(({ id, stopped }) => stopped && ownerOf(words) === id),
  };
  const await_ = run({ by: "await" });
  return {
    "three": { ...base, programs: [run(), run(), await_] },
    "three, two of which await": { ...base, programs: [run(), await_, await_] },
    "three, one of which fails": { ...base, programs: [run({ fails: true }), run(), await_] },
    "three, two of which fail": {
      ...base,
      programs: [run({ fails: true }), run({ by: "await", fails: true }), await_],
    },
    "three that have waited for long": {
      ...base,
      programs: [run({ fails: true }), run(), await_],
      sleepMs: LONG_MS,
    },
    "one that gives up": {
      ...base,
      programs: [
        run({ fails: true }),
        run({ by: "await", limits: { timeoutMs: 20, aborts: true } }),
        await_,
      ],
    },
    "one that tries": { ...base, programs: [run({ by: "try" }), run(), run({ by: "try" })] },
    "three, one of which dies": {
      ...base,
      programs: [run(), await_, run()],
      crashes: 1,
      slices: true,
    },
    "three, one of which stops": {
      ...base,
      programs: [run(), await_, run()],
      preemptions: 1,
      stops: 1,
      slices: true,
    },
    "one that has died before": {
      ...base,
      programs: [run({ by: "try" }), run(), await_],
      initial: { [WORD]: A_DEAD_ID, [NEXT]: A_DEAD_ID, [TRACES]: 1 },
      preemptions: 1,
      slices: true,
    },
    "one that comes when it is done": {
      ...base,
      programs: [run(), run({ by: "try" }), await_],
      initial: { [WORD]: DONE_ID, [DONE]: 1 },
      slices: true,
    },
  };
}
