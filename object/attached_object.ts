/**
 * @module
 */

import { INSPECT, type Inspect, inspectable, jsonOf } from "../layout/by_value.ts";
import type { Fields, Infer } from "../layout/field.ts";
import type { Struct } from "../layout/struct.ts";
import type { ObjectHandle } from "../memory/objects/object_handle.ts";
import type { SegmentStat } from "../memory/segment_info.ts";

/** An object that this process is attached to: what those that write and those that read share. */
export abstract class AttachedObject<L extends Struct<Fields>> implements Disposable {
  /** What is in it. */
  readonly layout: L;
  readonly #handle: ObjectHandle;

  /** @ignore Made by the functions that attach to objects. */
  constructor(handle: ObjectHandle, layout: L) {
    this.layout = layout;
    this.#handle = handle;
    handle.watch(this);
  }

  /** The name, without a leading slash; of anonymous memory its label; of a file its path. */
  get name(): string {
    return this.#handle.name;
  }

  /**
   * The descriptor. It belongs to this handle: do not close it.
   *
   * @throws {ShmError} `ERR_SHM_CLOSED`: the number may be another file's then.
   */
  get fd(): number {
    return this.#handle.fd;
  }

  /**
   * A path by which other processes of this user can open it, with `SharedObject.openFile` or the
   * `open` of any language: of anonymous memory, as long as this handle is open.
   *
   * @throws {ShmError} `ERR_SHM_CLOSED`.
   */
  get path(): string {
    return this.#handle.path;
  }

  /** Whether {@linkcode close} was called. */
  get closed(): boolean {
    return this.#handle.closed;
  }

  /**
   * Whether another program has made it, as a bare struct: then it does not say what its layout is,
   * and nobody can tell whether it is the right one.
   */
  get foreign(): boolean {
    return this.#handle.header === undefined;
  }

  /**
   * Copies the value out: plain data, atomics as numbers. **It may be torn** if a peer writes
   * meanwhile: half of the fields of before, half of after. A single scalar never is, in an object
   * that can be written.
   *
   * @param into What an earlier call gave, to be filled again: nothing is allocated for structs and
   * arrays then.
   * @throws {RangeError} When an enumeration holds a number that has no name.
   * @throws {ShmError} `ERR_SHM_CLOSED`.
   */
  abstract snapshot(into?: Infer<L>): Infer<L>;

  /**
   * What the kernel knows of it now. The size is that of the file: the struct, and what the library
   * keeps behind it.
   *
   * @throws {ShmError} `ERR_SHM_CLOSED`.
   */
  stat(): SegmentStat {
    return this.#handle.stat();
  }

  /**
   * Detaches. What `value` gave throws from now on. The name goes if the
   * lifetime says so. Idempotent.
   *
   * @throws {ShmError} While a lock is held through it: then nothing is closed. When the name could
   * not be removed; the handle is closed all the same.
   */
  close(): void {
    this.#handle.close();
  }

  /** As {@linkcode close}, for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** The value as JSON has it: bigints in decimal, arrays as lists. */
  toJSON(): unknown {
    return jsonOf(this.snapshot());
  }

  static {
    // What consoles print.
    const print = function (
      this: AttachedObject<Struct<Fields>>,
      _depth: unknown,
      options: unknown,
      inspect?: Inspect,
    ): unknown {
      if (this.closed) return `${this.constructor.name} ${JSON.stringify(this.name)} (closed)`;
      const shown = inspectable(() => this.snapshot());
      if (inspect === undefined) return shown;
      return `${this.constructor.name} ${JSON.stringify(this.name)} ${inspect(shown, options)}`;
    };
    Object.defineProperty(this.prototype, INSPECT, { value: print });
  }
}
