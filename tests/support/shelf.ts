/**
 * What the tests of the read-write lock and of once share with their peers.
 *
 * @module
 */

import {
  type ArrayOf,
  type Atomic,
  type Struct,
  t,
  type U16,
  type U32,
  type U8,
} from "../../layout/mod.ts";
import { once, rwlock } from "../../sync/fields.ts";
import type { SharedObject } from "../../object/shared_object.ts";

/** Behind odd sizes, and in an array: where the rows' entries are has to be found out. */
export const Part: Struct<{ letter: U8; lock: typeof rwlock; once: typeof once }> = t.struct(
  "Part",
  {
    letter: t.u8,
    lock: rwlock,
    once,
  },
);

/** A lock, two words that are equal unless it is held exclusively, and a once that adds to `runs`. */
export const Shelf: Struct<{
  letter: U8;
  lock: typeof rwlock;
  left: U32;
  right: U32;
  parts: ArrayOf<typeof Part>;
  number: U16;
  once: typeof once;
  runs: Atomic<U32>;
}> = t.struct("Shelf", {
  letter: t.u8,
  lock: rwlock,
  left: t.u32,
  right: t.u32,
  parts: t.array(Part, 3),
  number: t.u16,
  once,
  runs: t.atomic(t.u32),
});

/** An object of these. */
export type ShelfObject = SharedObject<typeof Shelf>;
