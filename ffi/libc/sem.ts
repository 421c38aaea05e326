/**
 * `<sys/sem.h>`: semctl(2).
 *
 * @module
 */

import { platform } from "../select.ts";
import { bind, errno, settle } from "./library.ts";

const c = bind({
  // int semctl(int semid, int semnum, int cmd, int val);      (variadic in C)
  semctl: ["i32", "i32", "i32", "i32", "i32"],
});

/** Removes a set of System V semaphores. @returns 0, or a negative error number. */
export function removeSemaphoreSet(id: number): number {
  return settle(c().semctl(id, 0, platform().constants.IPC_RMID, 0), errno[0]);
}
