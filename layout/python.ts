/**
 * Modules for Python's ctypes.
 *
 * @module
 */

import { withoutAlignment } from "./align.ts";
import { isArray } from "./array.ts";
import type { Atomic, AtomicBase } from "./atomic.ts";
import type { Bits, Widths } from "./bits.ts";
import { Composite } from "./composite.ts";
import { type Field, roundUp } from "./field.ts";
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

/** What no member can be called in Python: it gets an underscore. */
export const RESERVED: string = `
  False None True and as assert async await break class continue ctypes def del elif else except
  finally for from global if import in is lambda nonlocal not or pass raise return try while with yield
  _anonymous_ _fields_ _pack_ _align_ _layout_ _swappedbytes_ _b_base_ _b_needsfree_ _objects
  from_buffer from_buffer_copy from_address from_param in_dll`;

/** Makes the module of a layout. */
export function toPython(root: NamedStruct): string {
  const module = new Module(root);
  return [
    `"""${root.name}, layout ${root.fingerprint}: made by shmkit, and not to be edited."""\n`,
    "import ctypes\n",
    ...definitionsIn(root, "python").map(({ definition }) => `${definition}\n`),
    ...structsOf(root).map((struct) => module.define(struct)),
  ].join("\n");
}

class Module {
  readonly #types = new Map<string, string>();
  readonly #names: Names;
  #helpers: string[] = [];

  constructor(root: NamedStruct) {
    this.#names = new Names(reservedIn(root, "python", RESERVED));
    for (const { name } of structsOf(root)) this.#types.set(name, this.#names.make(name));
  }

  define(struct: NamedStruct): string {
    this.#helpers = [];
    const type = this.#types.get(struct.name) as string;
    const names = new Names(RESERVED);
    const nameOf = new Map(struct.members.map(({ name }) => [name, names.make(name)] as const));
    const entries = withGaps(struct, alignmentOf, alignmentOf(struct)).map((part) =>
      "padding" in part
        ? `("${names.make("padding")}", ctypes.c_uint8 * ${part.padding})`
        : `("${nameOf.get(part.name)}", ${this.#type(part.field, `${struct.name}_${part.name}`)})`
    );
    const numbers = enumerationsIn(struct).flatMap(([path, { members }]) =>
      Object.entries<number>(members).map(([name, number]) =>
        `${this.#names.make(`${path}_${name}`)} = ${number}`
      )
    );
    const assertions = [
      `ctypes.sizeof(${type}) == ${struct.size}`,
      ...struct.members.map(({ name, byteOffset }) =>
        `${type}.${nameOf.get(name)}.offset == ${byteOffset}`
      ),
    ];
    return [
      ...this.#helpers,
      define(type, "Structure", entries),
      ...numbers,
      ...assertions.map((assertion) => `assert ${assertion}`),
      "",
    ].join("\n");
  }

  /** @param path What a type that has no name of its own is called. */
  #type(field: Field, path: string): string {
    const inner = withoutAlignment(field);
    if (isArray(inner)) {
      const { element, length } = inner;
      return `(${
        isPadded(element) ? this.#line(element, path) : this.#type(element, path)
      }) * ${length}`;
    }
    switch (inner.kind) {
      case "struct":
        return this.#types.get((inner as NamedStruct).name) as string;
      case "union":
        return this.#union(inner as Composite, path);
      case "bits":
        return this.#bits(inner as unknown as Bits<Widths>, path);
      case "bytes":
        return `ctypes.c_uint8 * ${inner.size}`;
      case "cstring":
        return `ctypes.c_char * ${inner.size}`;
      case "atomic":
        return `ctypes.${(inner as Atomic<AtomicBase>).base.spelling?.python}`;
      case "enumeration":
        return `ctypes.${(inner as { base?: Field }).base?.spelling?.python}`;
      default:
        return spellingOf(inner);
    }
  }

  #union(union: Composite, path: string): string {
    const names = new Names(RESERVED);
    const type = this.#names.make(path);
    const entries = union.members.map(({ name, field }) =>
      `("${names.make(name)}", ${this.#type(field, `${path}_${name}`)})`
    );
    const largest = Math.max(...union.members.map(({ field }) => withoutAlignment(field).size));
    if (roundUp(largest, alignmentOf(union)) !== union.size) {
      entries.push(`("${names.make("padding")}", ctypes.c_uint8 * ${union.size})`);
    }
    this.#helpers.push(define(type, "Union", entries));
    return type;
  }

  #bits({ base, widths }: Bits<Widths>, path: string): string {
    const names = new Names(RESERVED);
    const type = this.#names.make(path);
    const entries = Object.entries(widths).map(([name, width]) =>
      `("${names.make(name)}", ctypes.${base.spelling?.python}, ${width})`
    );
    this.#helpers.push(define(type, "Structure", entries));
    return type;
  }

  /** An element that has cache lines of its own. */
  #line(element: Field & { readonly field: Field }, path: string): string {
    const type = this.#names.make(`${path}_line`);
    const padding = element.size - element.field.size;
    this.#helpers.push(define(type, "Structure", [
      `("value", ${this.#type(element.field, path)})`,
      `("padding", ctypes.c_uint8 * ${padding})`,
    ]));
    return type;
  }
}

function define(type: string, kind: string, entries: readonly string[]): string {
  const lines = entries.map((entry) => `        ${entry},\n`);
  return `class ${type}(ctypes.${kind}):\n    _fields_ = [\n${lines.join("")}    ]\n`;
}

/** What ctypes aligns a field to: it knows no alignment but that of scalars. */
function alignmentOf(field: Field): number {
  const inner = withoutAlignment(field);
  if (isArray(inner)) return alignmentOf(inner.element);
  if (!(inner instanceof Composite) || inner.kind === "bits") return inner.alignment;
  return Math.max(...inner.members.map((member) => alignmentOf(member.field)));
}

function spellingOf(field: Field): string {
  if (field.spelling === undefined) {
    throw new TypeError(`A field of kind ${field.kind} cannot be written in Python`);
  }
  const { definitions, python } = field.spelling;
  return definitions?.python === undefined ? `ctypes.${python}` : python;
}
