/**
 * The removal of sets of System V semaphores.
 *
 * @module
 */

import { afterEach } from "bun:test";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { isOwnKey } from "./systemv.ts";

const noted = new Set<number>();

/** Has a set removed after the test, which the kernel does not tell whose it is: a private one. */
export function noteSet<T extends { readonly id: number }>(set: T): T {
  noted.add(set.id);
  return set;
}

/** The sets that this test process and its peers have made, and that were not removed. */
export function ownSets(): number[] {
  const lines = readFileSync("/proc/sysvipc/sem", "utf8").trimEnd().split("\n").slice(1);
  return lines.map((line) => line.trim().split(/\s+/).map(Number) as [number, number])
    .filter(([key, id]) => isOwnKey(key) || noted.has(id))
    .map(([, id]) => id);
}

/** To be called once by each test file that makes sets. */
export function cleanUpSets(): void {
  afterEach(() => {
    for (const id of ownSets()) spawnSync("ipcrm", ["-s", String(id)]);
    noted.clear();
  });
}
