/**
 * Modules for Rust (1.77 or later).
 *
 * @module
 */

import { withoutAlignment } from "./align.ts";
import { isArray } from "./array.ts";
import type { Atomic, AtomicBase } from "./atomic.ts";
import type { Bits, Widths } from "./bits.ts";
import type { Composite } from "./composite.ts";
import type { Field } from "./field.ts";
import {
  definitionsIn,
  enumerationsIn,
  isPadded,
  type NamedStruct,
  Names,
  reservedIn,
  structsOf,
  withGaps,
} from "./spelling.ts";

/** What no member can be called in Rust: it gets an underscore. */
export const RESERVED: string = `
  Self abstract as async await become box break const continue core crate do dyn else enum extern false
  final fn for gen if impl in let loop macro match mod move mut override priv pub ref return self
  static struct super trait true try type typeof union unsafe unsized use virtual where while yield
  bool char f32 f64 i8 i16 i32 i64 i128 isize str u8 u16 u32 u64 u128 usize _`;

const ALLOW = "#[allow(dead_code, non_camel_case_types, non_snake_case, non_upper_case_globals)]";

/** Makes the module of a layout. */
export function toRust(root: NamedStruct): string {
  const module = new Module(root);
  return [
    `// ${root.name}, layout ${root.fingerprint}: made by shmkit, and not to be edited.\n`,
    ...definitionsIn(root, "rust").map(({ definition }) => `${definition}\n`),
    ...structsOf(root).map((struct) => module.define(struct)),
  ].join("\n");
}

class Module {
  readonly #types = new Map<string, string>();
  readonly #names: Names;
  /** Types that the struct in work needs. */
  #helpers: string[] = [];

  constructor(root: NamedStruct) {
    this.#names = new Names(reservedIn(root, "rust", RESERVED));
    for (const { name } of structsOf(root)) this.#types.set(name, this.#names.make(name));
  }

  define(struct: NamedStruct): string {
    this.#helpers = [];
    const type = this.#types.get(struct.name) as string;
    const names = new Names(RESERVED);
    const nameOf = new Map(struct.members.map(({ name }) => [name, names.make(name)] as const));
    const natural = Math.max(...struct.members.map(({ field }) => alignmentOf(field)));
    const body = withGaps(struct, alignmentOf, struct.alignment).map((part) =>
      "padding" in part
        ? `  ${names.make("padding")}: [u8; ${part.padding}],`
        : `  pub ${nameOf.get(part.name)}: ${
          this.#type(part.field, `${struct.name}_${part.name}`)
        },`
    );
    const numbers = enumerationsIn(struct).flatMap(([path, { base, members }]) =>
      Object.entries<number>(members).map(([name, number]) =>
        `${ALLOW}\npub const ${this.#names.make(`${path}_${name}`)}: ${base.kind} = ${number};`
      )
    );
    const assertions = [
      `core::mem::size_of::<${type}>() == ${struct.size}`,
      `core::mem::align_of::<${type}>() == ${struct.alignment}`,
      ...struct.members.map(({ name, byteOffset }) =>
        `core::mem::offset_of!(${type}, ${nameOf.get(name)}) == ${byteOffset}`
      ),
    ];
    return [
      ...this.#helpers,
      ALLOW,
      representation(struct.alignment, natural),
      `pub struct ${type} {`,
      ...body,
      "}",
      ...numbers,
      "const _: () = {",
      ...assertions.map((assertion) => `  assert!(${assertion});`),
      "};",
      "",
    ].join("\n");
  }

  /** @param path What a type that has no name of its own is called. */
  #type(field: Field, path: string): string {
    const inner = withoutAlignment(field);
    if (isArray(inner)) {
      const { element, length } = inner;
      return `[${
        isPadded(element) ? this.#line(element, path) : this.#type(element, path)
      }; ${length}]`;
    }
    switch (inner.kind) {
      case "struct":
        return this.#types.get((inner as NamedStruct).name) as string;
      case "union":
        return this.#union(inner as Composite, path);
      case "bits":
        return this.#bits(inner as unknown as Bits<Widths>, path);
      case "bytes":
      case "cstring":
        return `[u8; ${inner.size}]`;
      case "atomic":
        return `core::sync::atomic::Atomic${(inner as Atomic<AtomicBase>).base.kind.toUpperCase()}`;
      case "enumeration":
        return (inner as { base?: Field }).base?.kind as string;
      default:
        return spellingOf(inner);
    }
  }

  #union(union: Composite, path: string): string {
    const names = new Names(RESERVED);
    const type = this.#names.make(path);
    const natural = Math.max(...union.members.map(({ field }) => alignmentOf(field)));
    const members = union.members.map(({ name, field }) => {
      const member = this.#type(field, `${path}_${name}`);
      return `  pub ${names.make(name)}: core::mem::ManuallyDrop<${member}>,`;
    });
    const lines = [
      representation(union.alignment, natural),
      `pub union ${type} {`,
      ...members,
      "}",
    ];
    this.#helpers.push(ALLOW, ...lines);
    return type;
  }

  /** Rust has no bit fields: constants say where the values are. */
  #bits({ base, widths }: Bits<Widths>, path: string): string {
    let shift = 0;
    for (const [name, width] of Object.entries(widths)) {
      const mask = `0x${(2 ** width - 1).toString(16)}`;
      for (const [what, type, value] of [["shift", "u32", shift], ["mask", base.kind, mask]]) {
        const constant = this.#names.make(`${path}_${name}_${what}`);
        this.#helpers.push(`${ALLOW}\npub const ${constant}: ${type} = ${value};`);
      }
      shift += width;
    }
    return base.kind;
  }

  /** An element that has cache lines of its own. */
  #line(element: Field & { readonly field: Field }, path: string): string {
    const type = this.#names.make(`${path}_line`);
    const value = this.#type(element.field, path);
    const padding = element.size - element.field.size;
    this.#helpers.push(
      `${ALLOW}\n${representation(element.alignment, alignmentOf(element.field))}`,
      `pub struct ${type} {\n  pub value: ${value},\n  padding: [u8; ${padding}],\n}`,
    );
    return type;
  }
}

function representation(alignment: number, natural: number): string {
  return alignment === natural ? "#[repr(C)]" : `#[repr(C, align(${alignment}))]`;
}

/** What Rust aligns a field to by itself. */
function alignmentOf(field: Field): number {
  const inner = withoutAlignment(field);
  if (!isArray(inner)) return inner.alignment;
  return isPadded(inner.element) ? inner.element.alignment : alignmentOf(inner.element);
}

function spellingOf(field: Field): string {
  if (field.spelling !== undefined) return field.spelling.rust;
  throw new TypeError(`A field of kind ${field.kind} cannot be written in Rust`);
}
