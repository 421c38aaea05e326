/**
 * An attached object: memory that says what is in it, and when it goes.
 *
 * @module
 */

import type { Action } from "../../errors.ts";
import type { FileStatus } from "../../ffi/mod.ts";
import { atExit } from "../exit.ts";
import type { SegmentHandle } from "../files/segment_handle.ts";
import type { SegmentStat } from "../segment_info.ts";
import { leaveAndRemove } from "./abandoned.ts";
import type { ObjectHeader } from "./header.ts";

/** What a thread does at an object beside having it mapped: it synchronises with others. */
export interface Participation {
  /**
   * Throws when it must not end yet: a lock is held through it.
   *
   * @param action What would end it.
   */
  assertFree(action: Action): void;
  /** Ends it, while the object is still attached. Never throws for what others did. */
  end(): void;
}

/** An attached object. */
export class ObjectHandle {
  /** What it says about itself; undefined for one that another program has made without. */
  readonly header: ObjectHeader | undefined;
  readonly created: boolean;
  /**
   * Who synchronises through this handle: set by the first who does. It ends with {@linkcode close}. When
   * the thread ends before, it is left to others, who find out that it is dead.
   */
  participation: Participation | undefined = undefined;
  /**
   * Finds the entry of a field in the row that each participant has, in bytes, given the position of
   * the field. Set by who knows the layout; an object that is one field alone has its entry first.
   */
  rowOffsetOf: (position: number) => number | undefined = () => 0;
  readonly #segment: SegmentHandle;
  readonly #end: () => void;

  constructor(segment: SegmentHandle, header: ObjectHeader | undefined, created: boolean) {
    this.header = header;
    this.created = created;
    this.#segment = segment;
    this.#end = this.#endOfLife();
  }

  get name(): string {
    return this.#segment.identity.name;
  }

  /** The descriptor; throws when it is closed. */
  get fd(): number {
    return this.#segment.fd;
  }

  /** Where others can open it; throws when it is closed. */
  get path(): string {
    return this.#segment.path;
  }

  /** What the file was when it was opened: device and inode tell it from others. */
  get file(): FileStatus {
    return this.#segment.file;
  }

  get writable(): boolean {
    return this.#segment.writable;
  }

  get closed(): boolean {
    return this.#segment.closed;
  }

  /** What is being done to it, for messages. */
  action(verb: string): Action {
    return this.#segment.action(verb);
  }

  /** The bytes, the payload first; throws when it is closed. */
  buffer(verb: string): ArrayBuffer {
    return this.#segment.buffer(verb);
  }

  /** Warns when the given object is collected before `close()`. */
  watch(owner: object): void {
    this.#segment.watch(owner);
  }

  stat(): SegmentStat {
    return this.#segment.stat();
  }

  unlink(): boolean {
    this.#segment.assertOpen("unlink");
    return this.#segment.unlink();
  }

  /**
   * Detaches, and removes the name when its lifetime ends with that. Idempotent. Throws, and does
   * nothing, while a lock is held.
   */
  close(): void {
    if (this.closed) return;
    const { participation } = this;
    participation?.assertFree(this.action("close"));
    this.participation = undefined; // from now on nobody finds it
    try {
      participation?.end();
    } finally {
      this.#detach();
    }
  }

  #detach(): void {
    try {
      this.#end();
    } finally {
      this.#segment.close();
    }
  }

  /** What is to be done at the end; also when the thread ends before. */
  #endOfLife(): () => void {
    const segment = this.#segment;
    // What came by a descriptor or a path is not counted: a duplicate shares its owner's lock, so that
    // to end its attendance would end that of the owner.
    const lifetime = segment.identity.kind === "posix" ? this.header?.lifetime : undefined;
    const end = lifetime === "creator" && this.created
      ? () => void segment.unlink()
      : lifetime === "lastDetach"
      ? () => this.#leave()
      : undefined;
    if (end === undefined) return () => {};
    const callOff = atExit(end);
    return () => {
      callOff();
      end();
    };
  }

  #leave(): void {
    const { fd, file, writable } = this.#segment;
    const action = { ...this.action("close"), name: this.name };
    leaveAndRemove(action, { fd, status: file, writable });
  }
}
