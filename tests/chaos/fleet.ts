/**
 * Starts the workers of a chaos run, and strikes them.
 *
 * @module
 */

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { compile, temporaryDirectory } from "../support/c.ts";
import { RUNTIMES } from "../support/runtimes.ts";
import { type ScenarioName, scenarios } from "./scenarios.ts";

/** What is done to the workers: see {@linkcode ChaosOptions}. */
export type Mode = "kill" | "terminate" | "stop" | "namespaces" | "c";

/** What a worker is to do. */
export interface Job {
  readonly task: "work" | "threads" | "beat";
  readonly scenario: ScenarioName;
  /** The name of the object. */
  readonly object: string;
  /** Where it says in the object what it does. */
  readonly place: number;
  /** How many work at a time. */
  readonly count: number;
  readonly seed: number;
}

/** A worker. */
export interface Member {
  readonly place: number;
  readonly name: string;
  /** Of a thread, the process that it is in. */
  readonly hostPid?: number;
  /** The process that does the work, as far as it has one. */
  pids(): readonly number[];
  /** Ends it, whatever it is doing. @returns When it is gone. */
  strike(): Promise<void>;
  /** @returns When it stands still. */
  pause(): Promise<void>;
  resume(): void;
  /** Fulfilled when it has ended, of itself or not. */
  readonly end: Promise<unknown>;
}

const bun = fileURLToPath(new URL("../../node_modules/.bin/bun", import.meta.url));
const pathOf = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));

let bundled: string | undefined;

/** The workers' program in one file, which starts in a fraction of the time. */
function bundle(): string {
  if (bundled !== undefined) return bundled;
  bundled = join(temporaryDirectory(), "worker.mjs");
  const args = [
    "build",
    "--target=node",
    "--format=esm",
    pathOf("worker.ts"),
    "--outfile",
    bundled,
  ];
  const { status, stderr } = spawnSync(bun, args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`bun build failed: ${stderr}`);
  return bundled;
}

const programs = new Map<ScenarioName, string>();

/** The worker in C, for what shmkit.h has. */
function programInC(name: ScenarioName): string {
  const known = programs.get(name);
  if (known !== undefined) return known;
  const program = join(temporaryDirectory(), "chaos_worker");
  const header = scenarios[name].layout.toC();
  const isKnown = name === "mutex" || name === "event";
  if (!isKnown) throw new Error(`There is no worker in C for ${name}`);
  const flags = [
    "-std=gnu11",
    "-O2",
    "-Wall",
    "-Wextra",
    "-Werror",
    "-D_GNU_SOURCE",
    `-DCHAOS_${name}`,
  ];
  const folders = [`-I${pathOf("../../interop/c")}`];
  const source = `${header}\n${readFileSync(pathOf("../c/chaos_worker.c"), "utf8")}`;
  compile("cc", [...flags, ...folders, "-x", "c", "-", "-o", program], source);
  programs.set(name, program);
  return program;
}

/** All processes of a run. */
export class Fleet {
  readonly #mode: Mode;
  readonly #report: (text: string) => void;
  readonly #children = new Set<ChildProcess>();
  readonly #hosts: { child: ChildProcess; name: string; ended: Map<number, () => void> }[] = [];
  #starts = 0;
  #isEnding = false;

  /** @param report Told whatever should not be. */
  constructor(mode: Mode, report: (text: string) => void) {
    this.#mode = mode;
    this.#report = report;
  }

  start(job: Job): Member {
    if (this.#mode === "terminate") return this.#startThread(job);
    const start = this.#starts++;
    if (this.#mode === "c" && start % 2 === 0) {
      const { object, place, count, seed } = job;
      return this.#startProcess(
        "c",
        [programInC(job.scenario), ...[object, place, count, seed].map(String)],
        job,
      );
    }
    const { name, command } = RUNTIMES[start % RUNTIMES.length] as typeof RUNTIMES[number];
    const wrapper = this.#mode === "namespaces"
      ? ["unshare", "--pid", "--fork", "--kill-child", "--"]
      : [];
    return this.#startProcess(name, [...wrapper, ...command, bundle(), JSON.stringify(job)], job);
  }

  /** From now on they may end. */
  expectEnd(): void {
    this.#isEnding = true;
  }

