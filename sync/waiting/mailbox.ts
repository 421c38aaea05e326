/**
 * The mailbox of an event loop: a FIFO by which others tell this thread to look again.
 *
 * It is an accelerator: whoever waits looks again in time without it, too. So whatever goes wrong here
 * is no error.
 *
 * @module
 */

import {
  changeGroup,
  close,
  type DescriptorWatch,
  fchmod,
  geteuid,
  makeFifo,
  open,
  platform,
  unlink,
  watchDescriptor,
} from "../../ffi/mod.ts";
import { atExit } from "../../memory/exit.ts";
import { Lull } from "./lull.ts";
import { hasReader, listMailboxes, mailboxPath } from "./mail.ts";

/** Who may write to the objects that the mailbox is for, and so to the mailbox. */
export interface Permissions {
  readonly mode: number;
  readonly gid: number;
}

/** The mailbox of this thread. */
export interface Mailbox {
  /** Four words at random. */
  readonly name: readonly number[];
  /** Reads it from now on, until {@linkcode unref} was called as often. */
  ref(): void;
  unref(): void;
  /** Ends the use of whoever got it: with the last one, it is removed. */
  release(): void;
}

interface OpenMailbox {
  readonly name: readonly number[];
  readonly path: string;
  readonly watch: DescriptorWatch;
  readonly callOff: () => void;
  users: number;
  /** How many wait for mail: only then is it read, and keeps the process alive. */
  waits: number;
  readonly lull: Lull;
}

/** One for each set of permissions: almost always one. */
const mailboxes = new Map<string, OpenMailbox>();

/**
 * Gives the mailbox of this thread.
 *
 * @param onMail Called when there is mail; the same for all.
 * @returns It, or undefined when none can be had.
 */
export function mailboxFor(
  { mode, gid }: Permissions,
  onMail: () => void,
): Mailbox | undefined {
  const key = `${mode} ${gid}`;
  const mailbox = mailboxes.get(key) ?? openMailbox({ mode, gid }, onMail);
  if (mailbox === undefined) return undefined;
  mailboxes.set(key, mailbox);
  mailbox.users++;
  return {
    name: mailbox.name,
    ref: () => {
      if (mailbox.waits++ === 0) mailbox.watch.ref();
    },
    unref: () => {
      if (--mailbox.waits === 0) mailbox.lull.expect();
    },
    release: () => {
      if (--mailbox.users > 0) return;
      mailboxes.delete(key);
      mailbox.callOff();
      end(mailbox);
    },
  };
}

function openMailbox({ mode, gid }: Permissions, onMail: () => void): OpenMailbox | undefined {
  removeAbandoned();
  const name = [...crypto.getRandomValues(new Int32Array(4))];
  const path = mailboxPath(name);
  if (makeFifo(path, 0o600) < 0) return undefined;
  // For reading and writing, so that it never ends when a writer does.
  const { O_RDWR, O_NONBLOCK, O_NOFOLLOW, O_CLOEXEC } = platform().constants;
  const fd = open(path, O_RDWR | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC, 0);
  if (fd < 0) {
    unlink(path);
    return undefined;
  }
  changeGroup(fd, gid); // which is refused where it cannot matter
  // Those who may write to the object. For reading, too: see writeByte().
  const writers = mode & 0o022;
  fchmod(fd, 0o600 | writers | writers << 1);
  try {
    const watch = watchDescriptor(fd, onMail);
    const callOff = atExit(() => unlink(path));
    const lull = new Lull(() => mailbox.waits > 0, () => watch.unref());
    const mailbox: OpenMailbox = { name, path, watch, callOff, lull, users: 0, waits: 0 };
    return mailbox;
  } catch {
    close(fd);
    unlink(path);
    return undefined;
  }
}

function end({ path, watch }: OpenMailbox): void {
  unlink(path);
  watch.close();
}

/** One that is younger may have been made just now, by somebody who will read it in a moment. */
const YOUTH_MS = 10_000;

let hasRemovedAbandoned = false;

/**
 * Removes what killed processes of this user have left, of which nobody at their objects will hear:
 * once in each thread that has a mailbox of its own.
 */
function removeAbandoned(): void {
  if (hasRemovedAbandoned) return;
  hasRemovedAbandoned = true;
  for (const { path, changeTimeMs } of listMailboxes(geteuid())) {
    if (Date.now() - changeTimeMs > YOUTH_MS && !hasReader(path)) unlink(path);
  }
}

/** Removes a mailbox that nobody reads any more, given the words of its name. */
export function removeMailbox(name: readonly number[]): void {
  const path = mailboxPath(name);
  if (!hasReader(path)) unlink(path);
}
