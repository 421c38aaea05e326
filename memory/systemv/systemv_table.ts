/**
 * The System V segments of this IPC namespace, as the kernel lists them. Nobody needs a right for
 * it, while shmctl(2) wants to be allowed to read each.
 *
 * @module
 */

import type { Action } from "../../errors.ts";
import { platform } from "../../ffi/mod.ts";
import { octal, readKernelTable, type Row, unsignedKey } from "./kernel_table.ts";
import type { SystemVStat } from "../segment_info.ts";

/** Reads the table of System V segments, in the order of the kernel; none where it has none. */
export function readSystemVTable(action: Action): SystemVStat[] {
  return readKernelTable(action, platform().systemVTables.segments).map(toStat);
}

function toStat(row: Row): SystemVStat {
  const { SHM_DEST, SHM_LOCKED } = platform().constants;
  const permissions = octal(row("perms"));
  return {
    kind: "systemv",
    id: row("shmid"),
    key: unsignedKey(row("key")),
    size: row("size"),
    residentBytes: row("rss") + row("swap"),
    mode: permissions & 0o777,
    uid: row("uid"),
    gid: row("gid"),
    creatorUid: row("cuid"),
    creatorGid: row("cgid"),
    attached: row("nattch"),
    creatorPid: row("cpid"),
    lastPid: row("lpid"),
    attachTimeMs: row("atime") * 1000,
    detachTimeMs: row("dtime") * 1000,
    changeTimeMs: row("ctime") * 1000,
    removed: (permissions & SHM_DEST) !== 0,
    locked: (permissions & SHM_LOCKED) !== 0,
  };
}