  /** Ends what is left. */
  async end(): Promise<void> {
    this.#isEnding = true;
    await Promise.all([...this.#children].map((child) => {
      const end = new Promise((resolve) => child.on("exit", resolve));
      if (child.exitCode !== null || child.signalCode !== null) return;
      signal(child.pid as number, "SIGCONT");
      for (const pid of childrenOf(child.pid as number)) signal(pid, "SIGKILL");
      signal(child.pid as number, "SIGKILL");
      return end;
    }));
  }

  #spawn(name: string, command: readonly string[], onLine: (line: string) => void): ChildProcess {
    const [program, ...args] = command as [string, ...string[]];
    const child = spawn(program, args, { stdio: ["pipe", "pipe", "pipe"] });
    this.#children.add(child);
    child.stdin.on("error", () => {});
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      for (const line of text.split("\n")) if (line !== "") onLine(line);
    });
    let errors = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => errors += text);
    child.on("close", () => {
      // unshare(1) says this, wrongly, of a child that was killed.
      const [first, ...more] = errors.trim().split(/^unshare: sigprocmask .*$/m);
      for (const text of [first, ...more]) if (text) this.#report(`${name}: ${text}`);
    });
    child.on("exit", () => this.#children.delete(child));
    return child;
  }

  #startProcess(name: string, command: readonly string[], { place }: Job): Member {
    const child = this.#spawn(name, command, (line) => this.#report(`${name}: ${line}`));
    let isStruck = false;
    const end = new Promise<void>((resolve) =>
      child.on("exit", (code, by) => {
        if (!isStruck && !this.#isEnding) this.#report(`${name} ended by itself: ${by ?? code}`);
        resolve();
      })
    );
    const pid = child.pid as number;
    const pids = () => this.#mode === "namespaces" ? childrenOf(pid) : [pid];
    return {
      place,
      name,
      end,
      pids,
      strike: async () => {
        isStruck = true;
        const victims = pids();
        if (victims.length === 0) this.#report(`${name} has no process in its namespace`);
        for (const victim of victims) signal(victim, "SIGKILL");
        await end;
      },
      pause: async () => {
        signal(pid, "SIGSTOP");
        while (!/\) [TZX] /.test(readFileSync(`/proc/${pid}/stat`, "latin1"))) {
          await new Promise((resolve) => setTimeout(resolve, 1));
        }
      },
      resume: () => signal(pid, "SIGCONT"),
    };
  }

  #startThread(job: Job): Member {
    const host = this.#host(job);
    const { child, name, ended } = host;
    child.stdin?.write(`${JSON.stringify({ start: job })}\n`);
    const end = new Promise<void>((resolve) => ended.set(job.place, resolve));
    return {
      place: job.place,
      name,
      end,
      pids: () => [],
      hostPid: child.pid as number,
      strike: async () => {
        child.stdin?.write(`${JSON.stringify({ terminate: job.place })}\n`);
        await end;
      },
      pause: () => Promise.reject(new Error("A thread cannot be stopped")),
      resume: () => {},
    };
  }

  /** Has three processes with threads, one of each runtime, in turns. */
  #host(job: Job) {
    const start = this.#starts++ % RUNTIMES.length;
    const known = this.#hosts[start];
    if (known !== undefined) return known;
    const { name, command } = RUNTIMES[start] as typeof RUNTIMES[number];
    const args = command.map((arg) =>
      arg === "--allow-ffi" ? ["--allow-ffi", "--allow-read"] : [arg]
    );
    const ended = new Map<number, () => void>();
    const task = JSON.stringify({ ...job, task: "threads" });
    const child = this.#spawn(name, [...args.flat(), bundle(), task], (line) => {
      const [, place] = /^ENDED (\d+)$/.exec(line) ?? [];
      if (place === undefined) this.#report(`${name}: ${line}`);
      else ended.get(Number(place))?.();
    });
    child.on("exit", (code, by) => {
      if (!this.#isEnding) this.#report(`${name} ended by itself: ${by ?? code}`);
      for (const resolve of ended.values()) resolve();
    });
    return this.#hosts[start] = { child, name, ended };
  }

  /** Starts what tells how busy the machine is. @returns The process. */
  beat(job: Job): number {
    const command = [bun, bundle(), JSON.stringify({ ...job, task: "beat" })];
    return this.#spawn("beat", command, (line) => this.#report(`beat: ${line}`)).pid as number;
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It is gone already.
  }
}

/** The children of a process, as this process sees them. */
function childrenOf(pid: number): number[] {
  try {
    const text = readFileSync(`/proc/${pid}/task/${pid}/children`, "latin1");
    return text.split(" ").filter((each) => each !== "").map(Number);
  } catch {
    return [];
  }
}
