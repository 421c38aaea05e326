/**
 * What every kind of attached memory has in common: a mapping, what it is called in messages, and
 * an end.
 *
 * @module
 */

import { type Action, misuse, stateError } from "../errors.ts";
import { failure, type Mapping, runtimeServices } from "../ffi/mod.ts";
import { ADVICES, type MemoryAdvice } from "./memory_options.ts";
import { checkChoice } from "./options.ts";

/** What a message calls it. */
export interface Subject {
  /** What kind of thing: `segment`. */
  readonly noun: string;
  /** Its name, where it has one. */
  readonly name?: string;
}

/** Warns when a handle is collected that was never closed: its memory can never be given back. */
const leaks = new FinalizationRegistry<string>((subject) => {
  runtimeServices().warn(
    `${subject} was garbage-collected without close(): its memory stays attached until the ` +
      "process ends. Declare it with `using`, or call close().",
  );
});

/** A range of bytes. */
export interface ByteRange {
  readonly byteOffset: number;
  readonly byteLength: number;
}

/** A mapping of a part. */
export interface Part {
  readonly mapping: Mapping;
  /** Where the part starts in the mapping. */
  readonly base: number;
}

/** Attached memory. */
export class Attachment {
  readonly subject: Subject;
  /** Where the bytes start in the buffer: not 0 for windows that start within a page. */
  readonly base: number;
  /**
   * Counts the mappings that have ended. Views of an earlier one are not to be used, though they may
   * not be empty: some engines do not detach a buffer while an asynchronous native works on it.
   */
  generation: number = 0;
  #mapping: Mapping;
  #closed = false;
  /** The windows of it that are open. */
  readonly #parts = new Set<Attachment>();
  /** What this is a window of. */
  #whole: Attachment | undefined;

  constructor(subject: Subject, mapping: Mapping, base: number = 0) {
    this.subject = subject;
    this.base = base;
    this.#mapping = mapping;
  }

  protected get mapping(): Mapping {
    return this.#mapping;
  }

  /** How many bytes there are. */
  get size(): number {
    return this.#mapping.byteLength - this.base;
  }

  /** Whether the bytes may be written: decided once, whatever becomes of the options. */
  get writable(): boolean {
    return this.#mapping.writable;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** What is being done to it, for messages. */
  action(verb: string): Action {
    return { verb, ...this.subject };
  }

  /** Throws when it is closed. */
  assertOpen(verb: string): void {
    if (!this.#closed) return;
    throw stateError(
      this.action(verb),
      "ERR_SHM_CLOSED",
      "this handle is closed",
      "Open it again.",
    );
  }

  /** The buffer over the bytes; throws when there is none any more, or none that long. */
  buffer(verb: string): ArrayBuffer {
    this.assertOpen(verb);
    if (!this.#mapping.isViewable) {
      throw new RangeError(
        misuse(
          this.action(verb),
          `its bytes must fit into one ArrayBuffer of this runtime, which ends at ` +
            `${runtimeServices().maxBufferByteLength}: use window(byteOffset, byteLength)`,
          this.size,
        ),
      );
    }
    const buffer = this.#mapping.buffer;
    if (buffer.detached) {
      throw stateError(
        this.action(verb),
        "ERR_SHM_CLOSED",
        "its buffer was transferred away",
        "Close this handle and open it again; pass copies to whatever takes buffers over.",
      );
    }
    return buffer;
  }

  /** Checks a range of the bytes: to the end by default. */
  checkRange(verb: string, byteOffset: unknown, byteLength: unknown): ByteRange {
    const start = this.#checkBound(verb, "byteOffset", byteOffset ?? 0, this.size);
    const most = this.size - start;
    return {
      byteOffset: start,
      byteLength: this.#checkBound(verb, "byteLength", byteLength ?? most, most),
    };
  }

  #checkBound(verb: string, what: string, value: unknown, maximum: number): number {
    const rule = `${what} must be an integer from 0 to ${maximum}`;
    if (typeof value !== "number") throw new TypeError(misuse(this.action(verb), rule, value));
    if (Number.isSafeInteger(value) && value >= 0 && value <= maximum) return value;
    throw new RangeError(misuse(this.action(verb), rule, value));
  }

  advise(advice: MemoryAdvice, byteOffset?: number, byteLength?: number): void {
    this.assertOpen("advise");
    const action = this.action("advise");
    const checked = checkChoice(action, "advice", advice, Object.keys(ADVICES) as MemoryAdvice[]);
    const range = this.checkRange("advise", byteOffset, byteLength);
    if (range.byteLength === 0) return;
    const start = this.base + range.byteOffset;
    const result = this.#mapping.advise(ADVICES[checked], start, range.byteLength);
    if (result < 0) {
      const remedy = `This kernel cannot do "${checked}" for this kind of memory.`;
      throw failure(action, result, "madvise", remedy);
    }
  }

  flush(byteOffset?: number, byteLength?: number): void {
    this.assertOpen("flush");
    const range = this.checkRange("flush", byteOffset, byteLength);
    if (range.byteLength === 0) return;
    const result = this.#mapping.flush(this.base + range.byteOffset, range.byteLength);
    if (result < 0) throw failure(this.action("flush"), result, "msync");
  }

  /** A part of it that has a mapping of its own, and is closed with it at the latest. */
  window(byteOffset: number, byteLength: number): Attachment {
    const verb = "open a window of";
    this.assertOpen(verb);
    const action = this.action(verb);
    const range = this.checkRange(verb, byteOffset, byteLength);
    if (range.byteLength === 0) {
      throw new RangeError(misuse(action, "byteLength must be at least 1", byteLength));
    }
    const { mapping, base } = this.mapPart(action, range.byteOffset, range.byteLength);
    const noun = `window of ${this.subject.noun}`;
    const window = new Attachment({ ...this.subject, noun }, mapping, base);
    this.#parts.add(window);
    window.#whole = this;
    return window;
  }

  /** Maps a part of it once more. */
  protected mapPart(action: Action, _byteOffset: number, _byteLength: number): Part {
    throw new TypeError(misuse(action, "it must not be a window itself", "one"));
  }

  /** Makes every view empty, and every window, until there is another mapping. */
  protected detach(): void {
    this.generation++;
    this.#closeParts();
    this.#mapping.close();
  }

  /** Puts another mapping in the place of this one: every view becomes empty, and every window. */
  protected replace(mapping: Mapping): void {
    this.detach();
    this.#mapping = mapping;
  }

  /** Warns when the given object is collected before `close()`. */
  watch(owner: object): void {
    const { noun, name } = this.subject;
    leaks.register(owner, name === undefined ? noun : `${noun} ${JSON.stringify(name)}`, this);
  }

  /** Detaches every view and gives the memory up. Idempotent. @returns Whether it was open. */
  close(): boolean {
    if (this.#closed) return false;
    this.#closed = true;
    this.generation++;
    leaks.unregister(this);
    if (this.#whole !== undefined) this.#whole.#parts.delete(this);
    this.#closeParts();
    this.#mapping.close();
    return true;
  }

  #closeParts(): void {
    for (const window of this.#parts) window.close();
    this.#parts.clear();
  }
}
