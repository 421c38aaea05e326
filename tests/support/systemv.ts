/**
 * System V keys that no other test uses, and the removal of segments.
 *
 * @module
 */

import { afterEach } from "bun:test";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import process from "node:process";
import { startedPids } from "./peers.ts";

/** The upper half of a key is this process's number, as far as it fits. */
const PREFIX = 0x5a000000 + process.pid % 0x10000 * 0x100;
const startSeconds = Math.floor(Date.now() / 1000) - 1;
let count = 0;

/** A key that nobody else uses. Whatever is left under it is removed after the test. */
export function uniqueKey(): number {
  return PREFIX + count++ % 0x100;
}

/** Whether a key, as the kernel prints it, is one that `uniqueKey()` gives. */
export function isOwnKey(key: number): boolean {
  return key >= PREFIX && key < PREFIX + 0x100;
}

/** The segments that this test process and its peers have made: also private and removed ones. */
export function ownSegments(): number[] {
  const lines = readFileSync("/proc/sysvipc/shm", "utf8").trimEnd().split("\n").slice(1);
  return lines.map((line) => line.trim().split(/\s+/).map(Number)).filter((row) => {
    const [key, , , , creatorPid] = row as [number, number, number, number, number];
    const isPeers = creatorPid === process.pid || startedPids.has(creatorPid);
    // A process may have had that number before: its segments are older.
    return isOwnKey(key) || isPeers && (row[13] as number) >= startSeconds;
  }).map(([, id]) => id as number);
}

/** To be called once by each test file that makes System V segments. */
export function cleanUpSegments(): void {
  afterEach(() => {
    for (const id of ownSegments()) spawnSync("ipcrm", ["-m", String(id)]);
  });
}
