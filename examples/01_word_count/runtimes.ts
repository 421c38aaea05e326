/**
 * Which runtimes are there, and how a worker is started in each.
 *
 * @module
 */

import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

/** A runtime that workers can be started in. */
export interface Runtime {
  readonly name: Name;
  readonly version: string;
  /** What precedes the path of the script. */
  readonly command: readonly [program: string, ...args: string[]];
}

type Name = "bun" | "deno" | "node";

const NAMES = ["bun", "deno", "node"] as const;

/** The first versions with the FFI that is needed, without a flag. */
const FIRST_VERSIONS: Readonly<Record<Name, readonly [major: number, minor: number]>> = {
  bun: [1, 4],
  deno: [2, 8],
  node: [26, 9],
};

const ARGUMENTS: Readonly<Record<Name, readonly string[]>> = {
  bun: [],
  deno: ["run", "--allow-ffi"], // no other permission
  node: ["--disable-warning=ExperimentalWarning"],
};

/** Where to look: in this checkout, if anything was installed there, then on the path. */
const FOLDERS: readonly string[] = [
  fileURLToPath(new URL("../../node_modules/.bin", import.meta.url)),
  ...(process.env["PATH"] ?? "").split(delimiter).filter((folder) => folder !== ""),
];

/**
 * Gives each worker a runtime: in turn that of this process, and one of each other kind that is
 * there and new enough.
 */
export function assignRuntimes(workerCount: number): Runtime[] {
  const own = ownRuntime();
  const others = NAMES.filter((name) => name !== own.name).map(findRuntime);
  const found = [own, ...others.filter((runtime) => runtime !== undefined)];
  return Array.from({ length: workerCount }, (_, index) => found[index % found.length] as Runtime);
}

function ownRuntime(): Runtime {
  const name = NAMES.find((name) => name !== "node" && name in process.versions) ?? "node";
  return runtimeOf(name, process.execPath, process.versions[name] as string);
}

function findRuntime(name: Name): Runtime | undefined {
  for (const folder of FOLDERS) {
    const program = join(folder, name);
    if (!existsSync(program)) continue;
    const version = versionOf(program);
    if (version !== undefined && isNewEnough(name, version)) {
      return runtimeOf(name, program, version);
    }
  }
  return undefined;
}

function runtimeOf(name: Name, program: string, version: string): Runtime {
  return { name, version, command: [program, ...ARGUMENTS[name]] };
}

/** Asks a program: `1.4.5`, `deno 2.9.5 (stable, ...)` and `v26.10.0` are the answers. */
function versionOf(program: string): string | undefined {
  const { stdout } = spawnSync(program, ["--version"], { encoding: "utf8", timeout: 5000 });
  return /\d+\.\d+\.\d+/.exec(stdout ?? "")?.[0];
}

function isNewEnough(name: Name, version: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const [firstMajor, firstMinor] = FIRST_VERSIONS[name];
  return major > firstMajor || (major === firstMajor && minor >= firstMinor);
}
