/**
 * @module
 */

import { type Action, misuse, stateError } from "../errors.ts";
import { failure, type FileStatus, platform, refusal, statusOf, statusOfPath } from "../ffi/mod.ts";
import { deviceOf, identityOf, kernelDevices, mappedIdentity } from "./processes/device.ts";
import { unsignedKey } from "./systemv/kernel_table.ts";
import { existingName } from "./names.ts";
import { checkInteger } from "./options.ts";
import { scanProcesses, systemVIdentity } from "./processes/process_scan.ts";
import type { AttachedProcesses, SystemVStat } from "./segment_info.ts";
import { readSystemVTable } from "./systemv/systemv_table.ts";

/**
 * What shared memory is meant: a POSIX segment by its name, a System V segment by its id or its key,
 * anything by a descriptor of it in this process. A handle of a segment is one of them, too.
 */
export type SegmentTarget =
  | string
  | { readonly fd: number }
  | { readonly id: number }
  | { readonly key: number };

/**
 * Tells which processes hold some shared memory: have it mapped, or have it open.
 *
 * Files are told by device and inode, so that neither a process with a file of the same name in
 * another place nor one with an earlier segment of that name is taken for a holder. What cannot be
 * seen: processes of other users, unless this one has the right to trace them (they are in
 * `unreadable`), and those in a PID namespace that is not below this one's, such as the machine's
 * when asked from a container. For System V segments only processes in this IPC namespace count.
 *
 * Blocks for about 0.1 ms per process on the machine. Nothing but `--allow-ffi` is needed in Deno.
 *
 * @param target Which memory.
 * @returns The processes, this one included.
 * @throws {TypeError} When the target is none, or no segment can have that name.
 * @throws {RangeError} When a number is out of range.
 * @throws {ShmError} `ENOENT` when there is no such name or key, `EINVAL` for an id that does not
 * exist, `EBADF` for a descriptor that is not open, `ERR_SHM_KIND` for a FIFO and the like,
 * `EMFILE` when descriptors run out.
 *
 * @example
 * ```ts
 * import { attachedProcesses, SharedSegment } from "@shmkit/shmkit";
 *
 * using segment = SharedSegment.create("doc-attached", { size: 4096, lifetime: "creator" });
 * const processes = attachedProcesses("doc-attached");
 * for (const { pid, command, mappings } of processes) console.log(pid, command, mappings.length);
 * if (processes.unreadable.length > 0) console.log("and perhaps others");
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man5/proc_pid_maps.5.html | proc_pid_maps(5)}
 */
export function attachedProcesses(target: SegmentTarget): AttachedProcesses {
  const action = { verb: "find the processes of", noun: "segment" };
  if (typeof target === "string") return holdersOfName(action, existingName(action, target));
  if (typeof target === "object" && target !== null) {
    if ("fd" in target) return holdersOfDescriptor(action, target.fd);
    if ("id" in target) return holdersOfId(action, target.id);
    if ("key" in target) return holdersOfKey(action, target.key);
  }
  const rule = "target must be a name, or an object with an fd, an id or a key";
  throw new TypeError(misuse(action, rule, target));
}

function holdersOfName(unnamed: Action, name: string): AttachedProcesses {
  const action = { ...unnamed, name };
  const status = statusOfPath(`${platform().sharedMemoryDirectory}/${name}`);
  if (typeof status === "number") throw failure(action, status, "statx");
  return holdersOfFile(action, status);
}

function holdersOfDescriptor(action: Action, value: unknown): AttachedProcesses {
  const fd = checkInteger(action, "fd", value, 0, 2 ** 31 - 1, "2^31 - 1");
  const status = statusOf(fd);
  if (typeof status === "number") {
    throw failure(action, status, "statx", `Descriptor ${fd} is not open in this process.`);
  }
  return holdersOfFile(action, status, mappedIdentity(fd));
}

function holdersOfFile(
  action: Action,
  status: FileStatus,
  mapped: string = identityOf(status),
): AttachedProcesses {
  if (status.type !== "regular file") {
    const remedy = "Only files can be mapped by several processes.";
    throw stateError(action, "ERR_SHM_KIND", `it is a ${status.type}`, remedy);
  }
  const identity = identityOf(status);
  return scanProcesses(action, {
    devices: new Set([deviceOf(status), mapped.slice(0, mapped.lastIndexOf(":"))]),
    identities: new Set([identity]),
    aliases: new Map([[mapped, identity]]),
    descriptors: true,
  }).holdersOf(identity);
}

function holdersOfId(action: Action, value: unknown): AttachedProcesses {
  const id = checkInteger(action, "id", value, 0, 2 ** 31 - 1, "2^31 - 1");
  const stat = readSystemVTable(action).find((each) => each.id === id);
  if (stat !== undefined) return holdersOfSystemV(action, stat);
  const remedy = `No System V segment has the id ${id}: listSegments() tells which there are.`;
  throw refusal(action, "EINVAL", "shmctl", remedy);
}

function holdersOfKey(action: Action, value: unknown): AttachedProcesses {
  const signed = checkInteger(action, "key", value, -(2 ** 31), 2 ** 32 - 1, "2^32 - 1");
  const key = unsignedKey(signed);
  if (key === 0) {
    const rule = "key must not be 0, which is that of every private segment (ask by id)";
    throw new RangeError(misuse(action, rule, value));
  }
  const stat = readSystemVTable(action).find((each) => each.key === key);
  if (stat !== undefined) return holdersOfSystemV(action, stat);
  const remedy = `No System V segment has the key 0x${key.toString(16)}: listSegments() tells ` +
    "which there are.";
  throw refusal(action, "ENOENT", "shmget", remedy);
}

function holdersOfSystemV(action: Action, { id }: SystemVStat): AttachedProcesses {
  const identity = systemVIdentity(id);
  return scanProcesses(action, {
    devices: kernelDevices(action),
    identities: new Set([identity]),
    descriptors: false,
  }).holdersOf(identity);
}
