/**
 * The library's own leftovers.
 *
 * @module
 */

import {
  close,
  errorCode,
  listDirectory,
  open,
  platform,
  shmUnlink,
  statusOfPath,
} from "../ffi/mod.ts";
import { MAILBOX_PREFIX } from "../memory/names.ts";
import { escapeName } from "./escape.ts";
import type { Finding } from "./gc.ts";

/**
 * Finds the mailboxes (FIFOs) of a user. Whoever owns a mailbox reads it; one that cannot be opened
 * for writing because nobody reads is therefore a dead one's.
 */
export function listMailboxes(user: number): Finding[] {
  const directory = platform().sharedMemoryDirectory;
  const names = listDirectory(directory);
  if (typeof names === "number") return [];
  return names.filter((name) => name.startsWith(MAILBOX_PREFIX)).flatMap((name) => {
    const path = `${directory}/${name}`;
    const status = statusOfPath(path);
    if (typeof status === "number" || status.type !== "FIFO" || status.uid !== user) return [];
    return [{
      label: escapeName(name),
      size: undefined,
      bornMs: status.birthTimeMs,
      keptBecause: hasReader(path) ? "its owner lives" : undefined,
      remove: () => !hasReader(path) && shmUnlink(name) >= 0,
    }];
  });
}

function hasReader(path: string): boolean {
  const { O_WRONLY, O_NONBLOCK, O_NOFOLLOW, O_CLOEXEC } = platform().constants;
  const fd = open(path, O_WRONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC, 0);
  if (fd < 0) return errorCode(fd) !== "ENXIO";
  close(fd);
  return true;
}
