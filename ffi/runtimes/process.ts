/**
 * What the two runtimes with Node's `process` have in common.
 *
 * @module
 */

import type { BackgroundCall } from "./runtime.ts";

/** A thread of `node:worker_threads`, as far as it is used. */
interface Worker {
  postMessage(message: unknown): void;
  on(event: "message", listener: (message: { result?: number; error?: string }) => void): void;
  on(event: "error", listener: (error: Error) => void): void;
  ref(): void;
  unref(): void;
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
 * Makes a native call that runs on a worker thread, started at the first call and kept.
 *
 * The worker is made from source text, because a file of its own would be missing from bundles and
 * single-file executables. It holds the process only while a call is under way.
 *
 * @param process The runtime's `process`.
 * @param bindSource An expression that gives the native function, to be evaluated in the worker.
 */
export function workerCall(process: Process, bindSource: string): BackgroundCall {
  type Settle = { resolve: (result: number) => void; reject: (error: Error) => void };
  const pending: Settle[] = [];
  let worker: Worker | undefined;

  const start = (): Worker => {
    const { Worker } = process.getBuiltinModule?.("node:worker_threads") as {
      Worker: new (source: string, options: { eval: true; execArgv: string[] }) => Worker;
    };
    const started = new Worker(
      `const { parentPort } = process.getBuiltinModule("node:worker_threads");
       const call = ${bindSource};
       parentPort.on("message", (args) => {
         try {
           parentPort.postMessage({ result: call(...args) });
         } catch (error) {
           parentPort.postMessage({ error: String(error) });
         }
       });`,
      { eval: true, execArgv: [] },
    );
    started.on("message", ({ result, error }) => {
      const settle = pending.shift();
      if (pending.length === 0) started.unref();
      if (error === undefined) settle?.resolve(result as number);
      else settle?.reject(new Error(error));
    });
    started.on("error", (error) => {
      worker = undefined;
      for (const settle of pending.splice(0)) settle.reject(error);
    });
    return started;
  };

  return (...args) => {
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    worker ??= start();
    pending.push({ resolve, reject });
    worker.ref();
    worker.postMessage(args);
    return promise;
  };
}
