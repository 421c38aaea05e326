/**
 * A thread's place at an object: what every verb of synchronisation goes through.
 *
 * @module
 */

import { type Action, misuse, stateError } from "../../errors.ts";
import {
  close,
  failure,
  getpid,
  gettid,
  isByteLocked,
  isSameFile,
  lockByte,
  Mapping,
  open,
  ownDescriptorPath,
  pidNamespace,
  platform,
  refusal,
  statusOf,
  threadStart,
} from "../../ffi/mod.ts";
import type { ObjectHeader } from "../../memory/objects/header.ts";
import type { ObjectHandle } from "../../memory/objects/object_handle.ts";
import { placesOf } from "../../memory/objects/trailer.ts";
import { bitOfInterest, MailRoutes } from "../waiting/mail.ts";
import { type Mailbox, mailboxFor, removeMailbox } from "../waiting/mailbox.ts";
import type { Attempt, Place } from "../protocols/place.ts";
import { Spinner } from "../waiting/spinner.ts";
import type { Sleeper } from "../waiting/plain.ts";
import {
  BITMAPS_BYTE_LENGTH,
  HANDLES,
  idOf,
  SLOT_BYTE_LENGTH,
  SLOT_LOCKS,
  slotOf,
  Slots,
  WORD,
} from "./slots.ts";
import { sweep } from "./sweep.ts";

/** A thread that takes part in synchronisation at an object. */
export class Participant implements Place, Sleeper {
  readonly id: number;
  readonly words: Int32Array<ArrayBuffer>;
  /** Which entry of the table is ours. */
  readonly slot: number;
  readonly slots: Slots;
  /** What is kept for each primitive of the object, by its index: made once, and shared by all handles. */
  readonly states: Map<number, object> = new Map();
  readonly #mapping: Mapping;
  readonly #fd: number;
  readonly #namespace: number;
  readonly #routes: MailRoutes;
  readonly #spinners = new Map<number, Spinner>();
  readonly #permissions: { readonly mode: number; readonly gid: number };
  /** How often each bit of the interest is wanted. */
  readonly #interest: number[] = new Array(64).fill(0);
  readonly #rows: { readonly first: number; readonly stride: number };
  #mailbox: Mailbox | undefined;
  #retired = false;
  #closed = false;

