/**
 * What the programs share: a recording that grows. Started by itself, it prints the module for Python:
 *
 *     deno run examples/06_array_reader/recording.ts > examples/06_array_reader/recording.py
 *
 * Only the writer writes: a sample first, then its number. A sample that counts stays as it is.
 *
 * @module
 */

import process from "node:process";
import { t } from "../../mod.ts";

export const NAME = "shmkit-recording";

export const Recording = t.struct("Recording", {
  /** Samples in a second. */
  rate: t.f64,
  /** How many samples there are. */
  count: t.atomic(t.u32),
  samples: t.array(t.f64, 1000),
});

if (import.meta.main) process.stdout.write(Recording.toPython());
