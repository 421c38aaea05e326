/**
 * For `tests/rust/round_trip.rs`: the structs of layouts in Rust, and functions that read and write
 * their slots.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import type { Fields, Struct } from "../../../layout/mod.ts";
import { RESERVED } from "../../../layout/rust.ts";
import { type Slot, slotsOf, spelledWith } from "./slots.ts";

const spelled = spelledWith(RESERVED);
const program = fileURLToPath(new URL("../../rust/round_trip.rs", import.meta.url));

/** Makes the root of the program. */
export function rustSource(layouts: readonly Struct<Fields>[]): string {
  const table = layouts.map(({ name }) => {
    const size = `core::mem::size_of::<of_${name}::${name}>()`;
    return `  Layout { size: ${size}, set: of_${name}::set, get: of_${name}::get },`;
  });
  return [
    `#[path = ${JSON.stringify(program)}]\nmod round_trip;`,
    "use round_trip::*;\n",
    ...layouts.map(moduleFor),
    `fn main() {\n  run(&[\n${table.join("\n")}\n  ]);\n}\n`,
  ].join("\n");
}

function moduleFor(layout: Struct<Fields>): string {
  const { name } = layout;
  const slots = slotsOf(layout);
  const cases = (make: (slot: Slot, place: string) => string) =>
    slots.map((slot, number) => `    ${number} => ${make(slot, placeOf(slot))}`);
  return [
    `mod of_${name} {\nuse super::round_trip::*;\nuse std::sync::atomic::Ordering::SeqCst;\n`,
    layout.toRust(),
    "pub unsafe fn set(memory: *mut u8, slot: usize, text: &str) {",
    `  let p = &mut *(memory as *mut ${name});`,
    "  match slot {",
    ...cases(assign),
    '    _ => panic!("there is no slot {slot}"),\n  }\n}',
    "pub unsafe fn get(memory: *mut u8, slot: usize) -> String {",
    `  let p = &mut *(memory as *mut ${name});`,
    "  match slot {",
    ...cases(print),
    '    _ => panic!("there is no slot {slot}"),\n  }\n}\n}\n',
  ].join("\n");
}

/** `p.items[3].id`. The members of unions are in a `ManuallyDrop`. */
function placeOf({ steps, kind }: Slot): string {
  return steps.reduce((place, step) => {
    if (!("name" in step)) return `${place}[${step.index}]${step.padded ? ".value" : ""}`;
    if (step.owner.kind === "union") return `(*${place}.${spelled(step)})`;
    return kind === "bit" && step.owner.kind === "bits" ? place : `${place}.${spelled(step)}`;
  }, "p");
}

const FLOATS: Readonly<Record<string, string>> = { f16: "half", f32: "single", f64: "real" };

function assign({ kind, base, constant, members }: Slot, place: string): string {
  switch (kind) {
    case "f16":
    case "f32":
    case "f64":
      return `${place} = ${FLOATS[kind]}(text),`;
    case "cstring":
    case "bytes":
      return `write_bytes(&mut ${place}, text),`;
    case "bool":
      return `${place} = text == "1",`;
    case "atomic":
      return `${place}.store(text.parse().unwrap(), SeqCst),`;
    case "enumeration": {
      const arms = Object.keys(members).map((name) => `"${name}" => ${constant}_${name}`);
      return `${place} = match text { ${arms.join(", ")}, _ => panic!("no {text}") },`;
    }
    case "bit": {
      const [mask, shift] = [`${constant}_mask`, `${constant}_shift`];
      const value = `text.parse::<${base}>().unwrap()`;
      return `${place} = ${place} & !(${mask} << ${shift}) | ${value} << ${shift},`;
    }
    default:
      return `${place} = text.parse().unwrap(),`;
  }
}

function print({ kind, constant, members }: Slot, place: string): string {
  switch (kind) {
    case "f16":
    case "f32":
    case "f64":
      return `${FLOATS[kind]}_text(${place}),`;
    case "cstring":
      return `text_of(&${place}),`;
    case "bytes":
      return `hex_of(&${place}),`;
    case "bool":
      return `(${place} as u8).to_string(),`;
    case "atomic":
      return `${place}.load(SeqCst).to_string(),`;
    case "enumeration": {
      const arms = Object.keys(members).map((name) => `${constant}_${name} => "${name}"`);
      return `match ${place} { ${arms.join(", ")}, _ => "?" }.to_string(),`;
    }
    case "bit":
      return `(${place} >> ${constant}_shift & ${constant}_mask).to_string(),`;
    default:
      return `${place}.to_string(),`;
  }
}
