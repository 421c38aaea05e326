/**
 * Whether memory in which something was left out can be read.
 *
 * @module
 */

import { Composite } from "./composite.ts";
import type { Enumeration } from "./enumeration.ts";
import type { Field } from "./field.ts";
import type { Memory } from "./memory.ts";
import { partsOf } from "./struct_names.ts";

/** Whether a field can be read where nothing has been written: an enumeration may lack the 0. */
export function acceptsZeros(field: Field): boolean {
  if (field.kind !== "enumeration") return partsOf(field).every(acceptsZeros);
  return Object.values((field as Enumeration<string>).members).includes(0);
}

/**
 * Throws a `RangeError` when something holds a zero that cannot. Reads nothing but what may.
 *
 * @param path What precedes the names of fields in messages.
 */
export function checkZeros(field: Field, memory: Memory, position: number, path: string): void {
  // Whoever reads a union is told nothing of the members that its bytes are not.
  if (field.kind === "union" || acceptsZeros(field)) return;
  if (!(field instanceof Composite)) {
    field.load(memory, position, path);
    return;
  }
  for (const member of field.members) {
    checkZeros(member.field, memory, position + member.byteOffset, `${path}.${member.name}`);
  }
}
