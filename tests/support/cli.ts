/**
 * The `shm` command as a process.
 *
 * @module
 */

import { afterEach } from "bun:test";
import { spawnSync } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { SystemVSegment } from "../../mod.ts";
import { HOST } from "./runtimes.ts";

const program = fileURLToPath(new URL("../../cli/mod.ts", import.meta.url));
const terminal = fileURLToPath(new URL("../python/terminal.py", import.meta.url));

const TIMEOUT_MS = 30_000;

/** The command that runs `shm` in the runtime of this test, where Deno has `--allow-ffi` only. */
export const SHM: readonly [string, ...string[]] = [...HOST.command, program];

/** How the program ended. */
export interface Run {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Standard output, unread. */
  readonly bytes: Uint8Array;
}

/** How the program is run. */
export interface RunOptions {
  /** What it reads: nothing by default. */
  readonly input?: string | Uint8Array;
  /** Environment variables on top of those of this process. */
  readonly env?: Readonly<Record<string, string>>;
  /** The command, where it is another one. */
  readonly command?: readonly string[];
}

/** Runs `shm` to its end. */
export function shm(args: readonly string[], options: RunOptions = {}): Run {
  const [file, ...first] = (options.command ?? SHM) as [string, ...string[]];
  const { status, signal, stdout, stderr, error } = spawnSync(file, [...first, ...args], {
    input: options.input ?? "",
    env: { ...process.env, NO_COLOR: undefined, ...options.env },
    timeout: TIMEOUT_MS,
    maxBuffer: 2 ** 28,
  });
  if (error !== undefined) throw error;
  if (signal !== null) throw new Error(`shm ${args.join(" ")} was ended by ${signal}: ${stderr}`);
  return { code: status, stdout: String(stdout), stderr: String(stderr), bytes: stdout };
}

/** Runs `shm`; fails with what it says unless it exits with 0. @returns What it printed. */
export function shmOk(args: readonly string[], options?: RunOptions): string {
  const { code, stdout, stderr } = shm(args, options);
  if (code === 0 && stderr === "") return stdout;
  throw new Error(`shm ${args.join(" ")} ended with ${code}: ${stdout}${stderr}`);
}

/** Runs `shm ... --json`. @returns The document. */
export function shmJson<T>(args: readonly string[], options?: RunOptions): T {
  return JSON.parse(shmOk([...args, "--json"], options)) as T;
}

/** A step of a user at a terminal: see `terminal.py`. */
export type Step =
  | readonly ["expect" | "run" | "send" | "signal", string]
  | readonly ["resize", number, number];

/** What came of a program on a terminal. */
export interface Session {
  readonly output: string;
  readonly code: number | null;
  readonly restored: boolean;
  readonly missing: string | null;
}

/** What a terminal is like, besides the program. */
export interface TerminalOptions {
  readonly rows?: number;
  readonly columns?: number;
  readonly env?: Readonly<Record<string, string | null>>;
  readonly command?: readonly string[];
}

/** Runs `shm` on a pseudo-terminal. */
export function onTerminal(
  args: readonly string[],
  steps: readonly Step[],
  { rows = 24, columns = 100, env, command = SHM }: TerminalOptions = {},
): Session {
  const task = {
    command: [...command, ...args],
    rows,
    columns,
    env: { NO_COLOR: null, TERM: "xterm", ...env },
    steps,
  };
  const { stdout, stderr, status } = spawnSync("python3", [terminal, JSON.stringify(task)], {
    encoding: "utf8",
    timeout: 60_000,
  });
  if (status !== 0) throw new Error(`terminal.py failed: ${stderr}`);
  return JSON.parse(stdout) as Session;
}

const systemV: number[] = [];
// Of the end of a file `deno test` tells nobody.
process.on("exit", removeSystemV);

/** Has a System V segment removed after the test. @returns Its id. */
export function removeLater(target: string): number {
  const id = Number(target.replace("id:", ""));
  systemV.push(id);
  return id;
}

function removeSystemV(): void {
  for (const id of systemV.splice(0)) SystemVSegment.remove({ id });
}

/** To be called once by each test file that makes System V segments. */
export function cleanUpSystemV(): void {
  afterEach(removeSystemV);
}
