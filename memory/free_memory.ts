/**
 * How much memory there is to be had: on the machine, and in the groups of processes that limit it.
 *
 * @module
 */

import { platform, readTextFile } from "../ffi/mod.ts";

/** A group of processes whose memory is limited together. Shared memory counts as well. */
export interface MemoryLimit {
  /** What its processes may have together, in bytes. */
  readonly limit: number;
  /** What is left of that, in bytes: what only caches files is given back on demand. */
  readonly free: number;
}

/** What is free for this process, in bytes; `Infinity` where that cannot be told. */
export function freeMemory(): number {
  const { machine } = platform().memoryStatus;
  const ofMachine = (field(machine, "MemAvailable:") + field(machine, "SwapFree:")) * 1024;
  const free = [ofMachine, ...memoryLimits().map((each) => each.free)];
  return Math.min(...free.filter((bytes) => !Number.isNaN(bytes)));
}

/** The limits that this process is under, those of its container or service first. */
export function memoryLimits(): MemoryLimit[] {
  const { groups, hierarchies } = platform().memoryStatus;
  const table = readTextFile(groups);
  if (typeof table === "number") return [];
  return hierarchies.flatMap(({ mark, root, limit, used, details }) => {
    const line = table.split("\n").find((each) => each.includes(mark));
    const path = line?.slice(line.indexOf(mark) + mark.length) ?? "";
    const parts = path.split("/").filter((part) => part !== "");
    return [...parts.keys(), parts.length].reverse().flatMap((depth) => {
      const group = [root, ...parts.slice(0, depth)].join("/");
      const found = field(`${group}/${limit}`);
      if (Number.isNaN(found)) return []; // no such group here, or no limit
      const cached = field(`${group}/${details}`, "inactive_file") +
        field(`${group}/${details}`, "active_file");
      return [{ limit: found, free: Math.max(0, found - field(`${group}/${used}`) + cached) }];
    });
  });
}

/** A number in a file of the kernel: behind a word, or the only one. NaN where there is none. */
function field(path: string, word: string = ""): number {
  const text = readTextFile(path);
  if (typeof text === "number") return NaN;
  return Number(new RegExp(`^${word} *(\\d+)`, "m").exec(text)?.[1]);
}
