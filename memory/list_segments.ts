/**
 * @module
 */

import { type Action, misuse } from "../errors.ts";
import {
  errorCode,
  failure,
  type FileStatus,
  listDirectory,
  platform,
  statusOfPath,
} from "../ffi/mod.ts";
import { deviceOf, identityOf, kernelDevices, sharedMemoryDevice } from "./processes/device.ts";
import { BOOLEANS, checkChoice, checkOptions } from "./options.ts";
import {
  type HeldFile,
  type Scan,
  scanProcesses,
  systemVIdentity,
} from "./processes/process_scan.ts";
import type { MappedStat, SegmentInfo, SegmentStat, SystemVStat } from "./segment_info.ts";
import { segmentStat } from "./files/segment_stat.ts";
import { semaphoreName } from "./semaphore_files.ts";
import { readSystemVTable } from "./systemv/systemv_table.ts";

/** A family of shared memory that can be listed. */
export type SegmentKind = "posix" | "systemv" | "memfd";

/** What `listSegments()` is to list. */
export interface ListSegmentsOptions {
  /** The families; all by default. */
  kinds?: readonly SegmentKind[];
  /**
   * Whether to look into the processes; true by default. Without it the list comes faster, has no
   * `processes`, and lacks what only processes tell of: memfds, and segments that were unlinked.
   */
  processes?: boolean;
}

const KINDS: readonly SegmentKind[] = ["posix", "systemv", "memfd"];

/** What `/dev/shm` has, with the identity of each file. */
interface NamedFile {
  readonly name: string;
  readonly status: FileStatus;
}

/**
 * Lists the shared memory of this machine, whoever made it, with the processes that hold it.
 *
 * Those are POSIX segments, whether they have a name or were unlinked and are still in use; System V
 * segments of this IPC namespace; and memfds. POSIX segments are those of this process's `/dev/shm`:
 * a container may have another one. The list is a picture of no one moment: what comes and goes
 * meanwhile may be missing.
 *
 * Blocks for about 0.1 ms per process on the machine. Nothing but `--allow-ffi` is needed in Deno. It
 * takes no rights to see what exists; whose memory may be looked into is another matter: see
 * `processes.unreadable`.
 *
 * @param options What to list.
 * @returns POSIX segments by name, System V segments as the kernel has them, then what has no name.
 * @throws {TypeError} When an option has the wrong type, or memfds are asked for without processes.
 * @throws {ShmError} `EACCES` and the like when the system does not tell, `EMFILE` when descriptors
 * run out.
 *
 * @example Who holds what
 * ```ts
 * import { listSegments, SharedSegment } from "@shmkit/shmkit";
 *
 * using segment = SharedSegment.create("doc-listed", { size: 4096, lifetime: "creator" });
 * for (const each of listSegments()) {
 *   const holders = each.processes.map(({ pid, command }) => `${command} (${pid})`);
 *   console.log(each.kind === "systemv" ? each.id : each.name, each.size, holders);
 * }
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man1/lsipc.1.html | lsipc(1)}
 * @see {@link https://man7.org/linux/man-pages/man5/proc_pid_maps.5.html | proc_pid_maps(5)}
 */
export function listSegments(
  options?: ListSegmentsOptions & { processes?: true },
): SegmentInfo[];
/** Lists the shared memory that has a name or a number, without looking into the processes. */
export function listSegments(
  options: ListSegmentsOptions & { processes: false },
): (SegmentStat | SystemVStat)[];
/** Lists the shared memory that there is. */
export function listSegments(
  options: ListSegmentsOptions,
): (SegmentInfo | SegmentStat | SystemVStat)[];
export function listSegments(
  options: ListSegmentsOptions = {},
): (SegmentInfo | SegmentStat | SystemVStat)[] {
  const action = { verb: "list", noun: "segments" };
  const { kinds, processes } = check(action, options);
  const named = kinds.has("posix") ? listNamed(action) : [];
  const systemV = kinds.has("systemv") ? readSystemVTable(action) : [];
  if (!processes) {
    return [...named.map(({ name, status }) => segmentStat("posix", name, status)), ...systemV];
  }

  const scan = scanProcesses(action, {
    devices: devicesOf(action, kinds, named),
    descriptors: kinds.has("posix") || kinds.has("memfd"),
  });
  return [
    ...named.map(({ name, status }) => ({
      ...segmentStat("posix", name, status),
      processes: scan.holdersOf(identityOf(status)),
    })),
    ...systemV.map((stat) => ({
      ...stat,
      processes: scan.holdersOf(systemVIdentity(stat.id)),
    })),
    ...listUnnamed(action, scan, kinds, named),
  ];
}

