/**
 * Bun, over `bun:ffi`.
 *
 * @module
 */

import { platformName, type Process, workerThread } from "./process.ts";
import {
  type Address,
  type Declarations,
  mapDeclarations,
  type NativeFunctions,
  type NativeTypes,
  type Runtime,
  type Signature,
} from "./runtime.ts";

/** The part of `bun:ffi` that is used, so that its types are not needed to compile this. */
export interface BunFfi {
  dlopen(
    library: string,
    symbols: Record<string, { args: string[]; returns: string }>,
  ): { symbols: Record<string, (...args: never[]) => unknown> };
  toArrayBuffer(address: number, byteOffset?: number, byteLength?: number): ArrayBuffer;
}

/** How Bun names the parameter types. An address is a number. */
const PARAMETERS: Record<keyof NativeTypes, string> = {
  i32: "i32",
  u32: "u32",
  i64: "i64",
  address: "ptr",
};

/** How Bun names the result types: `i64_fast` gives a number, and tells NULL from -1. */
const RESULTS: Record<keyof NativeTypes, string> = {
  i32: "i32",
  u32: "u32",
  i64: "i64_fast",
  address: "i64_fast",
};

/** Makes the seam over `bun:ffi`. */
export function bunRuntime(ffi: BunFfi, process: Process): Runtime {
  const define = ([result, ...parameters]: Signature) => ({
    args: parameters.map((type) => PARAMETERS[type]),
    returns: RESULTS[result],
  });

  return {
    version: `Bun ${process.versions["bun"]}`,
    platform: platformName(process),
    maxBufferByteLength: 2 ** 32,
    nullAddress: 0 as unknown as Address,

    load<D extends Declarations>(library: string, declarations: D): NativeFunctions<D> {
      const definitions = mapDeclarations(declarations, define);
      return ffi.dlopen(library, definitions).symbols as unknown as NativeFunctions<D>;
    },

    backgroundThread(library: string, declarations: Declarations, undo: string) {
      const path = JSON.stringify(library);
      const definitions = JSON.stringify(mapDeclarations(declarations, define));
      return workerThread(process, {
        functions: `process.getBuiltinModule("bun:ffi").dlopen(${path}, ${definitions}).symbols`,
        undo,
        toMessage: (value) => value,
        toNative: "(value) => value",
      });
    },

    addressToNumber(address: Address): number {
      return address as unknown as number;
    },

    offsetAddress(address: Address, byteOffset: number): Address {
      return (address as unknown as number) + byteOffset as unknown as Address;
    },

    viewMemory(address: Address, byteLength: number): ArrayBuffer {
      return ffi.toArrayBuffer(address as unknown as number, 0, byteLength);
    },

    onExit(callback: () => void): void {
      process.on("exit", callback);
    },

    warn(message: string): void {
      process.emitWarning(message, "ShmkitWarning");
    },
  };
}
