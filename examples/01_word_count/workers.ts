/**
 * Worker processes: started, watched, and never left behind.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { END_OF_TABLE } from "./counts.ts";
import type { Runtime } from "./runtimes.ts";

const SCRIPT = fileURLToPath(new URL("./worker.ts", import.meta.url));

/** One worker process. */
export class Worker {
  readonly index: number;
  readonly runtime: Runtime;
  /** Fulfilled when it has printed something, or has ended. */
  readonly started: Promise<void>;
  /** Fulfilled when it has printed a whole table, or has ended. */
  readonly answered: Promise<void>;
  /** Fulfilled when it has ended, in whatever way. */
  readonly ended: Promise<void>;
  running = true;
  hasAnswered = false;
  /** How it ended, as in `was ended by SIGKILL`. */
  ending = "";
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #output: Buffer[] = [];

  constructor(runtime: Runtime, index: number, args: readonly string[]) {
    this.index = index;
    this.runtime = runtime;
    const [program, ...options] = runtime.command;
    // In a process group of its own: Ctrl-C in a terminal goes to the whole group in front, and it
    // is the parent's to say what happens then.
    const child = spawn(program, [...options, SCRIPT, ...args], { detached: true });
    this.#child = child;

    const started = Promise.withResolvers<void>();
    const answered = Promise.withResolvers<void>();
    const ended = Promise.withResolvers<void>();
    this.started = Promise.race([started.promise, ended.promise]);
    this.answered = Promise.race([answered.promise, ended.promise]);
    this.ended = ended.promise;
    let complaint = "";
    const end = (ending: string) => {
      running.delete(this);
      if (this.running) this.ending = ending;
      this.running = false;
      ended.resolve();
    };
    child.on("error", (error) => end(`could not be started: ${error.message}`));
    if (child.pid === undefined) return; // then nothing else of it is there
    running.add(this);
    child.on("close", (code, signal) => {
      const ending = signal === null ? `ended with exit code ${code}` : `was ended by ${signal}`;
      end(complaint === "" ? ending : `${ending}: ${complaint.trim()}`);
    });
    child.stdin.on("error", () => {}); // it has died: `ended` tells
    child.stderr.setEncoding("utf8").on("data", (text: string) => complaint += text);
    child.stdout.on("data", (bytes: Buffer) => {
      this.#output.push(bytes);
      started.resolve();
      if (bytes.at(-1) !== END_OF_TABLE) return;
      this.hasAnswered = true;
      answered.resolve();
    });
  }

  /** What it is called in messages. */
  get name(): string {
    return `worker ${this.index} (${this.runtime.name}, process ${this.#child.pid})`;
  }

  /** Everything that it has printed. */
  get output(): Buffer {
    return Buffer.concat(this.#output);
  }

  /** Sends bytes, and waits until they are in the pipe. @returns Whether they are. */
  async send(bytes: Uint8Array): Promise<boolean> {
    if (!this.running) return false;
    const sent = new Promise<boolean>((resolve) => {
      this.#child.stdin.write(bytes, (error) => resolve(error === undefined || error === null));
    });
    return await Promise.race([sent, this.ended.then(() => false)]);
  }

  /** Tells it that nothing more will be sent. */
  endInput(): void {
    if (this.running) this.#child.stdin.end();
  }

  /** Ends it at once, with the processes that it may have started. */
  kill(): void {
    const { pid } = this.#child;
    if (!this.running || pid === undefined || pid <= 1) return;
    try {
      process.kill(-pid, "SIGKILL");
    } catch {
      // It has ended by itself in this moment.
    }
  }
}

const running = new Set<Worker>();

/** Ends all workers, for those who have no hold of them. */
export function killAllWorkers(): void {
  for (const worker of running) worker.kill();
}

/** The workers of one count. Disposing of them ends those that still run. */
export class Team implements AsyncDisposable {
  readonly workers: readonly Worker[];

  /**
   * @param runtimes One for each worker.
   * @param args The arguments of a worker, by its number.
   */
  constructor(runtimes: readonly Runtime[], args: (index: number) => readonly string[]) {
    this.workers = runtimes.map((runtime, index) => new Worker(runtime, index, args(index)));
  }

  kill(): void {
    for (const worker of this.workers) worker.kill();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.kill();
    await Promise.all(this.workers.map(({ ended }) => ended));
  }
}
