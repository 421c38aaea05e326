/**
 * What the generators for other languages share.
 *
 * @module
 */

import { isAligned, withoutAlignment } from "./align.ts";
import { isArray } from "./array.ts";
import type { Composite } from "./composite.ts";
import type { Enumeration } from "./enumeration.ts";
import { type Field, roundUp } from "./field.ts";
import { partsOf, structsIn } from "./struct_names.ts";

/** A layout, as generators see it. */
export type NamedStruct = Composite & { readonly name: string; readonly fingerprint: string };

/** The structs of a layout, those that others need first. */
export function structsOf(root: NamedStruct): NamedStruct[] {
  return structsIn(root) as NamedStruct[];
}

/** Makes names that a language accepts, and no name twice. */
export class Names {
  readonly #reserved: ReadonlySet<string>;
  readonly #taken = new Set<string>();

  constructor(reserved: string) {
    this.#reserved = new Set(reserved.trim().split(/\s+/));
  }

  /** The name, or with underscores behind it, as many as it takes. */
  make(wanted: string): string {
    let name = wanted;
    while (this.#reserved.has(name) || this.#taken.has(name)) name += "_";
    this.#taken.add(name);
    return name;
  }
}

/** Bytes between two members that a compiler would not leave by itself. */
export interface Gap {
  readonly padding: number;
}

/**
 * The members of a struct, and the gaps that have to be spelled out.
 *
 * @param alignmentOf The alignment that the language gives to a field.
 * @param alignment The alignment that the language gives to the struct.
 */
export function withGaps(
  struct: Composite,
  alignmentOf: (field: Field) => number,
  alignment: number,
): (Composite["members"][number] | Gap)[] {
  const parts: (Composite["members"][number] | Gap)[] = [];
  let end = 0;
  for (const member of struct.members) {
    const { byteOffset, field } = member;
    if (roundUp(end, alignmentOf(field)) !== byteOffset) parts.push({ padding: byteOffset - end });
    parts.push(member);
    end = byteOffset + withoutAlignment(field).size;
  }
  if (roundUp(end, alignment) !== struct.size) parts.push({ padding: struct.size - end });
  return parts;
}

/** Whether an element of an array takes more room than what it holds. */
export function isPadded(element: Field): element is Field & { readonly field: Field } {
  return isAligned(element) && element.field.size !== element.size;
}

/** Every enumeration in a struct, apart from those in other structs, with the path to it. */
export function enumerationsIn(struct: NamedStruct): [path: string, Enumeration<string>][] {
  const visit = (field: Field, path: string): [string, Enumeration<string>][] => {
    const inner = withoutAlignment(field);
    if (inner.kind === "enumeration") return [[path, inner as Enumeration<string>]];
    if (isArray(inner)) return visit(inner.element, path);
    return inner.kind === "union" ? members(inner as Composite, path) : [];
  };
  const members = (composite: Composite, path: string) =>
    composite.members.flatMap(({ name, field }) => visit(field, `${path}_${name}`));
  return members(struct, struct.name);
}

/** What a field of another kind needs to be defined. */
export interface TypeDefinition {
  /** How the type is spelled. */
  readonly type: string;
  readonly definition: string;
}

/** Definitions that fields of other kinds need, each once. */
export function definitionsIn(
  root: NamedStruct,
  language: "c" | "rust" | "python",
): TypeDefinition[] {
  const found = new Map<string, TypeDefinition>();
  const seen = new Set<Field>();
  const visit = (field: Field): void => {
    if (seen.has(field)) return;
    seen.add(field);
    const { spelling } = field;
    const definition = spelling?.definitions?.[language];
    if (spelling !== undefined && definition !== undefined) {
      found.set(definition, { type: spelling[language], definition });
    }
    partsOf(field).forEach(visit);
  };
  visit(root);
  return [...found.values()];
}

/** What a language reserves, and the types that are defined for fields of a layout. */
export function reservedIn(
  root: NamedStruct,
  language: "c" | "rust" | "python",
  reserved: string,
): string {
  return [reserved, ...definitionsIn(root, language).map(({ type }) => type)].join(" ");
}
