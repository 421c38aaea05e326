#!/usr/bin/env node
/**
 * The `shm` command: looks after the shared memory of this machine.
 *
 * This is a program: importing it runs it. `shm --help` says what it does.
 *
 * ```sh
 * deno run --allow-ffi jsr:@shmkit/shmkit/cli ls
 * bunx shmkit ls
 * npx shmkit ls
 * ```
 *
 * It decides where to run, and nothing else: a package's binary is started by whatever `node` is
 * first on the path, which may be too old for native calls. So this file and what it imports
 * statically has to be understood by runtimes that the library does not support.
 *
 * @module
 */

import host from "node:process";
import { canCallNatively } from "../ffi/mod.ts";
import { relaunch } from "./relaunch.ts";

async function start(): Promise<void> {
  hideExperimentalWarnings();
  const args = host.argv.slice(2);
  if (!canCallNatively()) {
    host.exitCode = await relaunch(args);
    return;
  }
  const { main } = await import("./main.ts");
  host.exitCode = await main(args);
}

/** That the runtime's native calls are new is of no use to who has asked for a table. */
function hideExperimentalWarnings(): void {
  const listeners = host.listeners("warning");
  if (listeners.length === 0) return; // they are turned off, or this runtime has none
  host.removeAllListeners("warning");
  host.on("warning", (warning) => {
    if (warning.name === "ExperimentalWarning") return;
    for (const listener of listeners) listener.call(host, warning);
  });
}

void start();
