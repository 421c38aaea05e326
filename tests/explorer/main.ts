/**
 * Explores the protocols as deep as wanted, each in a process of its own.
 *
 * Usage: `npm run explore -- [--preemptions N] [--crashes N] [PRIMITIVE...]`, at least so many: 2 and 1 by
 * default. Explorations without preemptions, or without crashes, stay so.
 *
 * @module
 */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { availableParallelism } from "node:os";
import process from "node:process";
import { parseArgs } from "node:util";
import { explore } from "./explorer.ts";
import { PRIMITIVES } from "./primitives.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    preemptions: { type: "string", default: "2" },
    crashes: { type: "string", default: "1" },
  },
});

const atLeast = (bound: number | undefined, wanted: string) => Math.max(bound ?? 0, Number(wanted));

/** @returns Whether it holds in all schedules. */
function explorePrimitive(name: string): boolean {
  const explorations = PRIMITIVES[name];
  if (explorations === undefined) throw new TypeError(`There is no primitive named ${name}.`);
  let holds = true;
  for (const [title, exploration] of Object.entries(explorations())) {
    const startMs = performance.now();
    const { schedules, steps, failure } = explore({
      ...exploration,
      preemptions: exploration.preemptions === 0
        ? 0
        : atLeast(exploration.preemptions, values.preemptions),
      crashes: exploration.crashes === undefined ? 0 : atLeast(exploration.crashes, values.crashes),
    });
    const ms = Math.round(performance.now() - startMs);
    console.log(`${name}, ${title}: ${schedules} schedules, ${steps} steps, ${ms} ms`);
    if (failure === undefined) continue;
    holds = false;
    console.log(failure);
  }
  return holds;
}

/** Explores primitives in processes of their own, as many at once as there are processors. */
async function exploreEach(names: string[]): Promise<boolean> {
  let holds = true;
  const next = async () => {
    for (let name = names.shift(); name !== undefined; name = names.shift()) {
      const bounds = ["--preemptions", values.preemptions, "--crashes", values.crashes];
      const program = [...process.execArgv, import.meta.filename, ...bounds, name];
      const [code] = await once(spawn(process.execPath, program, { stdio: "inherit" }), "exit");
      if (code !== 0) holds = false;
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, next));
  return holds;
}

const [only, ...others] = positionals;
const holds = only !== undefined && others.length === 0
  ? explorePrimitive(only)
  : await exploreEach(positionals.length > 0 ? positionals : Object.keys(PRIMITIVES));
process.exitCode = holds ? 0 : 1;
