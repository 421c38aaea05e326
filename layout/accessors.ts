/**
 * Accessors of scalars, for the prototypes of views: the code that hot loops run.
 *
 * Measured rules, in all three runtimes, with 24 layouts alive (`bench/subjects/layouts.ts`):
 * - one function per type, and the offset as a captured number: a function that also serves other
 *   types (`memory[kind]`) is five times slower;
 * - what a view holds has string names: symbols and private names are seven times slower in JSC;
 * - whether the memory is still there is told by the element itself, which is `undefined` after it
 *   was detached. To ask for the array's length is three times slower in JSC.
 *
 * @module
 */

import type { FieldAccessors } from "./field.ts";
import { refuseClosed } from "./messages.ts";

/** From here on a number is rounded to infinity. */
export const F16_LIMIT: number = 65520;
/** From here on a number is rounded to infinity: half a unit beyond the largest. */
export const F32_LIMIT: number = 2 ** 128 - 2 ** 103;

/** Throws what is wrong with a value. */
type Refuse = (value: unknown, path: string) => never;

/** Makes the accessors of a scalar at an offset of a struct. */
export type ScalarAccessors = (offset: number, path: string, refuse: Refuse) => FieldAccessors;

export const u8: ScalarAccessors = (offset, path, refuse) => ({
  get() {
    const value = this["~memory"].u8[this["~base"] + offset];
    return value === undefined ? refuseClosed(path) : value;
  },
  set(value) {
    if (typeof value !== "number" || (value & 0xff) !== value) return refuse(value, path);
    const array = this["~memory"].u8;
    const index = this["~base"] + offset;
    array[index] = value;
    if (array[index] === undefined) refuseClosed(path);
  },
});

export const i8: ScalarAccessors = (offset, path, refuse) => ({
  get() {
    const value = this["~memory"].i8[this["~base"] + offset];
    return value === undefined ? refuseClosed(path) : value;
  },
  set(value) {
    if (typeof value !== "number" || (value << 24 >> 24) !== value) return refuse(value, path);
    const array = this["~memory"].i8;
    const index = this["~base"] + offset;
    array[index] = value;
    if (array[index] === undefined) refuseClosed(path);
  },
});

export const u16: ScalarAccessors = (offset, path, refuse) => ({
  get() {
    const value = this["~memory"].u16[this["~base"] + offset >> 1];
    return value === undefined ? refuseClosed(path) : value;
  },
  set(value) {
    if (typeof value !== "number" || (value & 0xffff) !== value) return refuse(value, path);
    const array = this["~memory"].u16;
    const index = this["~base"] + offset >> 1;
    array[index] = value;
    if (array[index] === undefined) refuseClosed(path);
  },
});

export const i16: ScalarAccessors = (offset, path, refuse) => ({
  get() {
    const value = this["~memory"].i16[this["~base"] + offset >> 1];
    return value === undefined ? refuseClosed(path) : value;
  },
  set(value) {
    if (typeof value !== "number" || (value << 16 >> 16) !== value) return refuse(value, path);
    const array = this["~memory"].i16;
    const index = this["~base"] + offset >> 1;
    array[index] = value;
    if (array[index] === undefined) refuseClosed(path);
  },
});

export const u32: ScalarAccessors = (offset, path, refuse) => ({
  get() {
    const value = this["~memory"].u32[this["~base"] + offset >> 2];
    return value === undefined ? refuseClosed(path) : value;
  },
  set(value) {
    if (typeof value !== "number" || value >>> 0 !== value) return refuse(value, path);
    const array = this["~memory"].u32;
    const index = this["~base"] + offset >> 2;
    array[index] = value;
    if (array[index] === undefined) refuseClosed(path);
  },
});

export const i32: ScalarAccessors = (offset, path, refuse) => ({
  get() {
    const value = this["~memory"].i32[this["~base"] + offset >> 2];
    return value === undefined ? refuseClosed(path) : value;
  },
  set(value) {
    if (typeof value !== "number" || (value | 0) !== value) return refuse(value, path);
    const array = this["~memory"].i32;
    const index = this["~base"] + offset >> 2;
    array[index] = value;
    if (array[index] === undefined) refuseClosed(path);
  },
});

export const u64: ScalarAccessors = (offset, path, refuse) => ({
  get() {
    const value = this["~memory"].u64[this["~base"] + offset >> 3];
    return value === undefined ? refuseClosed(path) : value;
  },
  set(value) {
    if (typeof value !== "bigint" || value < 0n || value > 0xffff_ffff_ffff_ffffn) {
      return refuse(value, path);
    }
    const array = this["~memory"].u64;
    const index = this["~base"] + offset >> 3;
    array[index] = value;
    if (array[index] === undefined) refuseClosed(path);
  },
});

export const i64: ScalarAccessors = (offset, path, refuse) => ({
  get() {
    const value = this["~memory"].i64[this["~base"] + offset >> 3];
    return value === undefined ? refuseClosed(path) : value;
  },
  set(value) {
    if (
      typeof value !== "bigint" || value < -0x8000_0000_0000_0000n ||
      value > 0x7fff_ffff_ffff_ffffn
    ) return refuse(value, path);
    const array = this["~memory"].i64;
    const index = this["~base"] + offset >> 3;
    array[index] = value;
    if (array[index] === undefined) refuseClosed(path);
  },
});

export const f16: ScalarAccessors = (offset, path, refuse) => ({
  get() {
    const value = this["~memory"].f16[this["~base"] + offset >> 1];
    return value === undefined ? refuseClosed(path) : value;
  },
  set(value) {
    if (
      typeof value !== "number" ||
      Math.abs(value) >= F16_LIMIT && Math.abs(value) !== Infinity
    ) return refuse(value, path);
    const array = this["~memory"].f16;
    const index = this["~base"] + offset >> 1;
    array[index] = value;
    if (array[index] === undefined) refuseClosed(path);
  },
});

export const f32: ScalarAccessors = (offset, path, refuse) => ({
  get() {
    const value = this["~memory"].f32[this["~base"] + offset >> 2];
    return value === undefined ? refuseClosed(path) : value;
  },
  set(value) {
    if (
      typeof value !== "number" ||
      Math.abs(value) >= F32_LIMIT && Math.abs(value) !== Infinity
    ) return refuse(value, path);
    const array = this["~memory"].f32;
    const index = this["~base"] + offset >> 2;
    array[index] = value;
    if (array[index] === undefined) refuseClosed(path);
  },
});

export const f64: ScalarAccessors = (offset, path, refuse) => ({
  get() {
    const value = this["~memory"].f64[this["~base"] + offset >> 3];
    return value === undefined ? refuseClosed(path) : value;
  },
  set(value) {
    if (typeof value !== "number") return refuse(value, path);
    const array = this["~memory"].f64;
    const index = this["~base"] + offset >> 3;
    array[index] = value;
    if (array[index] === undefined) refuseClosed(path);
  },
});

export const bool: ScalarAccessors = (offset, path, refuse) => ({
  get() {
    const value = this["~memory"].u8[this["~base"] + offset];
    return value === undefined ? refuseClosed(path) : value !== 0;
  },
  set(value) {
    if (typeof value !== "boolean") return refuse(value, path);
    const array = this["~memory"].u8;
    const index = this["~base"] + offset;
    array[index] = value ? 1 : 0;
    if (array[index] === undefined) refuseClosed(path);
  },
});
