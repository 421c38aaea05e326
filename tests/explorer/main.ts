/**
 * Explores the protocols as deep as wanted.
 *
 * Usage: `npm run explore -- [--preemptions N] [--crashes N] [PRIMITIVE...]`, at least so many: 2 and 1 by
 * default. Explorations without preemptions, or without crashes, stay so.
 *
 * @module
 */

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

let failed = false;
for (const [name, explorations] of Object.entries(PRIMITIVES)) {
  if (positionals.length > 0 && !positionals.includes(name)) continue;
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
    failed = true;
    console.log(failure);
  }
}
process.exitCode = failed ? 1 : 0;
