// Usage: npm run chaos -- --scenario mutex --kills 10000 --seed 1 --mode kill
// Runs chaos, and prints what came of it as JSON; fails when there was a violation. All of it is in
// parts, each with an object of its own: after each one, what came of it so far is printed to the
// standard error.

import { spawnSync } from "node:child_process";
import { cpus, loadavg, release, totalmem } from "node:os";
import process from "node:process";
import { parseArgs } from "node:util";
import { RUNTIMES } from "../support/runtimes.ts";
import type { Mode } from "./fleet.ts";
import { type ChaosResult, runChaos } from "./run.ts";
import { type ScenarioName, scenarios } from "./scenarios.ts";

const { values } = parseArgs({
  options: {
    scenario: { type: "string", default: "mutex" },
    mode: { type: "string", default: "kill" },
    kills: { type: "string", default: "1000" },
    seed: { type: "string", default: "1" },
    workers: { type: "string", default: "5" },
    /** Kills in each part. */
    part: { type: "string", default: "500" },
    /** No new part after so many seconds. */
    seconds: { type: "string", default: "Infinity" },
  },
});
if (!Object.hasOwn(scenarios, values.scenario)) {
  throw new RangeError(`--scenario is one of ${Object.keys(scenarios).join(", ")}`);
}
const [scenario, mode] = [values.scenario as ScenarioName, values.mode as Mode];
const [kills, seed, part] = [values.kills, values.seed, values.part].map(Number) as [
  number,
  number,
  number,
];

const versions = Object.fromEntries(RUNTIMES.map(({ name, command: [program] }) => {
  const { stdout } = spawnSync(program, ["--version"], { encoding: "utf8" });
  return [name, /\d+\.\d+\.\d+/.exec(stdout)?.[0]];
}));

const results: ChaosResult[] = [];
const sum = (key: "kills" | "hits" | "rounds" | "died" | "narrow" | "mailboxes" | "seconds") =>
  results.reduce((all, each) => all + each[key], 0);

function summary() {
  const stalls = results.flatMap((each) => each.stalls).sort((a, b) => a - b);
  const at = (quantile: number) =>
    Number((stalls[Math.ceil(stalls.length * quantile) - 1] ?? 0).toFixed(1));
  return {
    ...{ scenario, mode, seed, workers: Number(values.workers) },
    ...{ kills: sum("kills"), hits: sum("hits"), rounds: sum("rounds") },
    ...{ died: sum("died"), narrow: sum("narrow"), mailboxes: sum("mailboxes") },
    violations: results.flatMap((each) => each.violations),
    stallMs: { median: at(0.5), p90: at(0.9), p99: at(0.99), longest: at(1) },
    stallsOver150Ms: results.flatMap((each) => each.longStalls),
    seconds: Math.round(sum("seconds")),
    machine: {
      cpu: cpus()[0]?.model,
      cpus: cpus().length,
      memoryGiB: Math.round(totalmem() / 2 ** 30),
      kernel: release(),
      load: loadavg()[0],
    },
    versions,
  };
}

const startMs = performance.now();
for (let done = 0; sum("kills") < kills; done++) {
  if (performance.now() - startMs > Number(values.seconds) * 1000) break;
  const result = await runChaos({
    ...{ scenario, mode, workers: Number(values.workers) },
    kills: Math.min(part, kills - sum("kills")),
    seed: seed + done,
  });
  results.push(result);
  if (kills > part) console.error(JSON.stringify(summary()));
  if (result.violations.length > 0) break;
}
const last = summary();
console.log(JSON.stringify(last, undefined, 2));
process.exit(last.violations.length === 0 ? 0 : 1);
