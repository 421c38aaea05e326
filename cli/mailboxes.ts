/**
 * The library's own leftovers.
 *
 * @module
 */

import { shmUnlink } from "../ffi/mod.ts";
import { hasReader, listMailboxes } from "../sync/waiting/mail.ts";
import { escapeName } from "./escape.ts";
import type { Finding } from "./gc.ts";

/**
 * Finds the mailboxes (FIFOs) of a user that are left, and those that are named. Whoever owns a
 * mailbox reads it; one that cannot be opened for writing because nobody reads is therefore a dead
 * one's.
 */
export function findMailboxes(user: number, isNamed: (label: string) => boolean): Finding[] {
  return listMailboxes(user).map(({ name, path, birthTimeMs }) => ({
    label: escapeName(name),
    size: undefined,
    bornMs: birthTimeMs,
    keptBecause: hasReader(path) ? "somebody has it open" : undefined,
    remove: () => !hasReader(path) && shmUnlink(name) >= 0,
  })).filter(({ keptBecause, label }) => keptBecause === undefined || isNamed(label));
}
