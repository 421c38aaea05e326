/**
 * What `shm doctor` looks at.
 *
 * @module
 */

import {
  close,
  environmentVariable,
  geteuid,
  listDirectory,
  maxFileByteLength,
  open,
  pageSize,
  platform,
  readTextFile,
  runtimeServices,
  type Space,
  spaceOf,
  statusOfPath,
  statusOfTarget,
} from "../ffi/mod.ts";
import { memoryLimits } from "../memory/free_memory.ts";
import { escapeName } from "./escape.ts";
import { formatUser, isOrphan, listObjects, type SharedObject } from "./objects.ts";
import type { Trouble } from "./sync_words.ts";
import { formatFields, troubledFields } from "./troubled.ts";
import { count, formatOctal, formatSize } from "./units.ts";

/** How bad it is. */
export type Level = "ok" | "note" | "warning" | "error";

/** Something that was found, and what to do about it. */
export interface Finding {
  readonly level: Level;
  /** What it is about, in a word: stable, for programs. */
  readonly topic: string;
  readonly what: string;
  /** What to do about it; undefined when there is nothing to do. */
  readonly remedy?: string | undefined;
}

/** What containers get unless they are told otherwise. */
const CONTAINER_DEFAULT = 64 * 2 ** 20;
const NEARLY_FULL = 0.9;
/** The sticky bit, and everybody's right to write. */
const STICKY = 0o1000;
const WRITABLE_BY_ALL = 0o002;
/** User numbers below are of the system, of which the service manager removes nothing. */
const FIRST_HUMAN = 1000;

/** Looks at everything. */
export function findings(): Finding[] {
  const objects = listObjects();
  return [
    runtimeFinding(),
    ...directoryFindings(),
    ...memoryLimitFindings(),
    ...logoutFindings(),
    ...kernelFindings(objects),
    ...processFindings(objects),
    ...objectFindings(objects),
    ...lockFindings(objects),
  ];
}

function runtimeFinding(): Finding {
  const { version, platform: system } = runtimeServices();
  // It would not have come here without the permission.
  return {
    level: "ok",
    topic: "runtime",
    what: `${version} on ${system}, may call native functions`,
  };
}

/** The shared-memory directory: its file system, its rights, and how full it is. */
function directoryFindings(): Finding[] {
  const topic = "directory";
  const directory = platform().sharedMemoryDirectory;
  const { O_RDONLY, O_CLOEXEC } = platform().constants;
  const status = statusOfTarget(directory);
  const fd = open(directory, O_RDONLY | O_CLOEXEC, 0);
  const space = fd < 0 ? fd : spaceOf(fd);
  if (fd >= 0) close(fd);
  if (typeof status === "number" || typeof space === "number" || status.type !== "directory") {
    return [{
      level: "error",
      topic,
      what: `${directory} is missing or cannot be read: there are no POSIX segments here`,
      remedy: `mount -t tmpfs -o mode=1777 tmpfs ${directory}`,
    }];
  }
  return [
    ...mountFindings(directory),
    ...(canCreateIn(directory) ? [] : [{
      level: "error" as const,
      topic,
      what: `${directory} (mode ${formatOctal(status.mode)}) cannot be written by ${
        formatUser(geteuid())
      }`,
      remedy: `chmod 1777 ${directory}, or mount it writable`,
    }]),
    ...((status.mode & STICKY) === 0 && (status.mode & WRITABLE_BY_ALL) !== 0
      ? [{
        level: "warning" as const,
        topic,
        what: `${directory} (mode ${
          formatOctal(status.mode)
        }) lets every user remove and replace objects of others`,
        remedy: `chmod 1777 ${directory}`,
      }]
      : []),
    spaceFinding(directory, space),
  ];
}

/** Whether a file without a name can be made, which leaves nothing behind. */
function canCreateIn(directory: string): boolean {
  const { O_TMPFILE, O_RDWR, O_CLOEXEC } = platform().constants;
  const fd = open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0o600);
  if (fd >= 0) close(fd);
  return fd >= 0 || !["EACCES", "EPERM", "EROFS"].includes(platform().errorCodes[-fd] ?? "");
}

function mountFindings(directory: string): Finding[] {
  const mounts = readTextFile(platform().settings.mounts);
  if (typeof mounts === "number") return [];
  // 42 30 0:27 / /dev/shm rw,nosuid shared:4 - tmpfs tmpfs rw,size=65536k; the last one is on top.
  const mount = mounts.split("\n").findLast((line) => line.split(" ")[4] === directory);
  const type = mount?.split(" - ")[1]?.split(" ")[0];
  if (type === "tmpfs") return [];
  return [{
    level: "warning",
    topic: "directory",
    what: `${directory} is ${
      type === undefined ? "no mount of its own" : `of type ${escapeName(type)}`
    }, not tmpfs: segments may be written to a disk`,
    remedy: `mount -t tmpfs -o mode=1777 tmpfs ${directory}`,
  }];
}

