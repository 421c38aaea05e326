/**
 * A group of processes with a limit of memory, as containers and services are.
 *
 * @module
 */

import { existsSync, mkdirSync, rmdirSync, writeFileSync } from "node:fs";

const ROOT = "/sys/fs/cgroup";
/** Where a group can be made, and what its limit is called, in both versions of control groups. */
const PLACES = [
  { directory: `${ROOT}/memory/shmkit-test-${process.pid}`, limit: "memory.limit_in_bytes" },
  { directory: `${ROOT}/shmkit-test-${process.pid}`, limit: "memory.max" },
];

function make(byteLength: number): string | undefined {
  for (const { directory, limit } of PLACES) {
    try {
      mkdirSync(directory);
    } catch {
      continue;
    }
    try {
      if (!existsSync(`${directory}/${limit}`)) throw new Error("memory is not controlled here");
      writeFileSync(`${directory}/${limit}`, String(byteLength));
      return directory;
    } catch {
      rmdirSync(directory);
    }
  }
  return undefined;
}

/** Whether groups can be made on this machine. */
export function canMakeMemoryGroup(): boolean {
  const directory = make(2 ** 30);
  if (directory !== undefined) rmdirSync(directory);
  return directory !== undefined;
}

/**
 * Does something while there is such a group.
 *
 * @param body Gets what is to precede a command so that it runs in the group.
 */
export async function inMemoryGroup(
  byteLength: number,
  body: (wrapper: readonly string[]) => Promise<void>,
): Promise<void> {
  const directory = make(byteLength) as string;
  try {
    await body(["bash", "-c", `echo $$ > ${directory}/cgroup.procs; exec "$@"`, "bash"]);
  } finally {
    await removeGroup(directory);
  }
}

/** Its last process may be ending still. */
async function removeGroup(directory: string): Promise<void> {
  for (let attempt = 0;; attempt++) {
    try {
      return rmdirSync(directory);
    } catch (error) {
      if (attempt === 100) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}
