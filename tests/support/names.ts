/**
 * Names of shared objects that no other test uses, and their removal.
 *
 * @module
 */

import { afterEach } from "bun:test";
import { spawnSync } from "node:child_process";
import { closeSync, constants, openSync, readdirSync, readlinkSync, rmSync } from "node:fs";

const PREFIX = `shmkit-test-${process.pid}-`;
let count = 0;

/** A name that nobody else uses. Whatever is left under it is removed after the test. */
export function uniqueName(): string {
  return `${PREFIX}${count++}`;
}

/** The files of this test process in the shared-memory directory. */
export function ownFiles(): string[] {
  return readdirSync("/dev/shm").filter((name) => name.replace(/^sem\./, "").startsWith(PREFIX));
}

/** What descriptors of this process lead to, as far as it is in the shared-memory directory. */
export function openFiles(): string[] {
  return readdirSync("/proc/self/fd").map((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      return ""; // that of the directory which was just read
    }
  }).filter((path) => path.startsWith("/dev/shm/")).sort();
}

/** Removes the mailboxes of killed peers: those that nobody reads. */
function removeMailboxes(): void {
  for (const name of readdirSync("/dev/shm")) {
    if (!name.startsWith("shmkit-mailbox-")) continue;
    try {
      closeSync(openSync(`/dev/shm/${name}`, constants.O_WRONLY | constants.O_NONBLOCK));
    } catch (error) {
      if ((error as { code?: string }).code === "ENXIO") {
        rmSync(`/dev/shm/${name}`, { force: true });
      }
    }
  }
}

/** To be called once by each test file that uses names. */
export function cleanUpNames(): void {
  afterEach(() => {
    removeMailboxes();
    for (const name of ownFiles()) rmSync(`/dev/shm/${name}`, { recursive: true, force: true });
    // The runtimes' own functions cannot say a name that is no UTF-8.
    if (ownFiles().length > 0) {
      const own = ["/dev/shm", "-maxdepth", "1", "-name", `*${PREFIX}*`];
      spawnSync("find", [...own, "-delete"], { env: { ...process.env, LC_ALL: "C" } });
    }
  });
}
