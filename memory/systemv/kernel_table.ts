/**
 * The tables of `/proc/sysvipc`: a line of headings, and a line of numbers for each object.
 *
 * @module
 */

import type { Action } from "../../errors.ts";
import { errorCode, failure, readTextFile } from "../../ffi/mod.ts";

/** Gives the number in a column. */
export type Row = (column: string) => number;

/**
 * Reads a table. A column is found by its heading: a kernel may have more of them, or, as without
 * swap, print them all the same.
 *
 * @param action What is being done, for the error.
 * @returns Its rows; none where the kernel has no such table, because it was built without.
 */
export function readKernelTable(action: Action, path: string): Row[] {
  const text = readTextFile(path);
  if (typeof text === "number") {
    if (errorCode(text) === "ENOENT") return [];
    throw failure(action, text, "open");
  }
  const [headings = [], ...lines] = text.trimEnd().split("\n").map((line) =>
    line.trim().split(/\s+/)
  );
  const columns = new Map(headings.map((heading, index) => [heading, index]));
  return lines.map((fields) => (column) => Number(fields[columns.get(column) ?? -1] ?? 0));
}

/** The bits of a mode in octal digits, which the kernel prints in a column of decimal numbers. */
export function octal(digits: number): number {
  return Number.parseInt(String(digits), 8);
}

/** A key as C programs print it: the kernel's is signed. */
export function unsignedKey(key: number): number {
  return key >>> 0;
}
