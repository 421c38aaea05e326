/**
 * An object with one of everything that synchronises, of which the command tells tests and their peers.
 *
 * @module
 */

import { type ArrayOf, type Atomic, type Struct, t, type U32, type U8 } from "../../layout/mod.ts";
import {
  autoResetEvent,
  barrier,
  condition,
  event,
  mutex,
  once,
  rwlock,
  semaphore,
  type SyncField,
} from "../../sync/mod.ts";
import type { Barrier, Semaphore } from "../../sync/mod.ts";

/** Something with a lock, in an array. */
export const Item: Struct<{ level: U8; lock: typeof mutex }> = t.struct("Item", {
  level: t.u8,
  lock: mutex,
});

/** One of everything. */
export const Locked: Struct<{
  letter: U8;
  lock: typeof mutex;
  shared: typeof rwlock;
  slots: SyncField<Semaphore>;
  changed: typeof condition;
  ready: typeof event;
  ticket: typeof autoResetEvent;
  step: SyncField<Barrier>;
  setup: typeof once;
  count: U32;
  holder: Atomic<U32>;
  items: ArrayOf<typeof Item>;
}> = t.struct("Locked", {
  letter: t.u8,
  lock: mutex,
  shared: rwlock,
  slots: semaphore(3),
  changed: condition,
  ready: event,
  ticket: autoResetEvent,
  step: barrier(3),
  setup: once,
  count: t.u32,
  holder: t.atomic(t.u32),
  items: t.array(Item, 300),
});
