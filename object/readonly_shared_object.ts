/**
 * @module
 */

import type { Fields, Infer } from "../layout/field.ts";
import type { Struct } from "../layout/struct.ts";
import type { ObjectHandle } from "../memory/objects/object_handle.ts";
import { AttachedObject } from "./attached_object.ts";

/**
 * An object that this process can read and cannot change; got from `SharedObject.open(name, layout,
 * { readonly: true })`, which needs the right to read only. JavaScript has no read-only view of
 * memory, so that it gives copies.
 *
 * @example
 * ```ts
 * import { SharedObject, t } from "@shmkit/shmkit";
 *
 * const Reading = t.struct("Reading", { celsius: t.f64, count: t.u32 });
 * using sensor = SharedObject.create("doc-sensor", Reading, { celsius: 21.5 }, {
 *   lifetime: "creator",
 *   mode: 0o644,
 * });
 *
 * using display = SharedObject.open("doc-sensor", Reading, { readonly: true });
 * console.log(display.snapshot().celsius, sensor.value.count); // 21.5 0
 * ```
 */
export class ReadonlySharedObject<L extends Struct<Fields>> extends AttachedObject<L> {
  readonly #handle: ObjectHandle;

  /** @ignore Use `SharedObject.open(name, layout, { readonly: true })`. */
  constructor(handle: ObjectHandle, layout: L) {
    super(handle, layout);
    this.#handle = handle;
  }

  /** Copies the value out, as {@linkcode AttachedObject.snapshot} says. */
  override snapshot(into?: Infer<L>): Infer<L> {
    const { layout } = this;
    // Not read in place: that could take an atomic load, which some engines make with a write.
    const bytes = new Uint8Array(this.#handle.buffer("read"), 0, layout.size).slice();
    return layout.read(bytes, 0, into as never) as Infer<L>;
  }
}