function spaceFinding(directory: string, space: Space): Finding {
  const { byteLength, availableBytes, files, availableFiles } = space;
  const topic = "space";
  if (byteLength === 0) return { level: "ok", topic, what: `${directory} has no limit of its own` };
  const used = byteLength - availableBytes;
  const percent = Math.round(used / byteLength * 100);
  const what = `${directory} has ${formatSize(byteLength)}, ${
    formatSize(used)
  } (${percent} %) used`;
  const remedy =
    `shm gc, or enlarge it: mount -o remount,size=SIZE ${directory}; containers: --shm-size=SIZE`;
  if (availableBytes < pageSize()) {
    return { level: "error", topic, what: `${what}: it is full`, remedy };
  }
  if (files > 0 && availableFiles === 0) {
    return {
      level: "error",
      topic,
      what: `${directory} has no room for another file`,
      remedy: "shm gc",
    };
  }
  if (used / byteLength >= NEARLY_FULL) return { level: "warning", topic, what, remedy };
  if (byteLength <= CONTAINER_DEFAULT) {
    return {
      level: "warning",
      topic,
      what: `${what}: that is little, as containers have it`,
      remedy,
    };
  }
  return { level: "ok", topic, what };
}

/** What older kernels say when there is no limit is larger. */
const UNLIMITED = 2 ** 53;

/** The limit of the control group, which counts shared memory too. */
function memoryLimitFindings(): Finding[] {
  const { containerMarks } = platform().settings;
  const isContainer = containerMarks.some((path) => typeof statusOfPath(path) !== "number") ||
    environmentVariable("container") !== undefined;
  const limit = Math.min(...memoryLimits().map((each) => each.limit));
  const notes: Finding[] = [];
  if (isContainer) {
    notes.push({
      level: "note",
      topic: "container",
      what: "this is a container: it sees its own objects, and not those of the machine",
      remedy: "to share with the machine or another container: --ipc=host, --ipc=container:NAME",
    });
  }
  if (limit < UNLIMITED) {
    notes.push({
      level: "note",
      topic: "memory",
      what: `memory is limited to ${
        formatSize(limit)
      }, shared memory included: beyond, a process is killed`,
      remedy: "keep segments well below it, or raise it (memory.max; containers: --memory)",
    });
  }
  return notes;
}

/** A file with one number; undefined for `max`, and when there is none. */
function readNumber(path: string): number | undefined {
  const text = readTextFile(path);
  const value = typeof text === "number" ? NaN : Number.parseInt(text, 10);
  return Number.isNaN(value) ? undefined : value;
}

/** Whether the service manager removes what a user has made when they log out. */
function logoutFindings(): Finding[] {
  const { serviceManager } = platform().settings;
  const topic = "logout";
  if (typeof statusOfPath(serviceManager) === "number") {
    return [{ level: "ok", topic, what: "no systemd here that would remove objects at logout" }];
  }
  const user = geteuid();
  if (user < FIRST_HUMAN) {
    return [{
      level: "ok",
      topic,
      what: `systemd leaves the objects of system users such as ${formatUser(user)} alone`,
    }];
  }
  if (removesAtLogout()) {
    return [{
      level: "warning",
      topic,
      what: `systemd removes all objects of ${
        formatUser(user)
      } when their last session ends (RemoveIPC)`,
      remedy: `loginctl enable-linger ${
        formatUser(user)
      }; or RemoveIPC=no in ${platform().settings.loginConfiguration}; or a system user for services`,
    }];
  }
  return [{ level: "ok", topic, what: "systemd leaves objects alone at logout (RemoveIPC=no)" }];
}

/** `RemoveIPC=` as systemd reads it: the last one counts, and by default it is on. */
function removesAtLogout(): boolean {
  const { loginConfiguration, loginConfigurationDirectories } = platform().settings;
  const files = [loginConfiguration];
  for (const directory of loginConfigurationDirectories) {
    const names = listDirectory(directory);
    if (typeof names === "number") continue;
    for (const name of names.filter((each) => each.endsWith(".conf")).sort()) {
      files.push(`${directory}/${name}`);
    }
  }
  let value = "yes";
  for (const file of files) {
    const text = readTextFile(file);
    if (typeof text === "number") continue;
    for (const [, found] of text.matchAll(/^\s*RemoveIPC\s*=\s*(\S+)/gm)) value = found as string;
  }
  return !/^(no|n|false|f|off|0)$/i.test(value);
}

