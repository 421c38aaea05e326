/**
 * Going through all processes once, for whatever shared memory they hold.
 *
 * A file is told by its device and inode, never by the text of a path, which anybody can choose. One
 * kind has a name that can be believed, because the kernel makes it and no path leads there: those of
 * the kernel's own mounts (see `kernelDevices`). It must be looked at there, because the inode of a
 * System V segment is its id, which may be some memfd's inode, too.
 *
 * @module
 */

import type { Action } from "../../errors.ts";
import {
  errorCode,
  failure,
  type FileStatus,
  listDirectory,
  platform,
  readLink,
  refusal,
  statusOfTarget,
} from "../../ffi/mod.ts";
import { deviceOf, identityOf, isShortage, kernelDevices } from "./device.ts";
import {
  describeProcess,
  hidesProcesses,
  ipcNamespaceOf,
  isGone,
  listProcesses,
  type MapsLine,
  memoryOf,
  parseMaps,
  processPath,
} from "./process_files.ts";
import type {
  AttachedMapping,
  AttachedProcess,
  AttachedProcesses,
  UnreadableProcess,
} from "../segment_info.ts";

/** What to look for. */
export interface Search {
  /** The devices on which the files are. */
  readonly devices: ReadonlySet<string>;
  /** The files, by identity; all of the devices by default. */
  readonly identities?: ReadonlySet<string>;
  /** What mappings call a file, where that is not its identity, and its identity. */
  readonly aliases?: ReadonlyMap<string, string>;
  /** Whether they can have descriptors. */
  readonly descriptors: boolean;
}

/** A file that some process holds. */
export interface HeldFile {
  /** What the kernel calls it: a path, ` (deleted)` behind it when it has none any more. */
  readonly path: string;
  readonly device: string;
  /** What is known of it by a descriptor, or by a mapping where there is the right to. */
  status: FileStatus | undefined;
  readonly holders: Map<number, { mappings: AttachedMapping[]; descriptors: number[] }>;
}

/** What all processes hold. */
export interface Scan {
  /** The files that are held, by identity. */
  readonly files: ReadonlyMap<string, HeldFile>;
  /** The processes that hold a file. */
  holdersOf(identity: string): AttachedProcesses;
}

/** The identity of a System V segment. */
export function systemVIdentity(id: number): string {
  return `systemv:${id}`;
}

/** Looks into every process. A process that ends meanwhile is left out. */
export function scanProcesses(action: Action, search: Search): Scan {
  const scanner = new Scanner(action, search);
  const pids = listProcesses();
  if (typeof pids === "number") throw failure(action, pids, "open");
  if (pids.length === 0) {
    const remedy = `Mount the proc file system at ${platform().processDirectory}.`;
    throw refusal(action, "ENOENT", "open", remedy);
  }
  for (const pid of pids) scanner.look(pid);
  return scanner.finish();
}

class Scanner {
  readonly #action: Action;
  readonly #search: Search;
  readonly #ipcNamespace = ipcNamespaceOf("self");
  readonly #files = new Map<string, HeldFile>();
  readonly #unreadable: UnreadableProcess[] = [];

  constructor(action: Action, search: Search) {
    this.#action = action;
    this.#search = search;
  }

