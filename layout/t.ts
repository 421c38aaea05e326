/**
 * Everything that a schema is made of.
 *
 * @module
 */

export { align, cacheLine } from "./align.ts";
export { array } from "./array.ts";
export { atomic } from "./atomic.ts";
export { bits } from "./bits.ts";
export { enumeration } from "./enumeration.ts";
export { bool, f16, f32, f64, i16, i32, i64, i8, u16, u32, u64, u8 } from "./scalar.ts";
export { struct } from "./struct.ts";
export { bytes, cstring } from "./text.ts";
export { union } from "./union.ts";
