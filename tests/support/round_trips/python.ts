/**
 * For `tests/python/round_trip.py`: the structs of layouts in ctypes, and their slots.
 *
 * @module
 */

import type { Fields, Struct } from "../../../layout/mod.ts";
import { RESERVED } from "../../../layout/python.ts";
import { type Slot, slotsOf, spelledWith } from "./slots.ts";

const spelled = spelledWith(RESERVED);

/** Makes the module. */
export function pythonSource(layouts: readonly Struct<Fields>[]): string {
  const table = layouts.map((layout) => {
    const slots = slotsOf(layout).map((slot) =>
      `        ("${slot.kind}", "${placeOf(slot)}", {${namesOf(slot)}}),\n`
    );
    return `    (${layout.name}, [\n${slots.join("")}    ]),\n`;
  });
  return [
    ...layouts.map((layout) => layout.toPython()),
    `LAYOUTS = [\n${table.join("")}]\n`,
  ].join("\n");
}

/** `items[3].id`. The elements of an array of texts are objects, its members are not. */
function placeOf({ steps, kind }: Slot): string {
  const parts = steps.map((step) =>
    "name" in step ? `.${spelled(step)}` : `[${step.index}]${step.padded ? ".value" : ""}`
  );
  const last = steps.at(-1) as Slot["steps"][number];
  if (kind === "cstring" && "index" in last && !last.padded) parts.push(".value");
  if (kind === "bytes") parts.push("[:]");
  return parts.join("").slice(1);
}

function namesOf({ members, constant }: Slot): string {
  return Object.keys(members).map((name) => `"${name}": ${constant}_${name}`).join(", ");
}
