/**
 * Types of the seam with those of a runtime in their place.
 *
 * @module
 */

import type { Address } from "../../ffi/runtimes/runtime.ts";

/** The definition of a native function, with a runtime's list of type names instead of `string`. */
export type WithTypeNames<T, Name> = string extends T ? Name
  : T extends readonly (infer Element)[] ? WithTypeNames<Element, Name>[]
  : T extends object ? { [Key in keyof T]: WithTypeNames<T[Key], Name> }
  : T;

/** An API, with a runtime's own type of pointers instead of the opaque one. */
export type WithPointers<T, Pointer> = T extends Address ? Pointer
  : T extends (...args: infer Args) => infer Result
    ? (...args: { [Key in keyof Args]: WithPointers<Args[Key], Pointer> }) => WithPointers<
      Result,
      Pointer
    >
  : T extends object ? { [Key in keyof T]: WithPointers<T[Key], Pointer> }
  : T;
