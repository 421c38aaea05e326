/**
 * Programs written in C, compiled when a test first needs them.
 *
 * @module
 */

import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

const temporary: string[] = [];
let directory: string | undefined;
const compiled = new Map<string, string>();

// Of its end `deno test` tells nobody: there, `tests/run.ts` removes what is left.
process.on("exit", () => {
  for (const path of temporary) rmSync(path, { recursive: true, force: true });
});

/** Compiles a program of `tests/c/`. @returns The path of the executable. */
export function compileC(source: string): string {
  const known = compiled.get(source);
  if (known !== undefined) return known;
  directory ??= temporaryDirectory();
  const executable = join(directory, source.replace(/\.c$/, ""));
  const path = fileURLToPath(new URL(`../c/${source}`, import.meta.url));
  compile("cc", ["-O2", "-Wall", "-Wextra", "-Werror", "-o", executable, path, "-pthread", "-lrt"]);
  compiled.set(source, executable);
  return executable;
}

/** Runs a compiler; fails with what it says. */
export function compile(compiler: string, args: readonly string[], input?: string): void {
  const { status, stderr } = spawnSync(compiler, args, { encoding: "utf8", input });
  if (status !== 0) throw new Error(`${compiler} failed: ${stderr}`);
}

/** A directory that is removed at the end of the process. */
export function temporaryDirectory(): string {
  const path = mkdtempSync(join(tmpdir(), "shmkit-test-"));
  temporary.push(path);
  return path;
}
