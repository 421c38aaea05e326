/**
 * Accessors of scalars, for the prototypes of views: the code that hot loops run.
 *
 * Measured rules, in all three runtimes, with one layout alive and with 24 (`bench/subjects/layouts.ts`):
 * - one function for each type, with the offset as a captured number: a function that also serves
 *   other types (`memory[kind]`) is five times slower;
 * - what a view holds has string names: symbols and private names are seven times slower in JSC;
 * - whether the memory is still there is told by the element itself, which is `undefined` after it
 *   was detached. To ask for the array's length is three times slower in JSC;
 * - a value that does not fit is sent to index -1, which no array has, so that the same question
 *   finds it. With a branch that leaves the setter in its middle, V8 no longer moves the loads of what
 *   does not change out of a loop, which doubles the time.
 *
 * @module
 */

import type { FieldAccessors, ViewBase } from "./field.ts";
import { refuseClosed } from "./messages.ts";

/** From here on a number is rounded to infinity. */
export const F16_LIMIT: number = 65520;
/** From here on a number is rounded to infinity: half a unit beyond the largest. */
export const F32_LIMIT: number = 2 ** 128 - 2 ** 103;

/** Throws what is wrong with a value. */
type Refuse = (value: unknown, path: string) => never;

/** Makes the accessors of a scalar at an offset of a struct. */
export type ScalarAccessors = (offset: number, path: string, refuse: Refuse) => FieldAccessors;

/** An index that no array has: nothing is written there, and `undefined` is read. */
const NOWHERE = -1;

/** Says why a write has gone nowhere. */
function fail(view: ViewBase, value: unknown, path: string, refuse: Refuse): never {
  if (view["~memory"].u8[view["~base"]] === undefined) refuseClosed(path);
  return refuse(value, path);
}

export const u8: ScalarAccessors = (offset, path, refuse) => ({
  get() {
    const value = this["~memory"].u8[this["~base"] + offset];
    return value === undefined ? refuseClosed(path) : value;
  },
  set(value) {
    const array = this["~memory"].u8;
    const index = typeof value === "number" && (value & 0xff) === value
      ? this["~base"] + offset
      : NOWHERE;
    try {
      array[index] = value as number;
    } catch {
      refuse(value, path); // it cannot even be converted
    }
    if (array[index] === undefined) fail(this, value, path, refuse);
  },
});

export const i8: ScalarAccessors = (offset, path, refuse) => ({
  get() {
    const value = this["~memory"].i8[this["~base"] + offset];
    return value === undefined ? refuseClosed(path) : value;
  },
  set(value) {
    const array = this["~memory"].i8;
    const index = typeof value === "number" && (value << 24 >> 24) === value
      ? this["~base"] + offset
      : NOWHERE;
    try {
      array[index] = value as number;
    } catch {
      refuse(value, path); // it cannot even be converted
    }
    if (array[index] === undefined) fail(this, value, path, refuse);
  },
});

export const u16: ScalarAccessors = (offset, path, refuse) => ({
  get() {
    const value = this["~memory"].u16[this["~base"] + offset >> 1];
    return value === undefined ? refuseClosed(path) : value;
  },
  set(value) {
    const array = this["~memory"].u16;
    const index = typeof value === "number" && (value & 0xffff) === value
      ? this["~base"] + offset >> 1
      : NOWHERE;
    try {
      array[index] = value as number;
    } catch {
      refuse(value, path); // it cannot even be converted
    }
    if (array[index] === undefined) fail(this, value, path, refuse);
  },
});

export const i16: ScalarAccessors = (offset, path, refuse) => ({
  get() {
    const value = this["~memory"].i16[this["~base"] + offset >> 1];
    return value === undefined ? refuseClosed(path) : value;
  },
  set(value) {
    const array = this["~memory"].i16;
    const index = typeof value === "number" && (value << 16 >> 16) === value
      ? this["~base"] + offset >> 1
      : NOWHERE;
    try {
      array[index] = value as number;
    } catch {
      refuse(value, path); // it cannot even be converted
    }
    if (array[index] === undefined) fail(this, value, path, refuse);
  },
});

export const u32: ScalarAccessors = (offset, path, refuse) => ({
  get() {
    const value = this["~memory"].u32[this["~base"] + offset >> 2];
    return value === undefined ? refuseClosed(path) : value;
  },
  set(value) {
    const array = this["~memory"].u32;
    const index = typeof value === "number" && value >>> 0 === value
      ? this["~base"] + offset >> 2
      : NOWHERE;
    try {
      array[index] = value as number;
    } catch {
      refuse(value, path); // it cannot even be converted
    }
    if (array[index] === undefined) fail(this, value, path, refuse);
  },
});