function kernelFindings(objects: readonly SharedObject[]): Finding[] {
  const { settings, systemVLimits } = platform();
  const topic = "kernel";
  const largest = readNumber(systemVLimits.shmmax);
  const pages = readNumber(systemVLimits.shmall);
  const most = readNumber(systemVLimits.shmmni);
  const found: Finding[] = [];
  if (largest === undefined || pages === undefined || most === undefined) {
    found.push({
      level: "note",
      topic,
      what: "the kernel has no System V segments, or does not tell its limits",
    });
  } else {
    const segments = objects.filter(({ kind }) => kind === "systemv");
    const all = pages * pageSize();
    const shown = (value: number) => value >= 2 ** 53 ? "unlimited" : formatSize(value);
    const what = `System V: ${segments.length} of ${most} segments, each up to ${
      shown(largest)
    }, all up to ${shown(all)}`;
    const isNearlyFull = segments.length >= most * NEARLY_FULL;
    found.push(
      isNearlyFull
        ? { level: "warning", topic, what, remedy: "shm gc 'id:*'; or sysctl kernel.shmmni=NUMBER" }
        : largest < 2 ** 30
        ? { level: "note", topic, what, remedy: "sysctl kernel.shmmax=BYTES kernel.shmall=PAGES" }
        : { level: "ok", topic, what },
    );
  }
  const mappings = readNumber(settings.mappingCount);
  if (mappings !== undefined) {
    found.push({
      level: "ok",
      topic,
      what: `a process may have ${mappings} mappings (vm.max_map_count)`,
    });
  }
  const fileSize = maxFileByteLength();
  if (fileSize < 2 ** 63) {
    found.push({
      level: "warning",
      topic: "limit",
      what: `this process may not make a file of more than ${
        formatSize(fileSize)
      }, nor a larger POSIX segment`,
      remedy: "ulimit -f unlimited",
    });
  }
  return found;
}

/** Whether it can be told who holds what. */
function processFindings(objects: readonly SharedObject[]): Finding[] {
  const topic = "processes";
  const known = objects.map(({ processes }) => processes).filter((each) => each !== undefined);
  if (known.some(({ hidden }) => hidden)) {
    return [{
      level: "warning",
      topic,
      what:
        "processes of other users are hidden from this one (hidepid): who holds what is not all known",
      remedy: "run as root",
    }];
  }
  const unreadable = new Set(known.flatMap((each) => each.unreadable.map(({ pid }) => pid)));
  if (unreadable.size === 0) return [];
  return [{
    level: "note",
    topic,
    what: `${
      count(unreadable.size, "process", "processes")
    } cannot be looked into, and may hold objects`,
    remedy: geteuid() === 0 ? undefined : "run as root",
  }];
}

/** Locks of the dead: nothing is lost by them, and nothing has to be removed. */
function lockFindings(objects: readonly SharedObject[]): Finding[] {
  const troubled = troubledFields(objects);
  const remedies: Readonly<Record<Trouble, readonly [what: string, remedy: string]>> = {
    ownerDead: [
      "whose owner is dead",
      "nothing: whoever locks it next gets it, and is told that an owner has died",
    ],
    needsRepair: [
      "whose owner has died while it may have been changing data",
      "nothing here: whoever locks it next is told, repairs the data, and marks it consistent",
    ],
    broken: ["that is broken, or of which a member is dead", "barrier.reset(), by whoever uses it"],
  };
  return (Object.keys(remedies) as Trouble[]).flatMap((trouble) => {
    const found = troubled.filter((each) => each.trouble === trouble);
    if (found.length === 0) return [];
    const [what, remedy] = remedies[trouble];
    const noun = trouble === "broken" ? "barrier" : "lock";
    return [{
      level: "note" as const,
      topic: "locks",
      what: `${count(found.length, noun)} ${what}: ${formatFields(found)}`,
      remedy,
    }];
  });
}

function objectFindings(objects: readonly SharedObject[]): Finding[] {
  const found: Finding[] = [];
  const orphans = objects.filter((object) => isOrphan(object) && object.kind !== "semaphore");
  const total = orphans.reduce((sum, { residentBytes }) => sum + (residentBytes ?? 0), 0);
  if (orphans.length > 0) {
    found.push({
      level: "note",
      topic: "orphans",
      what: `${count(orphans.length, "segment")} that nobody is known to hold: ${
        formatSize(total)
      }`,
      remedy: "shm ls --orphans lists them; shm gc PATTERN --force removes them",
    });
  }
  const open = objects.filter(({ mode }) => mode !== undefined && (mode & WRITABLE_BY_ALL) !== 0);
  if (open.length > 0) {
    const names = open.slice(0, 3).map(({ label }) => label).join(", ");
    found.push({
      level: "note",
      topic: "modes",
      what: `${count(open.length, "object")} can be written by every user: ${names}${
        open.length > 3 ? ", ..." : ""
      }`,
      remedy: "create them with a narrower mode, such as 660",
    });
  }
  return found;
}
