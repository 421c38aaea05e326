/**
 * What the programs share: an engine. Started by itself, it prints the module for Rust:
 *
 *     deno run examples/07_rust_reader/engine.ts > examples/07_rust_reader/engine.rs
 *
 * The writer writes all of it, but for the throttle, which belongs to the readers.
 *
 * @module
 */

import process from "node:process";
import { t } from "../../mod.ts";

export const NAME = "shmkit-engine";

export const Engine = t.struct("Engine", {
  model: t.cstring(16),
  /** How far it is open, in percent. */
  throttle: t.atomic(t.u32),
  rpm: t.f64,
  celsius: t.f32,
  state: t.enumeration(t.u8, { cold: 0, warm: 1, hot: 2 }),
  /** How many times the rest was written. */
  ticks: t.atomic(t.u64),
});

if (import.meta.main) process.stdout.write(Engine.toRust());
