/**
 * Compares the library in each runtime with a peer in another language, run in turn on the same
 * machine, pair by pair: `node bench/compare.ts [segments|kinds|semaphore|layouts|idle] [PAIRS]`.
 *
 * A subject is a program that prints its figures as one line of JSON. What counts is the ratio of a
 * pair, because machines are shared and their speed drifts.
 *
 * @module
 */

import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { cpus, release, tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

type Command = readonly [program: string, ...args: string[]];
type Figures = Record<string, number>;

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const bin = (name: string) => here(`../node_modules/.bin/${name}`);
const build = mkdtempSync(join(tmpdir(), "shmkit-bench-"));
process.on("exit", () => rmSync(build, { recursive: true, force: true }));

function compileC(source: string): Command {
  const executable = join(build, source);
  execFileSync("cc", ["-O2", "-o", executable, here(`subjects/${source}.c`), "-pthread"]);
  return [executable];
}

function inRuntimes(script: string): Record<string, Command> {
  const path = here(`subjects/${script}.ts`);
  return {
    Bun: [bin("bun"), path],
    Deno: [bin("deno"), "run", "--allow-ffi", path],
    Node: [bin("node"), "--disable-warning=ExperimentalWarning", path],
  };
}

/** What is measured in which unit, and a peer: another program, or the same with another argument. */
interface Comparison {
  readonly unit: string;
  readonly peer?: readonly [name: string, Command];
  readonly peerArgument?: string;
}

const comparisons: Record<string, () => Comparison> = {
  segments: () => ({
    unit: "us",
    peer: ["Python multiprocessing.shared_memory", ["python3", here("subjects/segments.py")]],
  }),
  kinds: () => ({ unit: "us", peer: ["C", compileC("kinds")] }),
  semaphore: () => ({ unit: "ns", peer: ["C", compileC("semaphore")] }),
  layouts: () => ({ unit: "ns", peerArgument: "hand" }),
  idle: () => ({ unit: "% of a core" }),
};

function measure([program, ...args]: Command): Figures {
  const output = execFileSync(program, args, { encoding: "utf8" });
  return JSON.parse(output.trimEnd().split("\n").at(-1) as string);
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] as number;
}

const [chosen = "segments", pairs = "7"] = process.argv.slice(2);
const { unit, peer, peerArgument } = (comparisons[chosen] ?? comparisons["segments"])!();

const version = (name: string) => execFileSync(bin(name), ["--version"], { encoding: "utf8" });
console.log(`${cpus()[0]?.model}, ${cpus().length} CPUs, Linux ${release()}`);
console.log(
  `Bun ${version("bun").trim()}, ${version("deno").split("\n")[0]}, Node ${
    version("node").trim()
  }; medians of ${pairs} pairs\n`,
);

for (const [runtime, command] of Object.entries(inRuntimes(chosen))) {
  const [peerName, peerCommand] = peerArgument === undefined
    ? peer ?? []
    : [`by ${peerArgument}`, [...command, peerArgument] as const];
  const rows: Record<string, { ours: number[]; ratio: number[] }> = {};
  for (let pair = 0; pair < Number(pairs); pair++) {
    const ours = measure(command);
    const theirs = peerCommand === undefined ? undefined : measure(peerCommand);
    for (const [name, value] of Object.entries(ours)) {
      const row = rows[name] ??= { ours: [], ratio: [] };
      row.ours.push(value);
      if (theirs !== undefined) row.ratio.push(value / (theirs[name] as number));
    }
  }
  for (const [name, { ours, ratio }] of Object.entries(rows)) {
    const against = ratio.length === 0
      ? ""
      : `, ${median(ratio).toFixed(2)} times ${peerName} (${Math.min(...ratio).toFixed(2)} to ${
        Math.max(...ratio).toFixed(2)
      })`;
    console.log(
      `${runtime.padEnd(5)} ${name.padEnd(24)} ${median(ours).toFixed(2)} ${unit}${against}`,
    );
  }
}
