/**
 * Telling files apart by device and inode, as `/proc/<pid>/maps` writes them.
 *
 * @module
 */

import type { Action } from "../../errors.ts";
import {
  close,
  errorCode,
  failure,
  type FileStatus,
  lineInMaps,
  listDirectory,
  memfdCreate,
  platform,
  statusOf,
  statusOfTarget,
} from "../../ffi/mod.ts";

/** A device as the kernel writes it: `00:1b`. */
export function deviceOf({ deviceMajor, deviceMinor }: FileStatus): string {
  return `${hex(deviceMajor)}:${hex(deviceMinor)}`;
}

/** What no two files have in common: `00:1b:42`. */
export function identityOf(file: FileStatus): string {
  return `${deviceOf(file)}:${file.inode}`;
}

/** What tables of mappings call an open file: as a rule its identity. Undefined when it is unknown. */
export function mappedIdentity(fd: number): string | undefined {
  const [, , device, inode] = lineInMaps(fd)?.split(" ") ?? [];
  return device === undefined ? undefined : `${device}:${Number(inode)}`;
}

/** The device of the shared-memory directory; undefined when there is no such directory. */
export function sharedMemoryDevice(): string | undefined {
  const status = statusOfTarget(platform().sharedMemoryDirectory);
  return typeof status === "number" ? undefined : deviceOf(status);
}

/** Whether a call failed for something that this process lacks: it says nothing of what was asked. */
export function isShortage(errno: number): boolean {
  return ["EMFILE", "ENFILE", "ENOMEM"].includes(errorCode(errno));
}

let kernelMounts: ReadonlySet<string> | undefined;

/**
 * The devices on which the kernel keeps memory that has no path: System V segments, memfds and
 * anonymous shared memory, and those of huge pages. Nobody can give a file there a name, so that the
 * names on them, `/SYSV...` and `/memfd:...`, are the kernel's own and can be believed.
 */
export function kernelDevices(action: Action): ReadonlySet<string> {
  if (kernelMounts !== undefined) return kernelMounts;
  const { MFD_CLOEXEC, MFD_HUGETLB, MFD_HUGE_SHIFT, MFD_NOEXEC_SEAL } = platform().constants;
  let device = deviceOfMemfd(MFD_CLOEXEC);
  // Where programs must say that it is not to be executed, and older kernels do not know how to.
  if (typeof device === "number") device = deviceOfMemfd(MFD_CLOEXEC | MFD_NOEXEC_SEAL);
  if (typeof device === "number") throw failure(action, device, "memfd_create");
  const devices = new Set([device]);
  const sizes = listDirectory(platform().hugePageDirectory);
  if (typeof sizes === "number" && isShortage(sizes)) throw failure(action, sizes, "open");
  for (const directory of typeof sizes === "number" ? [] : sizes) {
    const kibibytes = Number(/^hugepages-(\d+)kB$/.exec(directory)?.[1] ?? 1);
    const size = Math.log2(kibibytes * 1024) * 2 ** MFD_HUGE_SHIFT;
    const huge = deviceOfMemfd((MFD_CLOEXEC | MFD_HUGETLB) + size);
    if (typeof huge === "string") devices.add(huge);
    else if (isShortage(huge)) throw failure(action, huge, "memfd_create");
  }
  return kernelMounts = devices;
}

function deviceOfMemfd(flags: number): string | number {
  const fd = memfdCreate("shmkit", flags);
  if (fd < 0) return fd;
  const status = statusOf(fd);
  close(fd);
  return typeof status === "number" ? status : deviceOf(status);
}

function hex(value: number): string {
  return value.toString(16).padStart(2, "0");
}
