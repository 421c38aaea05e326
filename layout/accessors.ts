/**
 * Accessors of scalars, for the prototypes of views: the code that hot loops run.
 *
 * Measured rules, in all three runtimes, with one layout alive and with 24 (`bench/subjects/layouts.ts`):
 * - one function for each type, with the offset as a captured number: a function that also serves
 *   other types (`memory[kind]`) is five times slower;
 * - what a view holds has string names: symbols and private names are seven times slower in JSC;
 * - whether the memory is still there is told by the element itself, which is `undefined` after it
 *   was detached. To ask for the array's length makes a read 1.5 times slower in JSC, four times in V8;
 *   only to write a bigint it is faster, since to read one back makes an object;
 * - what a setter needs of its view is read before anything is written: after a write V8 no longer
 *   knows the view's class, and with many layouts every read of it costs 5 ns;
 * - `throw` before what never returns tells that nothing follows it.
 *
 * And one that engines do not agree on: how to stop at a value that does not fit. See {@linkcode BRANCHES}.
 *
 * @module
 */

import type { FieldAccessors, ViewBase } from "./field.ts";
import { refuseClosed } from "./messages.ts";

/** Not exported: V8 takes only constants of this file for constant. */
const F16_END = 65520;
const F32_END = 2 ** 128 - 2 ** 103;

/** From here on a number is rounded to infinity. */
export const F16_LIMIT: number = F16_END;
/** From here on a number is rounded to infinity: half a unit beyond the largest. */
export const F32_LIMIT: number = F32_END;

/** Throws what is wrong with a value. */
type Refuse = (value: unknown, path: string) => never;

/** Makes the accessors of a scalar at an offset of a struct. */
export type ScalarAccessors = (offset: number, path: string, refuse: Refuse) => FieldAccessors;

/**
 * Whether a branch may throw in the middle of a setter: in JSC, the engine whose errors have a line.
 *
 * V8 does not peel a loop with such a branch, and so repeats every load and check of what does not
 * change: five times slower. There a 0 or {@linkcode SHUT} goes into {@linkcode GATE}, and to convert
 * that to a number throws without a branch. It leaves no trace either in what V8 knows of the setter.
 * An index out of bounds does: a single one can make all later writes six times slower.
 */
const BRANCHES = Object.hasOwn(new Error(), "line");
const GATE = new Float64Array(1);
const SHUT = Symbol() as unknown as number;

/** Says why a write was stopped. */
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
    const index = this["~base"] + offset;
    const fits = typeof value === "number" && (value & 0xff) === value;
    if (BRANCHES) {
      if (!fits) throw fail(this, value, path, refuse);
    } else {
      try {
        GATE[0] = fits ? 0 : SHUT;
      } catch {
        throw fail(this, value, path, refuse);
      }
    }
    array[index] = value as number;
    if (array[index] === undefined) throw refuseClosed(path);
  },
});

export const i8: ScalarAccessors = (offset, path, refuse) => ({
  get() {
    const value = this["~memory"].i8[this["~base"] + offset];
    return value === undefined ? refuseClosed(path) : value;
  },
  set(value) {
    const array = this["~memory"].i8;
    const index = this["~base"] + offset;
    const fits = typeof value === "number" &&
      (BRANCHES
        ? value << 24 >> 24 === value
        : value >= -0x80 && value <= 0x7f && Math.floor(value) === value);
    if (BRANCHES) {
      if (!fits) throw fail(this, value, path, refuse);
    } else {
      try {
        GATE[0] = fits ? 0 : SHUT;
      } catch {
        throw fail(this, value, path, refuse);
      }
    }
    array[index] = value as number;
    if (array[index] === undefined) throw refuseClosed(path);
  },
});

export const u16: ScalarAccessors = (offset, path, refuse) => ({
  get() {
    const value = this["~memory"].u16[this["~base"] + offset >> 1];
    return value === undefined ? refuseClosed(path) : value;
  },
  set(value) {
    const array = this["~memory"].u16;
    const index = this["~base"] + offset >> 1;
    const fits = typeof value === "number" && (value & 0xffff) === value;
    if (BRANCHES) {
      if (!fits) throw fail(this, value, path, refuse);
    } else {
      try {
        GATE[0] = fits ? 0 : SHUT;
      } catch {
        throw fail(this, value, path, refuse);
      }
    }
    array[index] = value as number;
    if (array[index] === undefined) throw refuseClosed(path);
  },
});

export const i16: ScalarAccessors = (offset, path, refuse) => ({
  get() {
    const value = this["~memory"].i16[this["~base"] + offset >> 1];
    return value === undefined ? refuseClosed(path) : value;
  },
  set(value) {
    const array = this["~memory"].i16;
    const index = this["~base"] + offset >> 1;
    const fits = typeof value === "number" &&
      (BRANCHES
        ? value << 16 >> 16 === value
        : value >= -0x8000 && value <= 0x7fff && Math.floor(value) === value);
    if (BRANCHES) {
      if (!fits) throw fail(this, value, path, refuse);
    } else {
      try {
        GATE[0] = fits ? 0 : SHUT;
      } catch {
        throw fail(this, value, path, refuse);
      }
    }
    array[index] = value as number;
    if (array[index] === undefined) throw refuseClosed(path);
  },
});

export const u32: ScalarAccessors = (offset, path, refuse) => ({
  get() {
    const value = this["~memory"].u32[this["~base"] + offset >> 2];
    return value === undefined ? refuseClosed(path) : value;
  },
  set(value) {
    const array = this["~memory"].u32;
    const index = this["~base"] + offset >> 2;
    const fits = typeof value === "number" && value >>> 0 === value;
    if (BRANCHES) {
      if (!fits) throw fail(this, value, path, refuse);
    } else {
      try {
        GATE[0] = fits ? 0 : SHUT;
      } catch {
        throw fail(this, value, path, refuse);
      }
    }
    array[index] = value as number;
    if (array[index] === undefined) throw refuseClosed(path);
  },
});

