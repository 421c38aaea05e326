/**
 * Running the program in another runtime, because this one cannot call native functions.
 *
 * @module
 */

import { spawn, spawnSync } from "node:child_process";
import { realpathSync } from "node:fs";
import { constants } from "node:os";
import { delimiter, join } from "node:path";
import host from "node:process";
import { hosts, runtimeServices } from "../ffi/mod.ts";

/** Set for the program that is started, which must not start another. */
const GUARD = "SHMKIT_RELAUNCHED";
/** As `exit_codes.ts` has it, which this file must not import: see `mod.ts`. */
const UNSUPPORTED = 3;

/** The verb that imports modules of the user. */
const READER = "layout";

const PROBE_TIMEOUT_MS = 10_000;
/** Signals that are passed on. The first comes from a terminal, which sends it to both. */
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"] as const;

/**
 * Finds a runtime and runs the program in it, with the same standard streams.
 *
 * @returns Its exit code, or 3 when there is no such runtime.
 */
export async function relaunch(args: readonly string[]): Promise<number> {
  const script = host.argv[1];
  const command = host.env[GUARD] === undefined && script !== undefined
    ? find(args[0] === READER)
    : undefined;
  if (command !== undefined) {
    return await run([...command, realpathSync(script as string), ...args]);
  }
  const message = whyNot();
  const asJson = args.includes("--json");
  const error = { code: "ERR_SHM_UNSUPPORTED", message };
  host.stderr.write(asJson ? `${JSON.stringify({ error })}\n` : `shm: ${message}\n`);
  return UNSUPPORTED;
}

function whyNot(): string {
  try {
    runtimeServices();
    return "";
  } catch (error) {
    return (error as Error).message;
  }
}

/** The command of a runtime that is new enough, without the script. */
function find(readsFiles: boolean): readonly string[] | undefined {
  const agent = host.env["npm_config_user_agent"] ?? "";
  const directories = (host.env["PATH"] ?? "").split(delimiter).filter((path) => path !== "");
  for (const { name, version, args, readArgs } of hosts) {
    const starter = agent.startsWith(`${name}/`) ? host.env["npm_execpath"] : undefined;
    const inPath = directories.map((directory) => join(directory, name));
    const seen = new Set<string>([host.execPath]);
    for (const program of starter === undefined ? inPath : [starter, ...inPath]) {
      const path = realPath(program);
      if (path === undefined || seen.has(path)) continue;
      seen.add(path);
      if (isAtLeast(program, version)) return [program, ...args, ...(readsFiles ? readArgs : [])];
    }
  }
  return undefined;
}

function realPath(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    return undefined;
  }
}

function isAtLeast(program: string, [major, minor]: readonly [number, number]): boolean {
  const { stdout } = spawnSync(program, ["--version"], {
    encoding: "utf8",
    timeout: PROBE_TIMEOUT_MS,
    stdio: ["ignore", "pipe", "ignore"],
    env: { ...host.env, [GUARD]: "1" },
  });
  const found = /(\d+)\.(\d+)\.\d+/.exec(stdout ?? "");
  if (found === null) return false;
  const [foundMajor, foundMinor] = [Number(found[1]), Number(found[2])];
  return foundMajor > major || (foundMajor === major && foundMinor >= minor);
}

/** Runs a command in place of this program, as far as that can be done. */
function run([program, ...args]: readonly string[]): Promise<number> {
  return new Promise((resolve) => {
    const child = spawn(program as string, args, {
      stdio: "inherit",
      env: { ...host.env, [GUARD]: "1" },
    });
    const listeners = SIGNALS.map((signal) => {
      const listener = () => {
        if (signal !== "SIGINT" || host.stdin.isTTY !== true) child.kill(signal);
      };
      host.on(signal, listener);
      return [signal, listener] as const;
    });
    const finish = (code: number) => {
      for (const [signal, listener] of listeners) host.removeListener(signal, listener);
      resolve(code);
    };
    child.on("error", (error) => {
      host.stderr.write(`shm: Cannot start ${program}: ${error.message}\n`);
      finish(UNSUPPORTED);
    });
    child.on("exit", (code, signal) => {
      finish(code ?? 128 + (constants.signals[signal as keyof typeof constants.signals] ?? 0));
      if (signal !== null) host.kill(host.pid, signal); // so that a shell sees the same
    });
  });
}
