/**
 * As `seam.ts`, for Deno: for `deno check` alone, which has Deno's types built in.
 *
 * @module
 */

import nodeProcess from "node:process";
import type { DenoApi } from "../../ffi/runtimes/deno.ts";
import type { Process } from "../../ffi/runtimes/process.ts";
import type { WithPointers, WithTypeNames } from "./in_place_of.ts";

export const denoDlopen: (
  filename: string,
  symbols: WithTypeNames<Parameters<DenoApi["dlopen"]>[1], Deno.NativeType>,
) => ReturnType<DenoApi["dlopen"]> = Deno.dlopen;

export const denoRest: WithPointers<Omit<DenoApi, "dlopen">, Deno.PointerObject> = Deno;

export const denoProcess: Process = nodeProcess;

declare const denoProperty: keyof Parameters<DenoApi["dlopen"]>[1][string];
export const knownToDeno: keyof Deno.ForeignFunction = denoProperty;
