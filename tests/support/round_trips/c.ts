/**
 * For `tests/c/round_trip.h`: the structs of layouts in C or C++, and functions that open them and
 * that read and write their slots.
 *
 * @module
 */

import { RESERVED } from "../../../layout/c_names.ts";
import type { Fields, Struct } from "../../../layout/mod.ts";
import { type Slot, slotsOf, spelledWith } from "./slots.ts";

const spelled = spelledWith(RESERVED);

/** Makes the header. */
export function cSource(layouts: readonly Struct<Fields>[]): string {
  const table = layouts.map(({ name }) =>
    `  { sizeof(${name}), set_${name}, get_${name}, open_${name}, close_${name} },`
  );
  return [
    ...layouts.map((layout) => layout.toC()),
    ...layouts.map(functionsFor),
    `static const struct layout layouts[] = {\n${table.join("\n")}\n};\n`,
  ].join("\n");
}

function functionsFor(layout: Struct<Fields>): string {
  const { name } = layout;
  const slots = slotsOf(layout);
  const cases = (make: (slot: Slot, place: string) => string) =>
    slots.map((slot, number) => `  case ${number}: ${make(slot, `p->${placeOf(slot)}`)} break;`);
  return [
    `static void set_${name}(void *memory, int slot, const char *text) {`,
    `  ${name} *p = (${name} *)memory;`,
    "  switch (slot) {",
    ...cases(assign),
    "  }\n}\n",
    `static void get_${name}(void *memory, int slot) {`,
    `  ${name} *p = (${name} *)memory;`,
    "  switch (slot) {",
    ...cases(print),
    "  }\n}\n",
    `static void *open_${name}(const char *path) { return ${name}_open(path); }`,
    `static int close_${name}(void *memory) { return ${name}_close((${name} *)memory); }\n`,
  ].join("\n");
}

/** `items[3].id` */
function placeOf({ steps }: Slot): string {
  const parts = steps.map((step) =>
    "name" in step ? `.${spelled(step)}` : `[${step.index}]${step.padded ? ".value" : ""}`
  );
  return parts.join("").slice(1);
}

const FLOATS: Readonly<Record<string, string>> = { f16: "half", f32: "single", f64: "real" };

function assign({ kind, base, constant, members }: Slot, place: string): string {
  switch (kind) {
    case "f16":
    case "f32":
    case "f64":
      return `${place} = ${FLOATS[kind]}(text);`;
    case "cstring":
      return `write_text(${place}, text);`;
    case "bytes":
      return `write_bytes(${place}, text);`;
    case "enumeration":
      return Object.keys(members).map((name) =>
        `if (strcmp(text, "${name}") == 0) ${place} = ${constant}_${name};`
      ).join(" ");
    case "bool":
    case "bit":
      return `${place} = number(text);`;
    default:
      return `${place} = (${typeOf(base)})number(text);`;
  }
}

function print({ kind, base, constant, members }: Slot, place: string): string {
  switch (kind) {
    case "f16":
    case "f32":
    case "f64":
      return `print_${FLOATS[kind]}(${place});`;
    case "cstring":
    case "bytes":
      return `print_${kind === "bytes" ? "bytes" : "text"}(${place}, sizeof ${place});`;
    case "enumeration":
      return Object.keys(members).map((name) =>
        `if (${place} == ${constant}_${name}) printf("${name}");`
      ).join(" ");
    default:
      return base.startsWith("i") ? `print_signed(${place});` : `print_unsigned(${place});`;
  }
}

/** `uint32_t` of `u32`. */
function typeOf(base: string): string {
  return `${base.startsWith("i") ? "int" : "uint"}${base.slice(1)}_t`;
}
