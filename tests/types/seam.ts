/**
 * That the parts of Bun's and Node's APIs which `ffi/runtimes/` declares for itself are as the types
 * of these runtimes have them. Nothing here is run: it compiles, or it does not.
 *
 * @module
 */

import type { FFIFunction, FFITypeOrString } from "bun:ffi";
import type { ArgumentType, FunctionSignature } from "node:ffi";
import type { BunApi, BunFfi } from "../../ffi/runtimes/bun.ts";
import type { NodeFfi } from "../../ffi/runtimes/node.ts";
import type { Process } from "../../ffi/runtimes/process.ts";
import type { WithTypeNames } from "./in_place_of.ts";

declare const bun: typeof import("bun:ffi");
declare const node: typeof import("node:ffi");

type BunDefinitions = Parameters<BunFfi["dlopen"]>[1];
type NodeDefinitions = Parameters<NodeFfi["dlopen"]>[1];

export const bunDlopen: (
  library: string,
  symbols: WithTypeNames<BunDefinitions, FFITypeOrString>,
) => ReturnType<BunFfi["dlopen"]> = bun.dlopen;

export const bunRest: Omit<BunFfi, "dlopen"> = bun;

export const bunApi: BunApi = Bun;

export const nodeDlopen: (
  library: string,
  definitions: WithTypeNames<NodeDefinitions, ArgumentType>,
) => ReturnType<NodeFfi["dlopen"]> = node.dlopen;

export const nodeRest: Omit<NodeFfi, "dlopen"> = node;

export const nodeProcess: Process = process;

/** Both runtimes take definitions without any property, so that a misspelt one needs a look. */
declare const bunProperty: keyof BunDefinitions[string];
declare const nodeProperty: keyof NodeDefinitions[string];
export const knownToBun: keyof FFIFunction = bunProperty;
export const knownToNode: keyof FunctionSignature = nodeProperty;
