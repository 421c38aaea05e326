// What writers and readers share: pair.h in TypeScript.

import { t } from "../../mod.ts";

export const NAME = "shmkit-pair";
export const SLOTS = 4;

export const Ring = t.struct("Ring", {
  // Atomic, so that no compiler moves a message behind its count.
  written: t.atomic(t.u32),
  taken: t.atomic(t.u32),
  messages: t.array(t.cstring(64), SLOTS),
});

/** The names of the two semaphores. */
export const semaphoreNames = (name: string): { free: string; full: string } => ({
  free: `${name}-free`,
  full: `${name}-full`,
});
