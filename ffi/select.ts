/**
 * The one file that asks which runtime and which platform this is.
 *
 * It works without top-level await and without an import that only one runtime understands, so that
 * it can be imported directly, bundled, compiled into an executable, and checked for JSR.
 *
 * @module
 */

import { ShmError } from "../errors.ts";
import { linuxAarch64 } from "./platforms/linux_aarch64.ts";
import { linuxX8664 } from "./platforms/linux_x86_64.ts";
import type { Platform } from "./platforms/platform.ts";
import { type BunApi, type BunFfi, bunRuntime } from "./runtimes/bun.ts";
import { type DenoApi, denoRuntime } from "./runtimes/deno.ts";
import { type NodeFfi, nodeRuntime } from "./runtimes/node.ts";
import type { Process } from "./runtimes/process.ts";
import type { DescriptorWatch, Runtime } from "./runtimes/runtime.ts";

const PLATFORMS: Readonly<Record<string, Platform>> = {
  "linux-x86_64": linuxX8664,
  "linux-aarch64": linuxAarch64,
};

let selectedRuntime: Runtime | undefined;
let selectedPlatform: Platform | undefined;

/** The runtime that this program runs on. Throws a `ShmError` on one that has no native calls. */
export function runtime(): Runtime {
  return selectedRuntime ??= detectRuntime();
}

/** What the rest of the library may know of the runtime: nothing with an address. */
export function runtimeServices(): Pick<
  Runtime,
  "maxBufferByteLength" | "onExit" | "platform" | "version" | "warn"
> {
  return runtime();
}

/**
 * Has the event loop of this thread read a FIFO, of which it only tells that something came: see
 * {@linkcode Runtime.watchDescriptor}.
 */
export function watchDescriptor(fd: number, onReadable: () => void): DescriptorWatch {
  return runtime().watchDescriptor(fd, onReadable);
}

/** Whether this program runs on a runtime that has native calls, and not whether they are allowed. */
export function canCallNatively(): boolean {
  try {
    runtime();
    return true;
  } catch {
    return false;
  }
}

/** A program that runs JavaScript and has native calls. */
export interface Host {
  /** What it is called. */
  readonly name: string;
  /** The first version that has all that is needed. */
  readonly version: readonly [major: number, minor: number];
  /** What precedes a script. */
  readonly args: readonly string[];
  /** What is added for a script that reads files, modules of the user for instance. */
  readonly readArgs: readonly string[];
}

/** The runtimes as programs, in the order in which they start fastest. */
export const hosts: readonly Host[] = [
  { name: "bun", version: [1, 4], args: [], readArgs: [] },
  { name: "node", version: [26, 9], args: [], readArgs: [] },
  {
    name: "deno",
    version: [2, 8],
    args: ["run", "--allow-ffi", "--no-prompt", "--no-config", "--no-lock", "--quiet"],
    readArgs: ["--allow-read"],
  },
];

/** The platform that this program runs on. Throws a `ShmError` on one that is not known. */
export function platform(): Platform {
  return selectedPlatform ??= detectPlatform();
}

function detectRuntime(): Runtime {
  const { Bun: bun, Deno: deno, process } = globalThis as unknown as {
    Bun?: BunApi;
    Deno?: DenoApi;
    process?: Process;
  };
  if (process !== undefined && typeof deno?.dlopen === "function") {
    return denoRuntime(deno, process);
  }

  const bunFfi = builtin<BunFfi>(process, "bun:ffi");
  if (process !== undefined && bun !== undefined && bunFfi !== undefined) {
    return bunRuntime(bunFfi, bun, process);
  }

  const nodeFfi = builtin<NodeFfi>(process, "node:ffi");
  if (process !== undefined && nodeFfi !== undefined) return nodeRuntime(nodeFfi, process);

  const version = process?.versions["node"];
  throw new ShmError(
    version === undefined
      ? "Cannot call native functions: this JavaScript runtime offers none. " +
        "Use Deno, Bun, or Node 26.9 or later."
      : `Cannot call native functions: Node ${version} has no node:ffi. ` +
        "Use Node 26.9 or later (26.1 to 26.8 need --experimental-ffi), Bun or Deno.",
    { code: "ERR_SHM_UNSUPPORTED" },
  );
}

function builtin<T>(process: Process | undefined, id: string): T | undefined {
  try {
    return process?.getBuiltinModule?.(id) as T | undefined;
  } catch {
    return undefined; // a runtime may throw for a module it does not know
  }
}

function detectPlatform(): Platform {
  const name = runtime().platform;
  const found = PLATFORMS[name];
  if (found !== undefined) return found;
  throw new ShmError(
    `Cannot use shared memory: the platform ${name} is not supported. ` +
      `Supported are ${Object.keys(PLATFORMS).join(" and ")}.`,
    { code: "ERR_SHM_UNSUPPORTED" },
  );
}
