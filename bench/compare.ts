/**
 * Compares the library in each runtime with a peer in another language, run in turn on the same
 * machine, pair by pair: `node bench/compare.ts [SUBJECT] [PAIRS]`. The subjects are in `subjects/`.
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
    // Those that start others need more.
    Deno: [bin("deno"), "run", starting.has(script) ? "--allow-all" : "--allow-ffi", path],
    Node: [bin("node"), "--disable-warning=ExperimentalWarning", path],
  };
}

/** The subjects of which one process is not enough. */
const starting: ReadonlySet<string> = new Set(["wakeups", "contended", "awaited"]);

/**
 * What is measured in which unit, and peers: another program, or the same with other arguments. Of a
 * figure that a peer does not have there is no ratio.
 */
interface Comparison {
  readonly unit: string;
  readonly peer?: readonly [name: string, Command];
  /** What is measured like a runtime: `interop/c/shmkit.h`. */
  readonly header?: Command;
  /** By name. */
  readonly peerArguments?: Readonly<Record<string, string>>;
}

const comparisons: Record<string, () => Comparison> = {
  segments: () => ({
    unit: "us",
    peer: ["Python multiprocessing.shared_memory", ["python3", here("subjects/segments.py")]],
  }),
  kinds: () => ({ unit: "us", peer: ["C", compileC("kinds")] }),
  semaphore: () => ({ unit: "ns", peer: ["C", compileC("semaphore")] }),
  layouts: () => ({ unit: "ns", peerArguments: { "by hand": "hand" } }),
  scalars: () => ({
    unit: "ns",
    peerArguments: { "a typed array": "arrays", "a DataView": "DataView" },
  }),
  idle: () => ({ unit: "% of a core" }),
  locks: () => withHeader("locks", "ns", "pthread and semaphore.h"),
  wakeups: () => ({
    ...withHeader("wakeups", "us", "sem_t"),
    peerArguments: { "a Unix socket": "socket" },
  }),
  contended: () => {
    const executable = compileC("contended")[0];
    return {
      unit: "ns",
      peer: ["pthread", [executable, "pthread", "1000"]],
      header: [...inRuntimes("contended")["Node"] as Command, "c", executable],
    };
  },
  awaited: () => ({ unit: "% of a core", peerArguments: { "a timer": "timer" } }),
};

/** A subject in C, which is run with the header when the script of the subject gives it an object. */
function withHeader(subject: string, unit: string, peer: string): Comparison {
  const [executable] = compileC(subject);
  const header: Command = [...inRuntimes(subject)["Node"] as Command, "c", executable];
  return { unit, peer: [peer, [executable]], header };
}

function measure([program, ...args]: Command): Figures {
  const output = execFileSync(program, args, { encoding: "utf8" });
  return JSON.parse(output.trimEnd().split("\n").at(-1) as string);
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] as number;
}

const [chosen = "segments", pairs = "7"] = process.argv.slice(2);
const { unit, peer, header, peerArguments } = (comparisons[chosen] ?? comparisons["segments"])!();

const version = (name: string) => execFileSync(bin(name), ["--version"], { encoding: "utf8" });
console.log(`${cpus()[0]?.model}, ${cpus().length} CPUs, Linux ${release()}`);
console.log(
  `Bun ${version("bun").trim()}, ${version("deno").split("\n")[0]}, Node ${
    version("node").trim()
  }; medians of ${pairs} pairs\n`,
);

const subjects = { ...inRuntimes(chosen), ...(header === undefined ? {} : { C: header }) };
for (const [runtime, command] of Object.entries(subjects)) {
  const peers = new Map<string, Command>(peer === undefined ? [] : [peer]);
  for (const [name, argument] of Object.entries(runtime === "C" ? {} : peerArguments ?? {})) {
    peers.set(name, [...command, argument]);
  }
  const rows = new Map<string, { ours: number[]; ratios: Map<string, number[]> }>();
  for (let pair = 0; pair < Number(pairs); pair++) {
    const ours = measure(command);
    const theirs = [...peers].map(([name, command]) => [name, measure(command)] as const);
    for (const [name, value] of Object.entries(ours)) {
      const row = rows.get(name) ?? { ours: [], ratios: new Map<string, number[]>() };
      rows.set(name, row);
      row.ours.push(value);
      for (const [peerName, figures] of theirs) {
        const theirs = figures[name];
        if (theirs === undefined) continue;
        const ratios = row.ratios.get(peerName) ?? [];
        row.ratios.set(peerName, [...ratios, value / theirs]);
      }
    }
  }
  for (const [name, { ours, ratios }] of rows) {
    const against = [...ratios].map(([peerName, ratio]) =>
      `, ${median(ratio).toFixed(2)} times ${peerName} (${Math.min(...ratio).toFixed(2)} to ${
        Math.max(...ratio).toFixed(2)
      })`
    );
    console.log(
      `${runtime.padEnd(5)} ${name.padEnd(24)} ${median(ours).toFixed(2)} ${unit}${
        against.join("")
      }`,
    );
  }
}