export const i32: ScalarAccessors = (offset, path, refuse) => ({
  get() {
    const value = this["~memory"].i32[this["~base"] + offset >> 2];
    return value === undefined ? refuseClosed(path) : value;
  },
  set(value) {
    const array = this["~memory"].i32;
    const index = this["~base"] + offset >> 2;
    const fits = typeof value === "number" && (value | 0) === value;
    if (BRANCHES) {
      if (!fits) throw fail(this, value, path, refuse);
    } else {
      try {
        GATE[0] = fits ? 0 : SHUT;
      } catch {
        throw fail(this, value, path, refuse);
      }
    }
    array[index] = value as number;
    if (array[index] === undefined) throw refuseClosed(path);
  },
});

export const u64: ScalarAccessors = (offset, path, refuse) => ({
  get() {
    const value = this["~memory"].u64[this["~base"] + offset >> 3];
    return value === undefined ? refuseClosed(path) : value;
  },
  set(value) {
    const array = this["~memory"].u64;
    const index = this["~base"] + offset >> 3;
    const fits = index < array.length && typeof value === "bigint" &&
      (BRANCHES
        ? value >= 0n && value <= 0xffff_ffff_ffff_ffffn
        : BigInt.asUintN(64, value) === value);
    if (BRANCHES) {
      if (!fits) throw fail(this, value, path, refuse);
    } else {
      try {
        GATE[0] = fits ? 0 : SHUT;
      } catch {
        throw fail(this, value, path, refuse);
      }
    }
    array[index] = value as bigint;
  },
});

export const i64: ScalarAccessors = (offset, path, refuse) => ({
  get() {
    const value = this["~memory"].i64[this["~base"] + offset >> 3];
    return value === undefined ? refuseClosed(path) : value;
  },
  set(value) {
    const array = this["~memory"].i64;
    const index = this["~base"] + offset >> 3;
    const fits = index < array.length && typeof value === "bigint" &&
      (BRANCHES
        ? value >= -0x8000_0000_0000_0000n && value <= 0x7fff_ffff_ffff_ffffn
        : BigInt.asIntN(64, value) === value);
    if (BRANCHES) {
      if (!fits) throw fail(this, value, path, refuse);
    } else {
      try {
        GATE[0] = fits ? 0 : SHUT;
      } catch {
        throw fail(this, value, path, refuse);
      }
    }
    array[index] = value as bigint;
  },
});

export const f16: ScalarAccessors = (offset, path, refuse) => ({
  get() {
    const value = this["~memory"].f16[this["~base"] + offset >> 1];
    return value === undefined ? refuseClosed(path) : value;
  },
  set(value) {
    const array = this["~memory"].f16;
    const index = this["~base"] + offset >> 1;
    const fits = typeof value === "number" &&
      (BRANCHES
        ? !(Math.abs(value) >= F16_END && Math.abs(value) !== Infinity)
        : !(Math.abs(value) + (value - value) >= F16_END));
    if (BRANCHES) {
      if (!fits) throw fail(this, value, path, refuse);
    } else {
      try {
        GATE[0] = fits ? 0 : SHUT;
      } catch {
        throw fail(this, value, path, refuse);
      }
    }
    array[index] = value as number;
    if (array[index] === undefined) throw refuseClosed(path);
  },
});

export const f32: ScalarAccessors = (offset, path, refuse) => ({
  get() {
    const value = this["~memory"].f32[this["~base"] + offset >> 2];
    return value === undefined ? refuseClosed(path) : value;
  },
  set(value) {
    const array = this["~memory"].f32;
    const index = this["~base"] + offset >> 2;
    const fits = typeof value === "number" &&
      (BRANCHES
        ? !(Math.abs(value) >= F32_END && Math.abs(value) !== Infinity)
        : !(Math.abs(value) + (value - value) >= F32_END));
    if (BRANCHES) {
      if (!fits) throw fail(this, value, path, refuse);
    } else {
      try {
        GATE[0] = fits ? 0 : SHUT;
      } catch {
        throw fail(this, value, path, refuse);
      }
    }
    array[index] = value as number;
    if (array[index] === undefined) throw refuseClosed(path);
  },
});

export const f64: ScalarAccessors = (offset, path, refuse) => ({
  get() {
    const value = this["~memory"].f64[this["~base"] + offset >> 3];
    return value === undefined ? refuseClosed(path) : value;
  },
  set(value) {
    const array = this["~memory"].f64;
    const index = this["~base"] + offset >> 3;
    const fits = typeof value === "number";
    if (BRANCHES) {
      if (!fits) throw fail(this, value, path, refuse);
    } else {
      try {
        GATE[0] = fits ? 0 : SHUT;
      } catch {
        throw fail(this, value, path, refuse);
      }
    }
    array[index] = value as number;
    if (array[index] === undefined) throw refuseClosed(path);
  },
});

export const bool: ScalarAccessors = (offset, path, refuse) => ({
  get() {
    const value = this["~memory"].u8[this["~base"] + offset];
    return value === undefined ? refuseClosed(path) : value !== 0;
  },
  set(value) {
    const array = this["~memory"].u8;
    const index = this["~base"] + offset;
    if (BRANCHES) {
      if (typeof value !== "boolean") throw fail(this, value, path, refuse);
      array[index] = Number(value);
    } else {
      try {
        array[index] = value === true ? 1 : value === false ? 0 : SHUT;
      } catch {
        throw fail(this, value, path, refuse);
      }
    }
    if (array[index] === undefined) throw refuseClosed(path);
  },
});
