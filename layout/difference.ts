/**
 * What two layouts do not have in common, in words.
 *
 * @module
 */

import type { Description, StructDescription } from "./description.ts";
import type { Fields } from "./field.ts";
import type { Struct } from "./struct.ts";

/** What is said of a field. */
interface Entry {
  readonly offset: number;
  readonly type: string;
}

type Parts = Readonly<Record<string, unknown>>;

/**
 * Tells how two layouts differ.
 *
 * @param ours A layout, or its description.
 * @param theirs Another.
 * @returns A line for each field: its path, and the offset and type that it has in each. Empty when
 *   the layouts are equal.
 */
export function difference(
  ours: Struct<Fields> | StructDescription,
  theirs: Struct<Fields> | StructDescription,
): string[] {
  const [here, there] = [descriptionOf(ours), descriptionOf(theirs)];
  const lines: string[] = [];
  if (here.name !== there.name) lines.push(`the name is ${here.name} here, ${there.name} there`);
  const { name } = here;
  const [left, right] = [entriesOf(here, name), entriesOf(there, name)];
  for (const [path, { offset, type }] of left) {
    const other = right.get(path);
    if (other === undefined) {
      lines.push(`${path}: ${type} at ${offset} here, not there`);
    } else if (other.type !== type || other.offset !== offset) {
      lines.push(`${path}: ${type} at ${offset} here, ${other.type} at ${other.offset} there`);
    }
  }
  for (const [path, { offset, type }] of right) {
    if (!left.has(path)) lines.push(`${path}: not here, ${type} at ${offset} there`);
  }
  for (const what of ["size", "alignment"] as const) {
    if (here[what] === there[what]) continue;
    lines.push(`${name}: ${what} is ${here[what]} bytes here, ${there[what]} there`);
  }
  if (lines.length === 0 && JSON.stringify(here) !== JSON.stringify(there)) {
    lines.push(`${name}: the fields, or the names of structs, are not in one order`);
  }
  return lines;
}

function descriptionOf(layout: Struct<Fields> | StructDescription): StructDescription {
  return typeof layout.describe === "function"
    ? (layout as Struct<Fields>).describe()
    : layout as StructDescription;
}

/** Every field that is no struct itself, by its path. */
function entriesOf(
  { fields }: StructDescription,
  path: string,
  start: number = 0,
  entries: Map<string, Entry> = new Map(),
): Map<string, Entry> {
  for (const { name, offset, type } of fields) {
    addEntry(entries, `${path}.${name}`, start + offset, type, "");
  }
  return entries;
}

function addEntry(
  entries: Map<string, Entry>,
  path: string,
  offset: number,
  type: Description,
  dimensions: string,
): void {
  const parts = type as Parts;
  const kind = typeof type === "string" ? type : type.kind;
  if (kind === "array") {
    const { element, length } = parts as { element: Description; length: number };
    addEntry(entries, path, offset, element, `${dimensions}[${length}]`);
  } else if (kind === "struct") {
    const struct = type as StructDescription;
    if (dimensions !== "") entries.set(path, { offset, type: `${struct.name}${dimensions}` });
    entriesOf(struct, `${path}${dimensions === "" ? "" : "[]"}`, offset, entries);
  } else {
    entries.set(path, { offset, type: `${typeText(type)}${dimensions}` });
  }
}

/** `cstring(32)`, `enumeration(u8, red = 0, blue = 1)`, `semaphore(permits = 4)` */
export function typeText(type: Description): string {
  if (typeof type === "string") return type;
  const parts = type as Parts;
  const list = (values: unknown) =>
    Object.entries(values as Parts).map(([name, value]) => `${name} = ${String(value)}`).join(", ");
  switch (type.kind) {
    case "cstring":
    case "bytes":
      return `${type.kind}(${String(parts["size"])})`;
    case "atomic":
      return `atomic(${String(parts["base"])})`;
    case "enumeration":
      return `enumeration(${String(parts["base"])}, ${list(parts["members"])})`;
    case "bits":
      return `bits(${String(parts["base"])}, ${list(parts["widths"])})`;
    case "align":
      return `align(${String(parts["alignment"])}, ${typeText(parts["field"] as Description)})`;
    case "cacheLine":
      return `cacheLine(${typeText(parts["field"] as Description)})`;
    case "array":
      return `${typeText(parts["element"] as Description)}[${String(parts["length"])}]`;
    case "struct":
      return String(parts["name"]);
    case "union": {
      const members = parts["members"] as readonly { name: string; type: Description }[];
      return `union(${members.map(({ name, type }) => `${name}: ${typeText(type)}`).join(", ")})`;
    }
    default: {
      const { kind, ...more } = parts;
      return Object.keys(more).length === 0 ? String(kind) : `${String(kind)}(${list(more)})`;
    }
  }
}
