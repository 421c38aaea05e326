/**
 * Bun, over `bun:ffi`.
 *
 * @module
 */

import { closeDescriptor, platformName, type Process, workerThread } from "./process.ts";
import {
  type Address,
  type Declarations,
  type DescriptorWatch,
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

/** The part of Bun's global that is used. */
export interface BunApi {
  file(fd: number): { stream(): { getReader(): StreamReader } };
}

/** The reader of a stream, as far as it is used. */
interface StreamReader {
  read(): Promise<{ readonly done: boolean }>;
  cancel(): Promise<void>;
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
export function bunRuntime(ffi: BunFfi, bun: BunApi, process: Process): Runtime {
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

    watchDescriptor(fd: number, onReadable: () => void) {
      return new StreamWatch(bun, process, fd, onReadable);
    },

    onExit(callback: () => void): void {
      process.on("exit", callback);
    },

    warn(message: string): void {
      process.emitWarning(message, "ShmkitWarning");
    },
  };
}

/**
 * Watches a FIFO as a stream, since a socket of this runtime reads sockets only. A stream works on a
 * duplicate of the descriptor, which it closes soon after it was cancelled; the descriptor itself is
 * closed here. A read keeps the thread from ending, whatever one does: so it is read while the watch
 * is ref'ed, and the FIFO keeps what comes meanwhile. To begin and to cancel takes 30 us together.
 */
class StreamWatch implements DescriptorWatch {
  readonly #bun: BunApi;
  readonly #process: Process;
  readonly #fd: number;
  readonly #onReadable: () => void;
  #reader: StreamReader | undefined;
  #closed = false;

  constructor(bun: BunApi, process: Process, fd: number, onReadable: () => void) {
    this.#bun = bun;
    this.#process = process;
    this.#fd = fd;
    this.#onReadable = onReadable;
  }

  ref(): void {
    if (this.#reader === undefined && !this.#closed) this.#read();
  }

  unref(): void {
    this.#cancel();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#cancel();
    closeDescriptor(this.#process, this.#fd);
  }

  async #read(): Promise<void> {
    let reader: StreamReader | undefined;
    try {
      this.#reader = reader = this.#bun.file(this.#fd).stream().getReader();
      while (!(await reader.read()).done) {
        // By a reader that has been cancelled meanwhile as well: its successor will not see it.
        if (!this.#closed) this.#onReadable();
      }
    } catch {
      // No more is told: those who wait look again by themselves.
    }
    if (this.#reader === reader) this.#reader = undefined;
  }

  #cancel(): void {
    this.#reader?.cancel().catch(() => {}); // the reads end in any case
    this.#reader = undefined;
  }
}