function check(
  action: Action,
  options: ListSegmentsOptions,
): { kinds: ReadonlySet<SegmentKind>; processes: boolean } {
  checkOptions(action, options);
  const processes = checkChoice(action, "processes", options.processes ?? true, BOOLEANS);
  const kinds = options.kinds ?? KINDS;
  if (!Array.isArray(kinds)) throw new TypeError(misuse(action, "kinds must be an array", kinds));
  for (const kind of kinds) checkChoice(action, "each of kinds", kind, KINDS);
  if (!processes && options.kinds?.includes("memfd")) {
    const rule = "processes must be true to list memfds, which are found in processes only";
    throw new TypeError(misuse(action, rule, processes));
  }
  return { kinds: new Set(kinds), processes };
}

/** Lists the POSIX segments that have a name. One that goes meanwhile is left out. */
function listNamed(action: Action): NamedFile[] {
  const directory = platform().sharedMemoryDirectory;
  const names = listDirectory(directory);
  if (typeof names === "number") throw failure(action, names, "open");
  return names.sort().flatMap((name) => {
    const status = statusOfPath(`${directory}/${name}`);
    if (typeof status !== "number") {
      const isSegment = status.type === "regular file" && semaphoreName(name, status) === undefined;
      return isSegment ? [{ name, status }] : [];
    }
    if (errorCode(status) === "ENOENT") return [];
    throw failure({ ...action, noun: "segment", name }, status, "statx");
  });
}

function devicesOf(
  action: Action,
  kinds: ReadonlySet<SegmentKind>,
  named: readonly NamedFile[],
): Set<string> {
  const devices = new Set(named.map(({ status }) => deviceOf(status)));
  const sharedMemory = kinds.has("posix") ? sharedMemoryDevice() : undefined;
  if (sharedMemory !== undefined) devices.add(sharedMemory);
  if (!kinds.has("systemv") && !kinds.has("memfd")) return devices;
  for (const device of kernelDevices(action)) devices.add(device);
  return devices;
}

/** Lists what processes hold and no name leads to: memfds, and POSIX segments that were unlinked. */
function listUnnamed(
  action: Action,
  scan: Scan,
  kinds: ReadonlySet<SegmentKind>,
  named: readonly NamedFile[],
): SegmentInfo[] {
  const identities = new Set(named.map(({ status }) => identityOf(status)));
  const isKernels = kinds.has("systemv") || kinds.has("memfd")
    ? (device: string) => kernelDevices(action).has(device)
    : () => false; // none was looked for
  const found: SegmentInfo[] = [];
  for (const [identity, file] of scan.files) {
    if (identities.has(identity)) continue;
    const segment = isKernels(file.device) ? memfdOf(file) : unlinkedOf(file);
    if (segment === undefined || !kinds.has(segment.kind)) continue;
    const { kind, name } = segment;
    const stat = file.status === undefined
      ? unknownStat(kind, name)
      : segmentStat(kind, name, file.status);
    found.push({ ...stat, processes: scan.holdersOf(identity) });
  }
  return found;
}

interface Unnamed {
  readonly kind: "posix" | "memfd";
  readonly name: string;
}

const DELETED = / \(deleted\)$/;
const MEMFD = "/memfd:";

/** The kernel keeps other things where memfds are: anonymous shared memory, graphics buffers. */
function memfdOf({ path }: HeldFile): Unnamed | undefined {
  if (!path.startsWith(MEMFD)) return undefined;
  return { kind: "memfd", name: path.slice(MEMFD.length).replace(DELETED, "") };
}

/** A file without a name, unless it was a semaphore. The name is the last part of the path. */
function unlinkedOf({ path, status }: HeldFile): Unnamed | undefined {
  if (status !== undefined ? status.linkCount > 0 : !DELETED.test(path)) return undefined;
  const name = path.slice(path.lastIndexOf("/") + 1).replace(DELETED, "");
  return semaphoreName(name, undefined) === undefined ? { kind: "posix", name } : undefined;
}

function unknownStat(kind: "posix" | "memfd", name: string): MappedStat {
  return {
    kind,
    name,
    size: undefined,
    residentBytes: undefined,
    mode: undefined,
    uid: undefined,
    gid: undefined,
    linked: false,
    birthTimeMs: undefined,
    accessTimeMs: undefined,
    modifyTimeMs: undefined,
    changeTimeMs: undefined,
  };
}
