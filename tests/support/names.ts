/**
 * Names of shared objects that no other test uses, and their removal.
 *
 * @module
 */

import { afterEach } from "bun:test";
import { readdirSync, rmSync } from "node:fs";

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

/** To be called once by each test file that uses names. */
export function cleanUpNames(): void {
  afterEach(() => {
    for (const name of ownFiles()) rmSync(`/dev/shm/${name}`, { recursive: true, force: true });
  });
}
