/**
 * `shm top`: the table of `shm ls`, live.
 *
 * @module
 */

import type { Arguments, Options } from "./arguments.ts";
import { toJson } from "./escape.ts";
import { CHOICE_OPTIONS, chooser, objectColumns, orderFrom, sorted, toListRecord } from "./ls.ts";
import type { SharedObject } from "./objects.ts";
import { isTerminal, paint, print } from "./output.ts";
import { Ending, pause, type Rhythm, show } from "./screen.ts";
import { LockTable } from "./lock_table.ts";
import { layOut } from "./table.ts";
import { count, formatClock, formatSize } from "./units.ts";
import type { Verb } from "./verb.ts";

/** The keys, by the column they sort by. */
const KEYS: Readonly<Record<string, string>> = {
  s: "size",
  r: "resident",
  h: "held",
  a: "age",
  o: "owner",
  k: "kind",
  n: "name",
};

/** The options that say how often. */
export const RHYTHM_OPTIONS: Options = {
  interval: { short: "i", value: "TIME", help: "the time between two looks; 1s by default" },
  count: { value: "N", help: "end after so many looks" },
};

const MINIMUM_INTERVAL_MS = 10;
const USUAL_INTERVAL_MS = 1000;

/** Reads the options that say how often. */
export function rhythmFrom(args: Arguments): Rhythm {
  const intervalMs = args.duration("interval") ?? USUAL_INTERVAL_MS;
  return {
    intervalMs: Math.max(MINIMUM_INTERVAL_MS, intervalMs),
    count: args.integer("count", 1, Number.MAX_SAFE_INTEGER),
  };
}

/** The verb. */
export const top: Verb = {
  name: "top",
  summary: "show the table of shm ls, live",
  operands: "[PATTERN]...",
  description:
    `Keys: s, r, h, a, o, k, n sort by size, resident, held, age, owner, kind, name; R sorts
the other way round; l shows or hides the locks; q and Ctrl-C end it. Below are the locks,
permits and so on that somebody holds or waits for; SEEN is for how long the same have
been seen to hold them: who lets go and locks again between two looks looks the same. Where
standard output is no terminal, the tables are printed each time; with --json, a JSON
object in one line.`,
  options: {
    ...CHOICE_OPTIONS,
    ...RHYTHM_OPTIONS,
    bytes: { short: "b", help: "sizes in bytes, exactly" },
  },
  examples: [
    ["shm top", "what takes most memory comes first"],
    ["shm top 'frames-*' --interval 200ms", "some objects, more often"],
    ["shm top --json --count 3", "three samples, as JSON Lines"],
  ],
  exitCodes: { 130: "ended by Ctrl-C", 143: "ended by SIGTERM" },
  async run(args) {
    const choose = chooser(args);
    const rhythm = rhythmFrom(args);
    const view = { order: orderFrom(args, "resident"), reverse: args.has("reverse"), locks: true };
    const locks = new LockTable();
    const list = () => sorted(choose(), view.order, view.reverse);
    const table = (objects: readonly SharedObject[]) =>
      layOut(objectColumns(args.has("bytes"), Date.now()), objects);
    if (args.has("json")) {
      return await sample(rhythm, () => {
        const time = new Date().toISOString();
        const objects = list();
        const records = locks.records(objects);
        return [toJson({
          time,
          objects: objects.map((object, index) => ({
            ...toListRecord(object),
            synchronisation: records[index],
          })),
        })];
      });
    }
    if (!isTerminal()) {
      return await sample(rhythm, () => {
        const objects = list();
        return [summary(objects), ...table(objects), ...locks.lines(objects), ""];
      });
    }
    return await show({
      draw({ rows }) {
        const objects = list();
        const below = view.locks ? locks.lines(objects, Math.floor(rows / 2)) : [];
        const order = `by ${view.order}${view.reverse ? ", reversed" : ""}`;
        const above = [paint("dim", `${summary(objects)}, ${order}`), ...table(objects)];
        return [...above.slice(0, rows - below.length), ...below];
      },
      key(key) {
        if (key === "R") view.reverse = !view.reverse;
        else if (key === "l") view.locks = !view.locks;
        else if (KEYS[key] !== undefined) view.order = KEYS[key];
        else return key === " ";
        return true;
      },
    }, rhythm);
  },
};

function summary(objects: readonly SharedObject[]): string {
  const total = objects.reduce((sum, { residentBytes }) => sum + (residentBytes ?? 0), 0);
  return `${formatClock(Date.now())}  ${count(objects.length, "object")}, ${
    formatSize(total)
  } resident`;
}

/** Prints something again and again. @returns The exit code. */
async function sample(rhythm: Rhythm, make: () => string[]): Promise<number> {
  using ending = new Ending();
  for (let taken = 1;; taken++) {
    await print(make());
    if (taken === rhythm.count) return 0;
    if (await pause(ending, rhythm.intervalMs)) return ending.code as number;
  }
}
