/**
 * Sending mail: one byte in the FIFO of an event loop that waits.
 *
 * @module
 */

import {
  close,
  errorCode,
  listDirectory,
  open,
  platform,
  statusOf,
  statusOfPath,
  writeByte,
} from "../../ffi/mod.ts";
import { MAILBOX_PREFIX } from "../../memory/names.ts";
import { type Slots, WORD } from "../participants/slots.ts";

/** Which of the 64 bits of interest stands for a word. */
export function bitOfInterest(index: number): number {
  return Math.imul(index, 0x9e3779b1) >>> 26;
}

/** The path of a mailbox, from the four words of its name. */
export function mailboxPath(name: readonly number[]): string {
  const digits = name.map((word) => (word >>> 0).toString(16).padStart(8, "0")).join("");
  return `${platform().sharedMemoryDirectory}/${MAILBOX_PREFIX}${digits}`;
}

/** A mailbox as a file. Times are milliseconds since 1970. */
export interface MailboxFile {
  /** In the shared-memory directory. */
  readonly name: string;
  readonly path: string;
  readonly birthTimeMs: number;
  readonly changeTimeMs: number;
}

/** The mailboxes of a user, whether or not somebody reads them. */
export function listMailboxes(user: number): MailboxFile[] {
  const directory = platform().sharedMemoryDirectory;
  const names = listDirectory(directory);
  if (typeof names === "number") return [];
  return names.filter((name) => name.startsWith(MAILBOX_PREFIX)).flatMap((name) => {
    const path = `${directory}/${name}`;
    const status = statusOfPath(path);
    if (typeof status === "number" || status.type !== "FIFO" || status.uid !== user) return [];
    const { birthTimeMs, changeTimeMs } = status;
    return [{ name, path, birthTimeMs, changeTimeMs }];
  });
}

/** Whether somebody can read what is sent; only then is it a mailbox in use. */
export function hasReader(path: string): boolean {
  const { O_WRONLY, O_NONBLOCK, O_NOFOLLOW, O_CLOEXEC } = platform().constants;
  const fd = open(path, O_WRONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC, 0);
  if (fd < 0) return errorCode(fd) !== "ENXIO";
  close(fd);
  return true;
}

/**
 * Who has been seen alive is not asked for again for so long: it may as well die a moment after it was
 * asked, and then all who wait look again in time.
 */
const TRUST_MS = 10;

interface Route {
  /** The mailbox to which it leads. */
  readonly name: readonly number[];
  readonly fd: number;
  /** Who has been seen alive, and when. */
  id: number;
  seenMs: number;
}

/** The ways to the mailboxes of the others at an object. */
export class MailRoutes {
  readonly #slots: Slots;
  readonly #isAlive: (id: number) => boolean;
  readonly #routes = new Map<number, Route>();
  /** Where the next search begins, so that everyone gets a turn. */
  #turn = 0;

  /** @param isAlive Whether the holder of a slot is: mail to the dead does not come back. */
  constructor(slots: Slots, isAlive: (id: number) => boolean) {
    this.#slots = slots;
    this.#isAlive = isAlive;
  }

  /**
   * Mails the holder of a slot if it is interested.
   *
   * @returns Whether it has mail now.
   */
  send(slot: number, bit: number): boolean {
    const slots = this.#slots;
    const interest = slots.load(slot, WORD.interest + (bit >> 5));
    if ((interest & 1 << bit) === 0) return false;
    const id = slots.idAt(slot);
    const name = [0, 1, 2, 3].map((at) => slots.load(slot, WORD.mailbox + at));
    let route = this.#routes.get(slot);
    if (route === undefined || !name.every((word, at) => word === route?.name[at])) {
      this.#forget(slot);
      if (name.every((word) => word === 0)) return false;
      const fd = openMailbox(name);
      if (fd < 0) return false;
      this.#routes.set(slot, route = { name, fd, id: 0, seenMs: 0 });
    }
    const result = writeByte(route.fd);
    // EAGAIN: it has mail in plenty. It is asked for last, so that whoever lives hears of it sooner.
    if (result >= 0 || errorCode(result) === "EAGAIN") return this.#isTrusted(route, id);
    this.#forget(slot);
    return false;
  }

  /** Mails so many of those who are interested. @returns How many took it. */
  sendSome(own: number, bit: number, count: number): number {
    const { words, bitmap, count: slotCount } = this.#slots;
    const groups = Math.ceil(slotCount / 32);
    let sent = 0;
    const start = this.#turn;
    for (let step = 0; step <= groups && sent < count; step++) {
      const group = ((start >> 5) + step) % groups;
      let bits = Atomics.load(words, bitmap + group);
      // Each group once, but that of the start in two halves: from the start on, and up to it.
      const fromStart = -1 << (start & 31);
      if (step === 0) bits &= fromStart;
      else if (step === groups) bits &= ~fromStart;
      for (; bits !== 0 && sent < count; bits &= bits - 1) {
        const slot = group * 32 + (31 - Math.clz32(bits & -bits));
        if (slot === own || slot >= slotCount || !this.send(slot, bit)) continue;
        sent++;
        this.#turn = (slot + 1) % slotCount;
      }
    }
    return sent;
  }

  #isTrusted(route: Route, id: number): boolean {
    const nowMs = performance.now();
    if (route.id === id && nowMs - route.seenMs < TRUST_MS) return true;
    if (!this.#isAlive(id)) return false;
    route.id = id;
    route.seenMs = nowMs;
    return true;
  }

  close(): void {
    for (const slot of [...this.#routes.keys()]) this.#forget(slot);
  }

  #forget(slot: number): void {
    const route = this.#routes.get(slot);
    if (route === undefined) return;
    this.#routes.delete(slot);
    close(route.fd);
  }
}

/** Opens what must be a FIFO, whatever else somebody may have put there. */
function openMailbox(name: readonly number[]): number {
  const { O_RDWR, O_NONBLOCK, O_NOFOLLOW, O_CLOEXEC } = platform().constants;
  const fd = open(mailboxPath(name), O_RDWR | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC, 0);
  if (fd < 0) return fd;
  const status = statusOf(fd);
  if (typeof status !== "number" && status.type === "FIFO") return fd;
  close(fd);
  return -1;
}
