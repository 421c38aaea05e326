/**
 * Layouts that a module exports.
 *
 * @module
 */

import { platform, readLink, statusOfTarget } from "../ffi/mod.ts";
import type { Fields } from "../layout/field.ts";
import type { Struct } from "../layout/struct.ts";
import { UsageError } from "./exit_codes.ts";

/** A layout, and the name that it is exported by. */
export interface Export {
  readonly name: string;
  readonly layout: Struct<Fields>;
  /** Whether functions that open objects of it would work: not for a lock with a name of its own. */
  readonly opens?: boolean;
}

/**
 * Whether an operand is a module, and no object: what ends as one, or has a slash that does not
 * merely precede a name. `/name.ts` is an object.
 */
export function isModule(operand: string): boolean {
  const name = operand.replace(/^\//, "");
  return name.includes("/") || name === operand && /\.(ts|mts|js|mjs)$/.test(operand);
}

/**
 * Imports a module, which runs it.
 *
 * @param name The one export that is asked for.
 * @returns Its layouts, of whatever copy of the library, each once.
 */
export async function importLayouts(operand: string, name?: string): Promise<Export[]> {
  const namespace = await run(operand);
  // A name says more than "default" does.
  const names = Object.keys(namespace).filter((each) => each !== "default");
  const found = [...names, "default"].flatMap((each): Export[] => {
    const value = namespace[each];
    return isLayout(value) ? [{ name: each, layout: value }] : [];
  });
  if (found.length === 0) {
    const rule = "it has to export what t.struct() gives";
    throw new TypeError(`${JSON.stringify(operand)} exports no layout: ${rule}`);
  }
  const layouts = found.map(({ layout }) => layout);
  const distinct = found.filter(({ layout }, index) => layouts.indexOf(layout) === index);
  if (name === undefined) return distinct;
  const named = found.find((each) => each.name === name);
  if (named !== undefined) return [named];
  throw new UsageError(
    `${JSON.stringify(operand)} exports no layout ${JSON.stringify(name)}, but ${listed(distinct)}`,
  );
}

async function run(operand: string): Promise<Readonly<Record<string, unknown>>> {
  const url = urlOf(operand);
  try {
    return await import(url);
  } catch (cause) {
    const { message = String(cause), code } = cause as { message?: string; code?: unknown };
    const error = new Error(`Cannot import ${JSON.stringify(operand)}: ${message}`, { cause });
    throw Object.assign(error, { code });
  }
}

/** The names of exports. */
export function listed(exports: readonly Export[]): string {
  return exports.map(({ name }) => name).join(", ");
}

/** By what it can do and not by its class, which is that of the module's own copy of the library. */
function isLayout(value: unknown): value is Struct<Fields> {
  if (typeof value !== "object" || value === null) return false;
  const { kind, name, describe, toC, toRust, toPython } = value as Partial<Struct<Fields>>;
  return kind === "struct" && typeof name === "string" &&
    [describe, toC, toRust, toPython].every((method) => typeof method === "function");
}

/** Asks the kernel for the working directory: a runtime might ask for a permission. */
function urlOf(operand: string): string {
  if (operand.startsWith("file://")) return operand;
  let path = operand;
  if (!path.startsWith("/")) {
    const directory = readLink(`${platform().processDirectory}/self/cwd`);
    if (typeof directory === "number") throw new Error(`Cannot find ${JSON.stringify(operand)}`);
    path = `${directory}/${operand}`;
  }
  if (typeof statusOfTarget(path) === "number") {
    throw new Error(`Cannot import ${JSON.stringify(operand)}: there is no such file`);
  }
  return new URL(`file://${path.split("/").map(encodeURIComponent).join("/")}`).href;
}
