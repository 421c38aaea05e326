/**
 * What tests of semaphores and barriers share with their peers.
 *
 * @module
 */

import { type ArrayOf, type Atomic, type Struct, t, type U32, type U8 } from "../../layout/mod.ts";
import { barrier, semaphore, type SyncField } from "../../sync/fields.ts";
import type { Barrier } from "../../sync/primitives/barrier.ts";
import type { Semaphore } from "../../sync/primitives/semaphore.ts";

/** How many permits a pool has. */
export const PERMITS = 3;
/** How many parties a race has. */
export const PARTIES = 3;

/** Permits, and witnesses of who holds them. */
export const Pool: Struct<{
  pad: U8;
  slots: SyncField<Semaphore>;
  tail: U8;
  one: SyncField<Semaphore>;
  holders: Atomic<U32>;
  most: Atomic<U32>;
  stop: Atomic<U32>;
  turns: Atomic<U32>;
}> = t.struct("Pool", {
  pad: t.u8,
  slots: semaphore(PERMITS),
  tail: t.u8,
  one: semaphore(1),
  /** How many hold one of `slots` now. */
  holders: t.atomic(t.u32),
  /** The most that ever did. */
  most: t.atomic(t.u32),
  /** Not 0: the peers are to end. */
  stop: t.atomic(t.u32),
  /** How many permits there were. */
  turns: t.atomic(t.u32),
});

/** A barrier, and witnesses of the phases. */
export const Race: Struct<{
  pad: ArrayOf<U8>;
  step: SyncField<Barrier>;
  arrivals: Atomic<U32>;
  leads: Atomic<U32>;
  early: Atomic<U32>;
}> = t.struct("Race", {
  pad: t.array(t.u8, 3),
  step: barrier(PARTIES),
  /** How many have arrived, in all phases. */
  arrivals: t.atomic(t.u32),
  /** How many were the last. */
  leads: t.atomic(t.u32),
  /** How often one passed before all had arrived. */
  early: t.atomic(t.u32),
});
