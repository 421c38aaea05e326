/**
 * Everything by which a process might change memory that it was handed.
 *
 * @module
 */

import { truncateSync, writeFileSync } from "node:fs";
import process from "node:process";
import { type ReadonlySharedSegment, SharedSegment } from "../../mod.ts";

/** Tries to change memory in every way, and says what came of it. */
export function tryToChange({ path, fd, size }: ReadonlySharedSegment): void {
  attempt("map it for writing, by its path", () => SharedSegment.openFile(path));
  attempt("map it for writing, by its descriptor", () => SharedSegment.fromDescriptor(fd));
  attempt("write to it as to a file", () => writeFileSync(path, "x", { flag: "r+" }));
  attempt("make it shorter", () => truncateSync(path, size - 1)); // others would get SIGBUS
  attempt("make it longer", () => truncateSync(path, size + 1));
}

/** Tries something that has to fail. */
export function attempt(what: string, body: () => unknown): void {
  try {
    body();
  } catch (error) {
    console.log(`  ${what}: refused, ${(error as Error).message}`);
    return;
  }
  console.log(`  ${what}: DONE, which must not be`);
  process.exitCode = 1;
}
