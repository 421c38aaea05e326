/**
 * Reading and writing an object of this runtime slot by slot, through its live views.
 *
 * @module
 */

import type { Fields, Struct } from "../../../layout/mod.ts";
import type { SharedObject } from "../../../object/shared_object.ts";
import type { Slot } from "./slots.ts";
import { fromText, someTextsOf, textOf, type Texts, valueOf } from "./texts.ts";

/** What is found in views: views of structs, typed arrays, `Elements` and cells. */
interface Node {
  [key: string | number]: unknown;
  at(index: number): unknown;
  set(index: number, value: unknown): void;
  load(): unknown;
  store(value: unknown): void;
}

/** An object of which the slots are known. */
export class Live {
  readonly #object: SharedObject<Struct<Fields>>;
  readonly #slots: readonly Slot[];
  #writes = 0;

  constructor(object: SharedObject<Struct<Fields>>, slots: readonly Slot[]) {
    this.#object = object;
    this.#slots = slots;
  }

  /** Reads some slots through views, and in a copy, which must say the same. */
  get(numbers: Iterable<number>): Texts {
    const texts = new Map([...numbers].map((number) => {
      const slot = this.#slots[number] as Slot;
      return [number, textOf(slot, this.#read(slot))];
    }));
    const copied = someTextsOf(this.#slots, texts.keys(), this.#object.snapshot());
    for (const [number, text] of texts) {
      if (copied.get(number) === text) continue;
      const { path } = this.#slots[number] as Slot;
      throw new Error(`${path} is ${text} in a view, and ${copied.get(number)} in a copy`);
    }
    return texts;
  }

  /** Writes a value: slot by slot, and every other time as a whole. */
  set(texts: Texts): void {
    if (this.#writes++ % 2 === 1) return this.#object.assign(valueOf(this.#slots, texts));
    for (const [number, text] of texts) {
      const slot = this.#slots[number] as Slot;
      this.#write(slot, fromText(slot, text));
    }
  }

  #read({ steps, kind }: Slot): unknown {
    const found = steps.reduce<unknown>(inside, this.#object.value);
    return kind === "atomic" ? (found as Node).load() : found;
  }

  #write({ steps, kind }: Slot, value: unknown): void {
    const last = steps.at(-1) as Slot["steps"][number];
    const owner = steps.slice(0, -1).reduce<unknown>(inside, this.#object.value) as Node;
    if (kind === "atomic") (inside(owner, last) as Node).store(value);
    else if (kind === "bytes") (inside(owner, last) as Uint8Array).set(value as Uint8Array);
    else if ("name" in last) owner[last.name] = value;
    else if (ArrayBuffer.isView(owner)) owner[last.index] = value;
    else owner.set(last.index, value);
  }
}

function inside(node: unknown, step: Slot["steps"][number]): unknown {
  const owner = node as Node;
  return "name" in step ? owner[step.name] : owner.at(step.index);
}
