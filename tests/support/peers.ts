/**
 * Other processes as peers: runtimes and compiled C programs, spoken to line by line.
 *
 * @module
 */

import { afterAll } from "bun:test";
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";
import type { RuntimeCommand } from "./runtimes.ts";

/** How a peer ended. */
export interface Exit {
  readonly code: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** How a peer is started. */
export interface PeerOptions {
  /** After this time it is killed, and whatever waits for it fails: 30 s by default. */
  readonly timeoutMs?: number;
  /** Environment variables on top of those of this process. */
  readonly env?: Readonly<Record<string, string>>;
  /** What precedes the command, as in `["unshare", "-m", ...]`. */
  readonly wrapper?: readonly string[];
}

const live = new Set<ChildProcessWithoutNullStreams>();

/** The numbers of all processes that were started, whether or not they are still there. */
export const startedPids: Set<number> = new Set();

// Of its end `deno test` tells nobody, and Bun loads this file once for all files of tests.
function killAll(): void {
  for (const child of live) child.kill("SIGKILL");
}
afterAll(killAll);
process.on("exit", killAll);

/** A running process. Disposing of it kills it. */
export class Peer implements AsyncDisposable {
  readonly pid: number;
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #exit: Promise<Exit>;
  readonly #lines: string[] = [];
  #unread = "";
  #ended = false;
  #wake: () => void = () => {};
  #stdout = "";
  #stderr = "";

  constructor(command: readonly string[], options: PeerOptions = {}) {
    const [program, ...args] = [...options.wrapper ?? [], ...command] as [string, ...string[]];
    const child = spawn(program, args, { stdio: "pipe", env: { ...process.env, ...options.env } });
    this.#child = child;
    live.add(child);
    this.pid = child.pid ?? -1;
    startedPids.add(this.pid);
    const watchdog = setTimeout(() => {
      this.#stderr += `\nkilled by the watchdog: ${command.join(" ")}`;
      this.kill();
    }, options.timeoutMs ?? 30_000);

    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      this.#stdout += text;
      const lines = (this.#unread + text).split("\n");
      this.#unread = lines.pop() as string;
      this.#lines.push(...lines);
      this.#wake();
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => this.#stderr += text);
    child.stdin.on("error", () => {}); // it may be gone already
    this.#exit = new Promise((resolve, reject) => {
      child.on("error", reject);
      child.on("close", (code, signal) => {
        clearTimeout(watchdog);
        live.delete(child);
        this.#ended = true;
        this.#wake();
        resolve({ code, signal, stdout: this.#stdout, stderr: this.#stderr });
      });
    });
  }

  /** The next line that the peer prints. Fails when it ends before. */
  async line(): Promise<string> {
    while (this.#lines.length === 0) {
      if (this.#ended) {
        const { code, signal, stderr } = await this.#exit;
        throw new Error(`The peer ended with ${signal ?? code} instead of answering: ${stderr}`);
      }
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
    return this.#lines.shift() as string;
  }

  /** Sends a line to the peer's standard input. */
  send(line: string): void {
    this.#child.stdin.write(`${line}\n`);
  }

  kill(signal: NodeJS.Signals = "SIGKILL"): void {
    // Not by the runtime's own function, of which one sends nothing more after the first signal.
    if (this.pid <= 1 || this.#ended) return;
    try {
      process.kill(this.pid, signal);
    } catch (error) {
      // It has ended, and this process is about to be told.
      if ((error as { code?: string }).code !== "ESRCH") throw error;
    }
  }

  /** How it ends. Closes its standard input, which tells the peers of these tests to end. */
  async exit(): Promise<Exit> {
    this.#child.stdin.end();
    return await this.#exit;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.kill();
    await this.#exit;
  }
}

/** Starts a script of `tests/peers/` in a runtime. */
export function startPeer(
  runtime: RuntimeCommand,
  script: string,
  args: readonly (string | number)[] = [],
  options: PeerOptions = {},
): Peer {
  const path = fileURLToPath(new URL(`../peers/${script}`, import.meta.url));
  return new Peer([...runtime.command, path, ...args.map(String)], options);
}

/** Runs a script of `tests/peers/` to its end; fails unless it exits with 0. */
export async function runPeer(
  runtime: RuntimeCommand,
  script: string,
  args: readonly (string | number)[] = [],
  options: PeerOptions = {},
): Promise<string> {
  return await succeed(startPeer(runtime, script, args, options));
}

/** Waits for the end of a process; fails unless it exits with 0. @returns What it printed. */
export async function succeed(peer: Peer): Promise<string> {
  const { code, signal, stdout, stderr } = await peer.exit();
  if (code !== 0) throw new Error(`The peer ended with ${signal ?? code}: ${stdout}${stderr}`);
  return stdout;
}