  private constructor(
    mapping: Mapping,
    fd: number,
    slots: Slots,
    slot: number,
    header: ObjectHeader,
    permissions: { readonly mode: number; readonly gid: number },
  ) {
    this.#mapping = mapping;
    this.#fd = fd;
    this.#namespace = pidNamespace();
    this.#permissions = permissions;
    this.#routes = new MailRoutes(slots, (id) => this.isAlive(id));
    this.#rows = {
      first: placesOf(header).readerRows / 4,
      stride: header.readerRowByteLength / 4,
    };
    this.words = slots.words;
    this.slots = slots;
    this.slot = slot;
    this.id = this.#enter();
  }

  /**
   * Takes a place in the table of an object.
   *
   * @throws {ShmError} `ERR_SHM_FULL` when all places are taken by the living.
   */
  static attach(handle: ObjectHandle, action: Action): Participant {
    const header = headerOf(handle, action);
    // A description of its own, of which nobody else knows: its lock ends with this process's memory.
    const { O_RDWR, O_CLOEXEC } = platform().constants;
    const fd = open(ownDescriptorPath(handle.fd), O_RDWR | O_CLOEXEC, 0);
    if (fd < 0) throw failure(action, fd, "open");
    let mapping: Mapping | undefined;
    try {
      const status = statusOf(fd);
      if (typeof status === "number") throw failure(action, status, "statx");
      if (!isSameFile(status, handle.file)) {
        throw refusal(action, "ENOENT", "open", "Open the object again.");
      }
      const mapped = Mapping.map(fd, placesOf(header).byteLength, true);
      if (typeof mapped === "number") throw failure(action, mapped, "mmap");
      mapping = mapped;
      const words = new Int32Array(mapping.buffer, 0, mapping.byteLength / 4);
      const slots = new Slots(words, header);
      sweep(slots, fd, status);
      const slot = takeSlot(action, slots, fd);
      return new Participant(mapping, fd, slots, slot, header, status);
    } catch (error) {
      mapping?.close();
      close(fd);
      throw error;
    }
  }

  /** Whether a participant is not known to be dead: who is, stays so. */
  isAlive(id: number): boolean {
    const { slots } = this;
    if (!slots.isCurrent(id)) return false;
    const slot = slotOf(id);
    const locked = isByteLocked(this.#fd, SLOT_LOCKS + slot);
    if (locked === 0) return false;
    // A lock that cannot be asked for is no proof. Of the death of a thread there is another one.
    return !(slots.isThreadGone(slot, this.#namespace) && slots.isCurrent(id)) &&
      slots.isCurrent(id);
  }

  spin(attempt: Attempt): void {
    const { sleepIndex } = attempt;
    let spinner = this.#spinners.get(sleepIndex);
    if (spinner === undefined) this.#spinners.set(sleepIndex, spinner = new Spinner());
    spinner.spin(attempt);
  }

  sleep(index: number, value: number, timeoutMs: number): boolean {
    const { slots, slot } = this;
    slots.store(slot, WORD.sleeping, index + 1);
    const result = this.#mapping.futexWait(index * 4, value, timeoutMs);
    slots.store(slot, WORD.sleeping, 0);
    return platform().errorCodes[-result] === "ETIMEDOUT";
  }

  wake(index: number, count: number): number {
    return this.#mapping.futexWake(index * 4, count);
  }

  mail(id: number, index: number): boolean {
    return this.slots.isCurrent(id) && this.#routes.send(slotOf(id), bitOfInterest(index));
  }

  mailSome(index: number, count: number): number {
    return this.#routes.sendSome(this.slot, bitOfInterest(index), count);
  }

  get slotCount(): number {
    return this.slots.count;
  }

  get sharing(): number {
    return this.slots.sharing;
  }

  idAt(slot: number): number {
    return this.slots.idAt(slot);
  }

  rowIndex(slot: number, offset: number): number {
    return this.#rows.first + slot * this.#rows.stride + offset / 4;
  }

  /** Lets others know that the event loop of this thread waits for a word. */
  beginAwaiting(index: number, onMail: () => void): void {
    const { slots, slot } = this;
    if (this.#mailbox === undefined && !this.#retired) {
      this.#mailbox = mailboxFor(this.#permissions, onMail);
      this.#mailbox?.name.forEach((word, at) => slots.store(slot, WORD.mailbox + at, word));
    }
    this.#mailbox?.ref();
    const bit = bitOfInterest(index);
    const wanted = this.#interest[bit] as number;
    this.#interest[bit] = wanted + 1;
    if (wanted === 0) {
      Atomics.or(this.words, slots.at(slot, WORD.interest + (bit >> 5)), 1 << bit);
      Atomics.or(this.words, slots.bitmap + (slot >> 5), 1 << slot);
    }
    Atomics.add(this.words, slots.at(slot, WORD.awaiting), 1);
  }

  /** Takes back what {@linkcode beginAwaiting} has let others know. */
  endAwaiting(index: number): void {
    const { slots, slot } = this;
    const bit = bitOfInterest(index);
    this.#mailbox?.unref();
    if (--(this.#interest[bit] as number) === 0) {
      Atomics.and(this.words, slots.at(slot, WORD.interest + (bit >> 5)), ~(1 << bit));
      if (this.#interest.every((count) => count === 0)) {
        Atomics.and(this.words, slots.bitmap + (slot >> 5), ~(1 << slot));
      }
    }
    Atomics.sub(this.words, slots.at(slot, WORD.awaiting), 1);
  }

  /** Notes the descriptor of a handle, for whoever sweeps. @returns Where; -1 if there is no room. */
  noteHandle(fd: number): number {
    const { slots, slot } = this;
    for (let at = 0; at < HANDLES; at++) {
      if (slots.load(slot, WORD.handles + at) !== 0) continue;
      slots.store(slot, WORD.handles + at, fd + 1);
      return at;
    }
    return -1;
  }

  /** Takes back what {@linkcode noteHandle} has noted, before the descriptor is closed. */
  forgetHandle(at: number): void {
    if (at >= 0) this.slots.store(this.slot, WORD.handles + at, 0);
  }

  /**
   * Takes no more mail, since the thread is about to end, but can still lock and release.
   *
   * @param isOwner Whether others may find something of its own when it has ended: who that was is left in
   * the slot then.
   */
  retire(isOwner: boolean): void {
    if (this.#closed) return;
    this.#retired = true;
    this.#endMail();
    if (!isOwner) this.slots.store(this.slot, WORD.thread, 0);
  }

  /** Gives the place up. Locks that are held are left as those of the dead. */
  detach(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#endMail();
    clearSlot(this.slots, this.slot);
    lockByte(this.#fd, "none", SLOT_LOCKS + this.slot);
    this.#mapping.close();
    close(this.#fd);
  }

  #endMail(): void {
    this.#mailbox?.release();
    this.#mailbox = undefined;
    this.#routes.close(); // which would look like readers of the mailboxes of the dead
    removeMailboxes(this.slots);
    clearInterest(this.slots, this.slot);
  }

  /** Fills the slot in. @returns The id. */
  #enter(): number {
    const { slots, slot } = this;
    removeMailboxes(slots);
    slots.store(slot, WORD.thread, 0);
    // From here on whoever had the slot before is dead for all.
    const generation = Atomics.add(this.words, slots.at(slot, WORD.generation), 1) + 1;
    clearSlot(slots, slot);
    slots.store(slot, WORD.pid, getpid());
    slots.store(slot, WORD.descriptor, this.#fd);
    slots.storeLong(slot, WORD.start, threadStart());
    slots.storeLong(slot, WORD.namespace, this.#namespace);
    slots.store(slot, WORD.thread, gettid());
    return idOf(slot, generation);
  }
}

/** Removes what a participant says about itself and what it waits for. */
function clearSlot(slots: Slots, slot: number): void {
  slots.store(slot, WORD.thread, 0);
  Atomics.and(slots.words, slots.sharing + (slot >> 5), ~(1 << slot));
  clearInterest(slots, slot);
  for (let word: number = WORD.handles; word < WORD.handles + HANDLES; word++) {
    slots.store(slot, word, 0);
  }
}

/** Removes what a participant says about what it waits for. */
function clearInterest(slots: Slots, slot: number): void {
  Atomics.and(slots.words, slots.bitmap + (slot >> 5), ~(1 << slot));
  for (let word: number = WORD.mailbox; word < WORD.handles; word++) slots.store(slot, word, 0);
}

/** Removes the mailboxes of those who have died since somebody came or went. */
function removeMailboxes(slots: Slots): void {
  for (let slot = 0; slot < slots.count; slot++) {
    const name = [0, 1, 2, 3].map((at) => slots.load(slot, WORD.mailbox + at));
    if (name.some((word) => word !== 0)) removeMailbox(name);
  }
}

/** Locks a slot that nobody has. */
function takeSlot(action: Action, slots: Slots, fd: number): number {
  const start = Math.floor(Math.random() * slots.count);
  for (let step = 0; step < slots.count; step++) {
    const slot = (start + step) % slots.count;
    const result = lockByte(fd, "exclusive", SLOT_LOCKS + slot);
    if (result >= 0) return slot;
    if (platform().errorCodes[-result] !== "EAGAIN") throw failure(action, result, "fcntl");
  }
  throw stateError(
    action,
    "ERR_SHM_FULL",
    `${slots.count} threads synchronise on it already, which is as many as it was made for`,
    "Create it with more { participants }, or have others close it.",
  );
}

function headerOf(handle: ObjectHandle, action: Action): ObjectHeader {
  const { header } = handle;
  if (header === undefined) {
    throw stateError(
      action,
      "ERR_SHM_UNSUPPORTED",
      "another program has made its memory, without the tables that synchronisation needs",
      "Let SharedObject.create() make it.",
    );
  }
  if (
    header.slotByteLength < SLOT_BYTE_LENGTH || header.waitersByteLength < BITMAPS_BYTE_LENGTH
  ) {
    throw stateError(
      action,
      "ERR_SHM_UNSUPPORTED",
      "its tables are smaller than synchronisation needs",
      "Create it anew with this version of the library.",
    );
  }
  if (handle.writable) return header;
  throw new TypeError(misuse(action, "the object must be open for writing", "a read-only one"));
}
