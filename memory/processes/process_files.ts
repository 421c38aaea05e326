/**
 * What the kernel tells of a process, in its directory of `/proc`.
 *
 * @module
 */

import { errorCode, listDirectory, platform, readLink, readTextFile } from "../../ffi/mod.ts";
import type { AttachedMapping } from "../segment_info.ts";

/** The directory of a process; `"self"` is this one's. */
export function processPath(pid: number | "self"): string {
  return `${platform().processDirectory}/${pid}`;
}

/** The processes that can be seen, by number; or a negative error number. */
export function listProcesses(): number[] | number {
  const names = listDirectory(platform().processDirectory);
  return typeof names === "number" ? names : names.filter((name) => /^\d+$/.test(name)).map(Number);
}

/** One line of a process's table of mappings. */
export interface MapsLine {
  /** The device, as in `00:1b`. */
  readonly device: string;
  readonly inode: number;
  /** What the kernel calls the file. A newline in it is shown as `\012`, as those four characters. */
  readonly path: string;
  readonly mapping: AttachedMapping;
}

// Only a newline ends a line: a path may hold every other character that does for `.` or `$`.
const MAPS_LINE = /^([0-9a-f]+)-([0-9a-f]+) (\S+) ([0-9a-f]+) ([0-9a-f]+:[0-9a-f]+) (\d+) *([^]*)$/;

type MapsFields = [string, string, string, string, string, string, string, string];

/** Finds the mappings of files on some devices in a table of mappings. */
export function parseMaps(text: string, devices: ReadonlySet<string>): MapsLine[] {
  const marks = [...devices].map((device) => ` ${device} `);
  if (!marks.some((mark) => text.includes(mark))) return []; // as nearly always, and much faster
  return text.split("\n").flatMap((line) => {
    if (!marks.some((mark) => line.includes(mark))) return [];
    const fields = MAPS_LINE.exec(line) as string[] | null;
    if (fields === null) return [];
    const [, start, end, access, offset, device, inode, path] = fields as MapsFields;
    if (!devices.has(device)) return [];
    const mapping = {
      start: `0x${start}`,
      end: `0x${end}`,
      byteLength: Number(`0x${end}`) - Number(`0x${start}`),
      byteOffset: Number(`0x${offset}`),
      access,
    };
    return [{ device, inode: Number(inode), path, mapping }];
  });
}

/**
 * The directory of a thread that has the memory of a process: the process's own, unless its first
 * thread has ended before the others, which leaves that one empty.
 *
 * @returns It with the table of mappings, undefined for a process without memory (one that has
 * ended, a thread of the kernel), or a negative error number.
 */
export function memoryOf(pid: number): { path: string; maps: string } | number | undefined {
  const path = processPath(pid);
  const maps = readTextFile(`${path}/maps`);
  if (typeof maps === "number" && !isGone(maps)) return maps;
  if (maps !== "" && typeof maps === "string") return { path, maps };
  const threads = listDirectory(`${path}/task`);
  for (const thread of typeof threads === "number" ? [] : threads) {
    if (thread === String(pid)) continue;
    const threadPath = `${path}/task/${thread}`;
    const threadMaps = readTextFile(`${threadPath}/maps`);
    if (typeof threadMaps === "string" && threadMaps !== "") {
      return { path: threadPath, maps: threadMaps };
    }
  }
  return undefined;
}

/** Whether an error means that there is no such process any more, or that it has no memory. */
export function isGone(errno: number): boolean {
  return ["ENOENT", "ESRCH"].includes(errorCode(errno));
}

/** Who a process is; what cannot be told is undefined. */
export function describeProcess(
  pid: number,
): { pid: number; command: string | undefined; uid: number | undefined } {
  const status = readTextFile(`${processPath(pid)}/status`);
  // The real, the effective, the saved and the file-system user.
  const uid = typeof status === "number" ? undefined : /^Uid:\t\d+\t(\d+)/m.exec(status)?.[1];
  return {
    pid,
    command: commandOf(pid),
    uid: uid === undefined ? undefined : Number(uid),
  };
}

/** The IPC namespace of a process, as a text to compare; undefined when it cannot be told. */
export function ipcNamespaceOf(pid: number | "self"): string | undefined {
  const namespace = readLink(`${processPath(pid)}/ns/ipc`);
  return typeof namespace === "number" ? undefined : namespace;
}

const CAP_SYS_PTRACE = 19n;

/**
 * Whether the system hides processes of other users from this one altogether: `/proc` is mounted
 * with `hidepid=invisible` or stricter, and this process has neither the right to trace them nor the
 * group that is let off.
 */
export function hidesProcesses(): boolean {
  const mounts = readTextFile(`${processPath("self")}/mountinfo`);
  const status = readTextFile(`${processPath("self")}/status`);
  if (typeof mounts === "number" || typeof status === "number") return false;
  const here = ` ${platform().processDirectory} `;
  const mount = mounts.split("\n").findLast((line) =>
    line.includes(here) && line.includes(" - proc ")
  );
  const level = /\bhidepid=(2|4|invisible|ptraceable)\b/.exec(mount ?? "")?.[1];
  if (level === undefined) return false;
  const capabilities = /^CapEff:\t([0-9a-f]+)$/m.exec(status)?.[1] ?? "0";
  if ((BigInt(`0x${capabilities}`) >> CAP_SYS_PTRACE & 1n) === 1n) return false;
  if (level === "4" || level === "ptraceable") return true;
  const letOff = /\bgid=(\d+)/.exec(mount as string)?.[1] ?? "0";
  // The last of the four is the one that counts for files.
  const group = /^Gid:\t\d+\t\d+\t\d+\t(\d+)$/m.exec(status)?.[1];
  const groups = /^Groups:\t(.*)$/m.exec(status)?.[1]?.trim().split(" ") ?? [];
  return group !== letOff && !groups.includes(letOff);
}

/** The name of the program of a process; undefined when that cannot be told. */
export function commandOf(pid: number): string | undefined {
  const command = readTextFile(`${processPath(pid)}/comm`);
  return typeof command === "number" ? undefined : command.replace(/\n$/, "");
}

/** Where the fields of proc_pid_stat(5) are, counted from behind the name of the program. */
const [STATE_FIELD, START_FIELD] = [3 - 3, 22 - 3];

/** Whether a thread is stopped, and when it started; undefined when that cannot be told. */
export function threadStateOf(
  pid: number,
  thread: number,
): { readonly isStopped: boolean; readonly startTicks: number } | undefined {
  const text = readTextFile(`${processPath(pid)}/task/${thread}/stat`);
  if (typeof text === "number") return undefined;
  // The name is in parentheses, and may have some of its own, and spaces.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return {
    isStopped: /^[Tt]$/.test(fields[STATE_FIELD] ?? ""),
    startTicks: Number(fields[START_FIELD]),
  };
}
