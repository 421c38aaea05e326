/**
 * What segments that come from files are called, and how their names are removed.
 *
 * @module
 */

import {
  descriptorPath,
  type FileStatus,
  ownDescriptorPath,
  platform,
  readLink,
} from "../../ffi/mod.ts";
import { nameLeadsTo, pathLeadsTo, removeName, removePath } from "./attach.ts";
import type { Identity } from "./segment_handle.ts";

/** A shared-memory object, by its name without a leading slash. */
export function nameIdentity(name: string, noun: string = "segment"): Identity {
  const action = { verb: "unlink", noun };
  return {
    kind: "posix",
    name,
    subject: { noun, name },
    path: () => `${platform().sharedMemoryDirectory}/${name}`,
    unlink: (file) => nameLeadsTo(action, name, file) && removeName(action, name),
  };
}

/** Memory without a name, by what it is called in `/proc`. */
export function anonymousIdentity(label: string): Identity {
  return {
    kind: "memfd",
    name: label,
    subject: { noun: "anonymous segment", name: label },
    path: (fd) => descriptorPath(fd),
    unlink: () => false,
  };
}

/** A file, by its path. */
export function fileIdentity(path: string): Identity {
  const action = { verb: "unlink", noun: "file", name: path };
  return {
    kind: "file",
    name: path,
    subject: { noun: "file", name: path },
    // Absolute, whatever the user gave.
    path: (fd) => linkOf(fd) ?? path,
    unlink: (file) => pathLeadsTo(action, path, file) && removePath(action, path),
  };
}

/**
 * An open file, by what the kernel calls it: a file by its path, anonymous memory by its label.
 *
 * @param path The path by which it was opened.
 */
export function identityOf(fd: number, { linkCount }: FileStatus, path?: string): Identity {
  const link = linkOf(fd);
  if (linkCount > 0) return fileIdentity(path ?? link ?? "unknown");
  return anonymousIdentity(labelIn(link) ?? "deleted file");
}

/** Whether an open file never had a name: a file that has been deleted had one. */
export function isAnonymous(fd: number, { linkCount }: FileStatus): boolean {
  return linkCount === 0 && labelIn(linkOf(fd)) !== undefined;
}

function labelIn(link: string | undefined): string | undefined {
  return /^\/memfd:(.*) \(deleted\)$/s.exec(link ?? "")?.[1];
}

function linkOf(fd: number): string | undefined {
  const link = readLink(ownDescriptorPath(fd));
  return typeof link === "string" ? link : undefined;
}
