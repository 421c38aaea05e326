/**
 * Values as text that says them exactly, and is the same in every language:
 *
 *     whole numbers   in decimal; truth values as 0 and 1
 *     others          their bits in hexadecimal, or "nan", of which there are many
 *     enumerations    the name
 *     text, bytes     "x", and two hexadecimal digits for each byte
 *
 * @module
 */

import type { Slot } from "./slots.ts";

/** The text of each slot that a value has, by the number of the slot. */
export type Texts = ReadonlyMap<number, string>;

type Node = Record<string | number, unknown>;

/** Says a value. Of unions it has one member each. */
export function textsOf(slots: readonly Slot[], value: unknown): Texts {
  const texts = new Map<number, string>();
  for (const [number, slot] of slots.entries()) {
    const part = partOf(slot, value);
    if (part !== undefined) texts.set(number, textOf(slot, part));
  }
  return texts;
}

/** Says some slots of a copy, which has all members of unions. */
export function someTextsOf(
  slots: readonly Slot[],
  numbers: Iterable<number>,
  value: unknown,
): Texts {
  return new Map([...numbers].map((number) => {
    const slot = slots[number] as Slot;
    return [number, textOf(slot, partOf(slot, value))];
  }));
}

/** Makes a value of which {@linkcode textsOf} says this. */
export function valueOf(slots: readonly Slot[], texts: Texts): Record<string, unknown> {
  const root: Node = {};
  for (const [number, text] of texts) {
    const slot = slots[number] as Slot;
    let node = root;
    for (const [depth, step] of slot.steps.entries()) {
      const next = slot.steps[depth + 1];
      const key = "name" in step ? step.name : step.index;
      if (next === undefined) node[key] = fromText(slot, text);
      else node = (node[key] ??= "name" in next ? {} : []) as Node;
    }
  }
  return root;
}

function partOf({ steps, path }: Slot, value: unknown): unknown {
  let part = value;
  for (const step of steps) {
    part = (part as Node)["name" in step ? step.name : step.index];
    if (part !== undefined) continue;
    if ("name" in step && step.owner.kind === "union") return undefined;
    throw new Error(`${path} is missing`);
  }
  return part;
}

/** Says the value of a slot. */
export function textOf({ kind }: Slot, value: unknown): string {
  switch (kind) {
    case "f16":
    case "f32":
    case "f64":
      return floatText(kind, value as number);
    case "cstring":
      return hexOf(new TextEncoder().encode(value as string));
    case "bytes":
      return hexOf(value as Uint8Array);
    default:
      return String(typeof value === "boolean" ? Number(value) : value);
  }
}

/** The other way round. */
export function fromText({ kind, base, width }: Slot, text: string): unknown {
  switch (kind) {
    case "f16":
    case "f32":
    case "f64":
      return fromFloatText(kind, text);
    case "cstring":
      return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytesOf(text));
    case "bytes":
      return bytesOf(text);
    case "enumeration":
      return text;
    case "bool":
      return text === "1";
    case "bit":
      return width === 1 ? text === "1" : Number(text);
    default:
      return base === "u64" || base === "i64" ? BigInt(text) : Number(text);
  }
}

/** A `DataView` as all runtimes have it. */
type View = DataView & {
  setFloat16(byteOffset: number, value: number): void;
  getFloat16(byteOffset: number): number;
};

const view = new DataView(new ArrayBuffer(8)) as View;

function floatText(kind: "f16" | "f32" | "f64", value: number): string {
  if (Number.isNaN(value)) return "nan";
  if (kind === "f64") view.setFloat64(0, value);
  else if (kind === "f32") view.setFloat32(0, value);
  else view.setFloat16(0, value);
  return hexOf(new Uint8Array(view.buffer, 0, SIZES[kind])).slice(1);
}

function fromFloatText(kind: "f16" | "f32" | "f64", text: string): number {
  if (text === "nan") return NaN;
  new Uint8Array(view.buffer).set(bytesOf(`x${text}`));
  if (kind === "f64") return view.getFloat64(0);
  return kind === "f32" ? view.getFloat32(0) : view.getFloat16(0);
}

const SIZES = { f16: 2, f32: 4, f64: 8 } as const;

function hexOf(bytes: Uint8Array): string {
  return `x${[...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}

function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(text.slice(1).match(/../g) ?? [], (byte) => parseInt(byte, 16));
}

/** As words of a line: `SLOT=TEXT`. */
export function wordsOf(texts: Texts): string[] {
  return [...texts].map(([number, text]) => `${number}=${text}`);
}

/** The other way round. */
export function fromWords(words: readonly string[]): Texts {
  return new Map(words.map((word) => {
    const [number, text] = word.split("=") as [string, string];
    return [Number(number), text];
  }));
}
