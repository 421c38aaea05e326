/**
 * Deno, over `Deno.dlopen`. Needs `--allow-ffi`, unscoped: a scoped grant denies the pointer APIs.
 *
 * @module
 */

import { ShmError } from "../../errors.ts";
import { type Process, watchSocket, workerThread } from "./process.ts";
import {
  type Address,
  type Declarations,
  mapDeclarations,
  type NativeFunctions,
  type NativeTypes,
  type Runtime,
  type Signature,
} from "./runtime.ts";

type DenoFunction = (...args: unknown[]) => unknown;

/** The part of Deno's API that is used, so that no type of Deno's is needed to compile this. */
export interface DenoApi {
  readonly version: { readonly deno: string };
  readonly build: { readonly os: string; readonly arch: string };
  dlopen(
    filename: string,
    symbols: Record<string, { parameters: string[]; result: string }>,
  ): { symbols: Record<string, (...args: never[]) => unknown> };
  readonly UnsafePointer: {
    value(pointer: Address): bigint;
    offset(pointer: Address, offset: number): Address | null;
  };
  readonly UnsafePointerView: {
    getArrayBuffer(pointer: Address, byteLength: number, offset?: number): ArrayBuffer;
  };
}

/** How Deno names the types. Pointers are its pointer objects, which cost least as arguments. */
const TYPES: Record<keyof NativeTypes, string> = {
  i32: "i32",
  u32: "u32",
  i64: "i64",
  address: "pointer",
};

/** Makes the seam over Deno's API. */
export function denoRuntime(deno: DenoApi, process: Process): Runtime {
  const define = ([result, ...parameters]: Signature) => ({
    parameters: parameters.map((type) => TYPES[type]),
    result: TYPES[result],
  });

  const dlopen: DenoApi["dlopen"] = (library, symbols) => {
    try {
      return deno.dlopen(library, symbols);
    } catch (error) {
      if (!(error instanceof Error && /NotCapable|PermissionDenied/.test(error.name))) throw error;
      throw new ShmError(
        "Cannot call native functions: Deno was started without permission for it. " +
          "Start it with --allow-ffi (without a list of paths: a scoped grant is not enough).",
        { code: "ERR_SHM_PERMISSION", cause: error },
      );
    }
  };

  return {
    version: `Deno ${deno.version.deno}`,
    platform: `${deno.build.os}-${deno.build.arch}`,
    maxBufferByteLength: Number.MAX_SAFE_INTEGER,
    nullAddress: null as unknown as Address,

    load<D extends Declarations>(library: string, declarations: D): NativeFunctions<D> {
      const { symbols } = dlopen(library, mapDeclarations(declarations, define));
      return mapDeclarations(declarations, ([result], name) => {
        const symbol = symbols[name] as DenoFunction;
        // 64-bit results are bigints; everything else is already in the seam's form.
        return result === "i64" ? (...args: unknown[]) => Number(symbol(...args)) : symbol;
      }) as NativeFunctions<D>;
    },

    backgroundThread(library: string, declarations: Declarations, undo: string) {
      const path = JSON.stringify(library);
      const definitions = JSON.stringify(mapDeclarations(declarations, define));
      return workerThread(process, {
        functions: `Deno.dlopen(${path}, ${definitions}).symbols`,
        undo,
        // Pointer objects cannot be posted to another thread; addresses go as bigints.
        toMessage: (value) =>
          typeof value === "number" ? value : BigInt(deno.UnsafePointer.value(value)),
        toNative: `(value) => typeof value === "bigint" ? Deno.UnsafePointer.create(value) : value`,
      });
    },

    addressToNumber(address: Address): number {
      return Number(BigInt.asIntN(64, BigInt(deno.UnsafePointer.value(address))));
    },

    offsetAddress(address: Address, byteOffset: number): Address {
      return deno.UnsafePointer.offset(address, byteOffset) as Address;
    },

    viewMemory(address: Address, byteLength: number): ArrayBuffer {
      return deno.UnsafePointerView.getArrayBuffer(address, byteLength);
    },

    watchDescriptor(fd: number, onReadable: () => void) {
      return watchSocket(process, fd, onReadable);
    },

    onExit(callback: () => void): void {
      // Most ends are told twice, in either order. By the first one only: Deno.exit(), after which there
      // is nothing; by the second one only: the end of a thread of node:worker_threads.
      const listen = (listener: () => void) => {
        globalThis.addEventListener("unload", listener);
        process.on("exit", listener);
      };
      let calls = 0;
      const again = () => {
        if (++calls === 2) callback();
      };
      listen(() => {
        if (calls > 0) return;
        calls = 1;
        callback();
        listen(again); // behind all that others have; with --watch the process goes on
      });
    },

    warn(message: string): void {
      console.warn(`Warning: ${message}`);
    },
  };
}