  look(pid: number): void {
    const memory = memoryOf(pid);
    if (memory === undefined) return;
    if (typeof memory === "number") return this.#fail(pid, memory);
    let sharesIpc: boolean | undefined;
    for (const line of parseMaps(memory.maps, this.#search.devices)) {
      const identity = this.#identify(line);
      if (identity.startsWith("systemv:")) {
        sharesIpc ??= ipcNamespaceOf(pid) === this.#ipcNamespace;
        if (!sharesIpc) continue;
      }
      if (!this.#isWanted(identity)) continue;
      const file = this.#file(identity, line.device, () => this.#pathOf(pid, line));
      if (!identity.startsWith("systemv:")) file.status ??= this.#statusOf(pid, line);
      holderOf(file, pid).mappings.push(line.mapping);
    }
    if (this.#search.descriptors) this.#lookAtDescriptors(pid, memory.path);
  }

  finish(): Scan {
    const files = this.#files;
    const unreadable = this.#unreadable;
    const hidden = hidesProcesses();
    const known = new Map<number, Pick<AttachedProcess, "pid" | "command" | "uid"> | undefined>();
    const describe = (pid: number) => {
      if (!known.has(pid)) {
        const { command, uid } = describeProcess(pid);
        const isThere = command !== undefined && uid !== undefined;
        known.set(pid, isThere ? { pid, command, uid } : undefined);
      }
      return known.get(pid);
    };
    return {
      files,
      holdersOf(identity) {
        const holders = [...files.get(identity)?.holders ?? []].flatMap(([pid, held]) => {
          const description = describe(pid);
          return description === undefined ? [] : [{ ...description, ...held }];
        });
        return Object.assign(holders, { unreadable, hidden });
      },
    };
  }

  #lookAtDescriptors(pid: number, path: string): void {
    const numbers = listDirectory(`${path}/fd`);
    if (typeof numbers === "number") {
      if (!isGone(numbers)) this.#fail(pid, numbers);
      return;
    }
    for (const number of numbers) {
      const link = `${path}/fd/${number}`;
      const status = statusOfTarget(link);
      if (typeof status === "number" || status.type !== "regular file") continue;
      const device = deviceOf(status);
      if (!this.#search.devices.has(device)) continue;
      const identity = identityOf(status);
      if (!this.#isWanted(identity)) continue;
      const target = readLink(link);
      if (typeof target === "number" || this.#isSystemV(device, target)) continue;
      const file = this.#file(identity, device, () => target);
      file.status ??= status;
      holderOf(file, pid).descriptors.push(Number(number));
    }
  }

  #identify({ device, inode, path }: MapsLine): string {
    if (this.#isSystemV(device, path)) return systemVIdentity(inode);
    const identity = `${device}:${inode}`;
    return this.#search.aliases?.get(identity) ?? identity;
  }

  #isSystemV(device: string, path: string): boolean {
    return path.startsWith("/SYSV") && kernelDevices(this.#action).has(device);
  }

  #isWanted(identity: string): boolean {
    return this.#search.identities?.has(identity) ?? true;
  }

  #file(identity: string, device: string, path: () => string): HeldFile {
    const known = this.#files.get(identity);
    if (known !== undefined) return known;
    const file = { path: path(), device, status: undefined, holders: new Map() };
    this.#files.set(identity, file);
    return file;
  }

  /** The path of a mapping's file; by the link where the table may have a newline escaped. */
  #pathOf(pid: number, line: MapsLine): string {
    if (!line.path.includes("\\012")) return line.path;
    const path = readLink(mappingPath(pid, line));
    return typeof path === "number" ? line.path : path;
  }

  /** What is known of a mapping's file, where there is the right to look. */
  #statusOf(pid: number, line: MapsLine): FileStatus | undefined {
    const status = statusOfTarget(mappingPath(pid, line));
    return typeof status === "number" ? undefined : status;
  }

  #fail(pid: number, errno: number): void {
    if (isShortage(errno)) throw failure(this.#action, errno, "open");
    this.#unreadable.push({ ...describeProcess(pid), code: errorCode(errno) });
  }
}

function holderOf(
  file: HeldFile,
  pid: number,
): { mappings: AttachedMapping[]; descriptors: number[] } {
  const known = file.holders.get(pid);
  if (known !== undefined) return known;
  const holder = { mappings: [], descriptors: [] };
  file.holders.set(pid, holder);
  return holder;
}

function mappingPath(pid: number, { mapping: { start, end } }: MapsLine): string {
  const hex = (address: string) => Number(address).toString(16);
  return `${processPath(pid)}/map_files/${hex(start)}-${hex(end)}`;
}
