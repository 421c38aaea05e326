/**
 * What one handle has to do with synchronisation, and the participant that it shares with the other
 * handles of this thread to the same object.
 *
 * @module
 */

import { type Action, type ShmError, stateError } from "../../errors.ts";
import { atExit } from "../../memory/exit.ts";
import type { ObjectHandle, Participation } from "../../memory/objects/object_handle.ts";
import { Participant } from "./participant.ts";

/** A participant, and the parts of the handles of this thread that go through it. */
interface Shared {
  readonly participant: Participant;
  readonly callOff: () => void;
  readonly memberships: Set<Membership>;
}

/**
 * The participants of this thread, by device and inode. All copies of the library in a program have
 * the same, or one thread would be two, and wait for itself.
 */
function registry(): Map<string, Shared> {
  const key = Symbol.for("shmkit.participants.1");
  const globals = globalThis as unknown as Record<symbol, Map<string, Shared> | undefined>;
  return globals[key] ??= new Map();
}

/**
 * The thread is about to end. Handlers of others may still release what is held, and lock: but nobody who
 * waits is to get anything any more, which nobody would release.
 */
function retire(participant: Participant, memberships: Set<Membership>): void {
  for (const { cancellations } of memberships) cancellations.clear();
  participant.retire([...memberships].some(({ held }) => held > 0));
}

/** The thread has ended, and the process may go on: what it holds is left as that of the dead. */
function detach(key: string, participant: Participant, memberships: Set<Membership>): void {
  for (const membership of memberships) membership.closed = true;
  registry().delete(key);
  participant.detach();
}

/** A handle's part in synchronisation. */
export class Membership implements Participation {
  readonly participant: Participant;
  /** How many locks and permits are held that were got through this handle. */
  held = 0;
  /** Whether the handle has been closed. */
  closed = false;
  /** What ends the waits of this handle's promises with an error, and its parts in barriers. */
  readonly cancellations: Set<(reason: unknown) => void> = new Set();
  readonly #key: string;
  readonly #action: (verb: string) => Action;
  readonly #noted: number;

  private constructor(handle: ObjectHandle, action: Action) {
    const { deviceMajor, deviceMinor, inode } = handle.file;
    this.#key = `${deviceMajor}:${deviceMinor}:${inode}`;
    this.#action = (verb) => handle.action(verb);
    const participants = registry();
    let shared = participants.get(this.#key);
    if (shared === undefined) {
      const participant = Participant.attach(handle, action);
      const memberships = new Set<Membership>();
      const key = this.#key;
      const callOff = atExit(
        () => retire(participant, memberships),
        () => detach(key, participant, memberships),
      );
      participants.set(this.#key, shared = { participant, callOff, memberships });
    }
    shared.memberships.add(this);
    this.participant = shared.participant;
    this.#noted = this.participant.noteHandle(handle.fd);
  }

  /**
   * The part of a handle, which begins with the first verb.
   *
   * @throws {ShmError} `ERR_SHM_CLOSED`; `ERR_SHM_FULL`; `ERR_SHM_UNSUPPORTED` for memory that another
   * program has made.
   */
  static of(handle: ObjectHandle, action: Action): Membership {
    const { participation } = handle;
    if (participation instanceof Membership) {
      if (participation.closed) throw participation.closedError(action.verb); // its thread is ending
      return participation;
    }
    handle.buffer(action.verb); // throws when it is closed
    const membership = new Membership(handle, action);
    handle.participation = membership;
    return membership;
  }

  assertFree(action: Action): void {
    if (this.held === 0) return;
    throw stateError(
      action,
      "EBUSY",
      `this thread holds ${
        this.held === 1 ? "a lock or permit" : `${this.held} locks or permits`
      } of it`,
      "Release what is held first: best with using.",
    );
  }

  end(): void {
    if (this.closed) return;
    this.closed = true;
    const cancellations = [...this.cancellations];
    this.cancellations.clear();
    for (const cancel of cancellations) cancel(this.closedError("wait for"));
    this.participant.forgetHandle(this.#noted);
    const participants = registry();
    const shared = participants.get(this.#key);
    if (shared === undefined) return;
    shared.memberships.delete(this);
    if (shared.memberships.size > 0) return;
    participants.delete(this.#key);
    shared.callOff();
    shared.participant.detach();
  }

  /** The error of a guard that has lost its lock, or never had it. */
  lostError(verb: string, noun: string, reason: string = "this guard does not hold it"): ShmError {
    return stateError(
      { ...this.#action(verb), noun: `${noun} in` },
      "ERR_SHM_LOCK_LOST",
      reason,
      "Find out who releases it, or writes over it.",
    );
  }

  /** The error of a verb after the handle was closed. */
  closedError(verb: string): ShmError {
    return stateError(
      this.#action(verb),
      "ERR_SHM_CLOSED",
      "this handle is closed",
      "Open the object again.",
    );
  }
}
