/**
 * Node, over `node:ffi`: on by default from 26.9.
 *
 * @module
 */

import { ShmError } from "../../errors.ts";
import { platformName, type Process, watchSocket, workerThread } from "./process.ts";
import {
  type Address,
  type Declarations,
  mapDeclarations,
  type NativeFunctions,
  type NativeTypes,
  type Runtime,
  type Signature,
} from "./runtime.ts";

type NodeFunction = (...args: unknown[]) => unknown;

/** The part of `node:ffi` that is used, so that its types are not needed to compile this. */
export interface NodeFfi {
  dlopen(
    library: string,
    definitions: Record<string, { arguments: string[]; return: string }>,
  ): { functions: Record<string, (...args: never[]) => unknown> };
  toArrayBuffer(address: bigint, byteLength: number, copy: boolean): ArrayBuffer;
}

/** How Node names the types. 64-bit integers and addresses are bigints, in both directions. */
const TYPES: Record<keyof NativeTypes, string> = {
  i32: "i32",
  u32: "u32",
  i64: "i64",
  address: "pointer",
};

/** Makes the seam over `node:ffi`. */
export function nodeRuntime(ffi: NodeFfi, process: Process): Runtime {
  const define = ([result, ...parameters]: Signature) => ({
    arguments: parameters.map((type) => TYPES[type]),
    return: TYPES[result],
  });

  const wrap = (native: NodeFunction, [result, ...parameters]: Signature): NodeFunction => {
    if (result !== "i64" && !parameters.includes("i64")) return native;
    return (...args) => {
      const converted = args.map((value, index) =>
        parameters[index] === "i64" ? BigInt(value as number) : value
      );
      const value = native(...converted);
      return result === "i64" ? Number(value) : value;
    };
  };

  return {
    version: `Node ${process.versions["node"]}`,
    platform: platformName(process),
    maxBufferByteLength: Number.MAX_SAFE_INTEGER,
    nullAddress: 0n as unknown as Address,

    load<D extends Declarations>(library: string, declarations: D): NativeFunctions<D> {
      const { functions } = dlopen(ffi, library, mapDeclarations(declarations, define));
      return mapDeclarations(
        declarations,
        (signature, name) => wrap(functions[name] as NodeFunction, signature),
      ) as NativeFunctions<D>;
    },

    backgroundThread(library: string, declarations: Declarations, undo: string) {
      const path = JSON.stringify(library);
      const definitions = JSON.stringify(mapDeclarations(declarations, define));
      return workerThread(process, {
        functions: `process.getBuiltinModule("node:ffi").dlopen(${path}, ${definitions}).functions`,
        undo,
        toMessage: (value) => value,
        toNative: "(value) => value",
      });
    },

    addressToNumber(address: Address): number {
      return Number(BigInt.asIntN(64, address as unknown as bigint));
    },

    offsetAddress(address: Address, byteOffset: number): Address {
      return (address as unknown as bigint) + BigInt(byteOffset) as unknown as Address;
    },

    viewMemory(address: Address, byteLength: number): ArrayBuffer {
      return ffi.toArrayBuffer(address as unknown as bigint, byteLength, false);
    },

    watchDescriptor(fd: number, onReadable: () => void) {
      return watchSocket(process, fd, onReadable);
    },

    onExit(callback: () => void): void {
      process.on("exit", callback);
    },

    warn(message: string): void {
      process.emitWarning(message, "ShmkitWarning");
    },
  };
}

function dlopen(
  ffi: NodeFfi,
  library: string,
  definitions: Parameters<NodeFfi["dlopen"]>[1],
): ReturnType<NodeFfi["dlopen"]> {
  try {
    return ffi.dlopen(library, definitions);
  } catch (error) {
    if ((error as { code?: string }).code !== "ERR_ACCESS_DENIED") throw error;
    throw new ShmError(
      "Cannot call native functions: Node was started with --permission and without permission " +
        "for it. Start it with --allow-ffi too.",
      { code: "ERR_SHM_PERMISSION", cause: error },
    );
  }
}
