/**
 * Chaos: workers of all runtimes, and in C, are killed, terminated and stopped at random, and the others
 * go on and find everything as it must be. These are short runs; for long ones see `docs/proof.md`.
 */

import { describe, expect } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import process from "node:process";
import type { Mode } from "./chaos/fleet.ts";
import { type ChaosOptions, runChaos } from "./chaos/run.ts";
import { C_COMPILER, type Capability, testWith } from "./support/capabilities.ts";
import { cleanUpNames, ownFiles, uniqueName } from "./support/names.ts";

cleanUpNames();

/** The seed of the chaos. */
const SEED = Number(process.env["SHMKIT_SEED"] ?? Date.now() % 2 ** 31);

const PID_NAMESPACE: Capability = {
  name: "the right to make a PID namespace (root)",
  present: process.getuid?.() === 0,
};

/** The processes that have the name of an object among their arguments. */
function processesAt(object: string): string[] {
  return readdirSync("/proc").filter((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      return readFileSync(`/proc/${pid}/cmdline`, "latin1").includes(object);
    } catch {
      return false; // it has ended
    }
  });
}

async function survives(options: Omit<ChaosOptions, "seed" | "name" | "hits">): Promise<void> {
  const name = uniqueName();
  const result = await runChaos({ ...options, seed: SEED, name, hits: 1 });
  const { violations, kills, hits, rounds, stalls, longStalls } = result;
  const longestMs = Math.max(...stalls);
  console.log(
    `SHMKIT_SEED=${SEED}`,
    JSON.stringify({ ...options, kills, hits, rounds, longestMs }),
  );
  expect(violations).toEqual([]);
  expect(hits).toBeGreaterThan(0);
  expect(kills).toBeGreaterThanOrEqual(options.kills);
  // One slice and as much as a busy machine may take; docs/proof.md has what it takes.
  expect(longestMs).toBeLessThan(5000);
  // Were others held up by who is stopped, they would be in most of the longer stops.
  if (options.mode === "stop") expect(longStalls.length).toBeLessThan(Math.max(3, kills / 4));
  expect(processesAt(name)).toEqual([]);
  expect(ownFiles()).toEqual([]);
}

const KILLS = 12;

describe("who is killed holds up nobody, and what it held is not lost:", () => {
  for (
    const scenario of [
      ...["mutex", "rwlock", "semaphore", "condition", "event", "barrier", "once"] as const,
    ]
  ) {
    testWith([], scenario, () => survives({ scenario, kills: KILLS }), 120_000);
  }
});

describe("so does who is", () => {
  for (const scenario of ["mutex", "semaphore"] as const) {
    const title = (mode: string) => `${mode}: ${scenario}`;
    const run = (mode: Mode) => () => survives({ scenario, mode, kills: KILLS });
    testWith([], title("a thread, and terminated"), run("terminate"), 120_000);
    testWith([], title("stopped, and keeps what it has"), run("stop"), 120_000);
    testWith([PID_NAMESPACE], title("process 1 of its own"), run("namespaces"), 120_000);
  }
  for (const scenario of ["mutex", "event"] as const) {
    const run = () => survives({ scenario, mode: "c", kills: KILLS });
    testWith([C_COMPILER], `among others in C: ${scenario}`, run, 120_000);
  }
});