export const i32: ScalarAccessors = (offset, path, refuse) => ({
  get() {
    const value = this["~memory"].i32[this["~base"] + offset >> 2];
    return value === undefined ? refuseClosed(path) : value;
  },
  set(value) {
    const array = this["~memory"].i32;
    const index = typeof value === "number" && (value | 0) === value
      ? this["~base"] + offset >> 2
      : NOWHERE;
    try {
      array[index] = value as number;
    } catch {
      refuse(value, path); // it cannot even be converted
    }
    if (array[index] === undefined) fail(this, value, path, refuse);
  },
});

export const u64: ScalarAccessors = (offset, path, refuse) => ({
  get() {
    const value = this["~memory"].u64[this["~base"] + offset >> 3];
    return value === undefined ? refuseClosed(path) : value;
  },
  set(value) {
    const array = this["~memory"].u64;
    const index = typeof value === "bigint" && value >= 0n && value <= 0xffff_ffff_ffff_ffffn
      ? this["~base"] + offset >> 3
      : NOWHERE;
    try {
      array[index] = value as bigint;
    } catch {
      refuse(value, path); // it cannot even be converted
    }
    if (array[index] === undefined) fail(this, value, path, refuse);
  },
});

export const i64: ScalarAccessors = (offset, path, refuse) => ({
  get() {
    const value = this["~memory"].i64[this["~base"] + offset >> 3];
    return value === undefined ? refuseClosed(path) : value;
  },
  set(value) {
    const array = this["~memory"].i64;
    const index = typeof value === "bigint" && value >= -0x8000_0000_0000_0000n &&
        value <= 0x7fff_ffff_ffff_ffffn
      ? this["~base"] + offset >> 3
      : NOWHERE;
    try {
      array[index] = value as bigint;
    } catch {
      refuse(value, path); // it cannot even be converted
    }
    if (array[index] === undefined) fail(this, value, path, refuse);
  },
});

export const f16: ScalarAccessors = (offset, path, refuse) => ({
  get() {
    const value = this["~memory"].f16[this["~base"] + offset >> 1];
    return value === undefined ? refuseClosed(path) : value;
  },
  set(value) {
    const array = this["~memory"].f16;
    const index =
      typeof value === "number" && !(Math.abs(value) >= F16_LIMIT && Math.abs(value) !== Infinity)
        ? this["~base"] + offset >> 1
        : NOWHERE;
    try {
      array[index] = value as number;
    } catch {
      refuse(value, path); // it cannot even be converted
    }
    if (array[index] === undefined) fail(this, value, path, refuse);
  },
});

export const f32: ScalarAccessors = (offset, path, refuse) => ({
  get() {
    const value = this["~memory"].f32[this["~base"] + offset >> 2];
    return value === undefined ? refuseClosed(path) : value;
  },
  set(value) {
    const array = this["~memory"].f32;
    const index =
      typeof value === "number" && !(Math.abs(value) >= F32_LIMIT && Math.abs(value) !== Infinity)
        ? this["~base"] + offset >> 2
        : NOWHERE;
    try {
      array[index] = value as number;
    } catch {
      refuse(value, path); // it cannot even be converted
    }
    if (array[index] === undefined) fail(this, value, path, refuse);
  },
});

export const f64: ScalarAccessors = (offset, path, refuse) => ({
  get() {
    const value = this["~memory"].f64[this["~base"] + offset >> 3];
    return value === undefined ? refuseClosed(path) : value;
  },
  set(value) {
    const array = this["~memory"].f64;
    const index = typeof value === "number" ? this["~base"] + offset >> 3 : NOWHERE;
    try {
      array[index] = value as number;
    } catch {
      refuse(value, path); // it cannot even be converted
    }
    if (array[index] === undefined) fail(this, value, path, refuse);
  },
});

export const bool: ScalarAccessors = (offset, path, refuse) => ({
  get() {
    const value = this["~memory"].u8[this["~base"] + offset];
    return value === undefined ? refuseClosed(path) : value !== 0;
  },
  set(value) {
    const array = this["~memory"].u8;
    const index = typeof value === "boolean" ? this["~base"] + offset : NOWHERE;
    try {
      array[index] = Number(value);
    } catch {
      refuse(value, path); // it cannot even be converted
    }
    if (array[index] === undefined) fail(this, value, path, refuse);
  },
});
