/**
 * What the runtimes have in common because they offer Node's `process` and its worker threads.
 *
 * @module
 */

import { ShmError } from "../../errors.ts";
import type { Address, BackgroundThread, DescriptorWatch } from "./runtime.ts";

/** A thread of `node:worker_threads`, as far as it is used. */
interface Worker {
  postMessage(message: unknown): void;
  on(event: "message", listener: (message: string | undefined) => void): void;
  on(event: "error", listener: (error: Error) => void): void;
  ref(): void;
  unref(): void;
}

/** A socket of `node:net`, as far as it is used. */
interface Socket {
  on(event: "data" | "error", listener: () => void): void;
  ref(): void;
  unref(): void;
  destroy(): void;
}

/** The part of Node's `process` that is used. */
export interface Process {
  readonly platform: string;
  readonly arch: string;
  readonly versions: Readonly<Record<string, string | undefined>>;
  getBuiltinModule?(id: string): unknown;
  on(event: "exit", listener: () => void): void;
  emitWarning(message: string, type: string): void;
}

/** Node's names of operating systems and CPUs as `platforms/` has them. */
export function platformName(process: Process): string {
  const cpus: Record<string, string> = { x64: "x86_64", arm64: "aarch64" };
  return `${process.platform}-${cpus[process.arch] ?? process.arch}`;
}

/**
 * Watches a FIFO as a socket, which any stream is to libuv. The socket owns the descriptor: it closes
 * it when it is destroyed, and after an error. (When a worker thread is terminated, Node closes it as
 * well; the others leak it, as every descriptor.)
 */
export function watchSocket(
  process: Process,
  fd: number,
  onReadable: () => void,
): DescriptorWatch {
  const { Socket } = process.getBuiltinModule?.("node:net") as {
    Socket: new (options: { fd: number; readable: true; writable: false }) => Socket;
  };
  const socket = new Socket({ fd, readable: true, writable: false });
  socket.on("error", () => {}); // no more is told: those who wait look again by themselves
  socket.on("data", onReadable);
  socket.unref();
  return {
    ref: () => socket.ref(),
    unref: () => socket.unref(),
    close: () => socket.destroy(),
  };
}

/** Closes a descriptor that no stream owns. */
export function closeDescriptor(process: Process, fd: number): void {
  const { closeSync } = process.getBuiltinModule?.("node:fs") as { closeSync(fd: number): void };
  closeSync(fd);
}

/** How a worker gets at native functions. */
export interface WorkerBinding {
  /** An expression that gives the functions by name, to be evaluated in the worker. */
  readonly functions: string;
  /** The name of the function that undoes a call. */
  readonly undo: string;
  /** Turns an argument into what can be posted. */
  readonly toMessage: (value: number | Address) => unknown;
  /** An expression of a function that turns it back. */
  readonly toNative: string;
}

/** Longer than the call in which a run may be: how long the end of a process is held up at most. */
const FINISH_MS = 200;

/**
 * Who has the result of a run: each side moves it on by compare-exchange from `RUNNING`, so that
 * a call that has succeeded belongs to exactly one of them, at once and without a message.
 *
 *     RUNNING -> TAKEN      by the worker, when a call has succeeded
 *     RUNNING -> STOPPED    by the main thread: the worker undoes whatever succeeds from now on
 *     TAKEN   -> STOPPED    by the main thread, which has the result now: at the worker's message,
 *                           or before, by stop()
 */
const RUNNING = 0;
const TAKEN = 1;
const STOPPED = 2;

/**
 * Makes a worker thread for native calls, started at the first run and kept.
 *
 * The worker is made from source text, because a file of its own would be missing from bundles and
 * single-file executables.
 */
export function workerThread(process: Process, binding: WorkerBinding): BackgroundThread {
  /**
   * Word 0: the state. Word 1: the index of the call that succeeded, written before `TAKEN`.
   * Word 2: 1 from the start of a run until the worker has nothing more to do with it.
   */
  const shared = new Int32Array(new SharedArrayBuffer(12));
  let worker: Worker | undefined;
  let settle: PromiseWithResolvers<number> | undefined;

  const start = (): Worker => {
    const { Worker } = process.getBuiltinModule?.("node:worker_threads") as {
      Worker: new (source: string, options: { eval: true; workerData: unknown }) => Worker;
    };
    const started = startWorker(Worker, workerSource(binding), shared);
    started.on("message", (error) => {
      started.unref();
      const taken = Atomics.compareExchange(shared, 0, TAKEN, STOPPED) === TAKEN;
      if (error !== undefined) settle?.reject(new Error(error));
      else settle?.resolve(taken ? Atomics.load(shared, 1) : -1);
    });
    started.on("error", (error) => {
      worker = undefined;
      settle?.reject(error);
    });
    return started;
  };

  return {
    run(calls) {
      Atomics.store(shared, 0, RUNNING);
      Atomics.store(shared, 2, 1);
      settle = Promise.withResolvers<number>();
      worker ??= start();
      worker.ref();
      worker.postMessage(calls.map(([name, ...args]) => [name, ...args.map(binding.toMessage)]));
      return settle.promise;
    },
    stop() {
      const state = Atomics.exchange(shared, 0, STOPPED);
      return state === TAKEN ? Atomics.load(shared, 1) : -1;
    },
    finish() {
      Atomics.wait(shared, 2, 1, FINISH_MS);
    },
  };
}

function startWorker(
  Worker: new (source: string, options: { eval: true; workerData: unknown }) => Worker,
  source: string,
  workerData: unknown,
): Worker {
  try {
    return new Worker(source, { eval: true, workerData });
  } catch (error) {
    if ((error as { code?: string }).code !== "ERR_ACCESS_DENIED") throw error;
    throw new ShmError(
      "Cannot wait without blocking: it takes a worker thread, for which this process was started " +
        "without permission. Start it with --allow-worker too.",
      { code: "ERR_SHM_PERMISSION", cause: error },
    );
  }
}

function workerSource({ functions, undo, toNative }: WorkerBinding): string {
  return `
    const { parentPort, workerData: shared } = process.getBuiltinModule("node:worker_threads");
    const toNative = ${toNative};
    let functions;
    const run = (calls) => {
      functions ??= ${functions};
      for (let index = 0; index < calls.length; index++) {
        if (Atomics.load(shared, 0) !== ${RUNNING}) return;
        const [name, ...values] = calls[index];
        const args = values.map(toNative);
        if (functions[name](...args) !== 0) continue;
        Atomics.store(shared, 1, index);
        if (Atomics.compareExchange(shared, 0, ${RUNNING}, ${TAKEN}) !== ${RUNNING}) {
          functions.${undo}(args[0]);
        }
        return;
      }
    };
    parentPort.on("message", (calls) => {
      try {
        run(calls);
        parentPort.postMessage(undefined);
      } catch (error) {
        parentPort.postMessage(String(error));
      } finally {
        Atomics.store(shared, 2, 0); // pairs with the wait in finish()
        Atomics.notify(shared, 2);
      }
    });`;
}
