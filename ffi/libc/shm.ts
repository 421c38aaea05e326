/**
 * `<sys/shm.h>`: shmget(2), shmat(2), shmdt(2), shmctl(2), ftok(3).
 *
 * shmdt(2) is for what nobody has seen: a mapping that was seen must be replaced before it goes
 * (`mapping.ts`), and the kernel counts the end of the mapping by mmap(2) as a detach all the same.
 *
 * @module
 */

import type { Address } from "../runtimes/runtime.ts";
import { platform, runtime } from "../select.ts";
import { bind, errno, settle } from "./library.ts";
import { cString, readSize, scratchMemory } from "./scratch.ts";

const c = bind({
  // int shmget(key_t key, size_t size, int shmflg);
  shmget: ["i32", "i32", "i64", "i32"],
  // void *shmat(int shmid, const void *shmaddr, int shmflg);
  shmat: ["address", "i32", "address", "i32"],
  // int shmdt(const void *shmaddr);
  shmdt: ["i32", "address"],
  // int shmctl(int shmid, int cmd, struct shmid_ds *buf);
  shmctl: ["i32", "i32", "i32", "address"],
  // key_t ftok(const char *pathname, int proj_id);
  ftok: ["i32", "address", "i32"],
});

/** What shmctl(2) tells of a segment. Times are seconds since 1970. */
export interface ShmidDs {
  /** Unsigned. */
  readonly key: number;
  readonly uid: number;
  readonly gid: number;
  readonly cuid: number;
  readonly cgid: number;
  /** The permission bits, and `SHM_DEST` and `SHM_LOCKED`. */
  readonly mode: number;
  readonly segsz: number;
  readonly atime: number;
  readonly dtime: number;
  readonly ctime: number;
  readonly cpid: number;
  readonly lpid: number;
  readonly nattch: number;
}

/** Finds or makes a segment. @returns Its id, or a negative error number. */
export function shmget(key: number, byteLength: number, flags: number): number {
  return settle(c().shmget(key | 0, byteLength, flags), errno[0]);
}

/** Attaches where the kernel likes. @returns The start, or a negative error number. */
export function shmat(id: number, flags: number): { readonly start: Address } | number {
  const start = c().shmat(id, runtime().nullAddress, flags);
  const code = errno[0];
  return runtime().addressToNumber(start) === -1 ? settle(-1, code) : { start };
}

/** Detaches, however long the segment is. @returns 0, or a negative error number. */
export function shmdt(start: Address): number {
  return settle(c().shmdt(start), errno[0]);
}

/** Marks a segment for removal. @returns 0, or a negative error number. */
export function shmRemove(id: number): number {
  return settle(
    c().shmctl(id, platform().constants.IPC_RMID, runtime().nullAddress),
    errno[0],
  );
}

/** Reads the status of a segment. @returns It, or a negative error number. */
export function shmStatus(id: number): ShmidDs | number {
  const { view, struct } = scratchMemory();
  const result = settle(c().shmctl(id, platform().constants.IPC_STAT, struct), errno[0]);
  if (result < 0) return result;
  const at = platform().shmid_ds.offsets;
  return {
    key: view.getUint32(at["shm_perm.__key"], true),
    uid: view.getUint32(at["shm_perm.uid"], true),
    gid: view.getUint32(at["shm_perm.gid"], true),
    cuid: view.getUint32(at["shm_perm.cuid"], true),
    cgid: view.getUint32(at["shm_perm.cgid"], true),
    mode: view.getUint32(at["shm_perm.mode"], true),
    segsz: readSize(at.shm_segsz),
    atime: readSize(at.shm_atime),
    dtime: readSize(at.shm_dtime),
    ctime: readSize(at.shm_ctime),
    cpid: view.getUint32(at.shm_cpid, true),
    lpid: view.getUint32(at.shm_lpid, true),
    nattch: readSize(at.shm_nattch),
  };
}

/** Makes a key of a file and a number. @returns It, unsigned, or undefined with an error number. */
export function ftok(path: string, projectId: number): { readonly key: number } | number {
  const key = c().ftok(cString(path), projectId);
  const code = errno[0];
  return key === -1 ? settle(-1, code) : { key: key >>> 0 };
}
