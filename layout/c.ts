/**
 * Headers for C and C++.
 *
 * @module
 */

import { isAligned, withoutAlignment } from "./align.ts";
import { isArray } from "./array.ts";
import type { Atomic, AtomicBase } from "./atomic.ts";
import type { Bits, Widths } from "./bits.ts";
import { GLOBALS, RESERVED } from "./c_names.ts";
import { OPEN_COMMON, openFunctions } from "./c_open.ts";
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

const PREAMBLE = `#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
#include <atomic>
#define SHMKIT_ATOMIC(type) std::atomic<type>
#define SHMKIT_ALIGNAS(bytes) alignas(bytes)
#define SHMKIT_ALIGNOF(type) alignof(type)
#define SHMKIT_ASSERT(condition) static_assert(condition, #condition)
#else
#define SHMKIT_ATOMIC(type) _Atomic(type)
#define SHMKIT_ALIGNAS(bytes) _Alignas(bytes)
#define SHMKIT_ALIGNOF(type) _Alignof(type)
#define SHMKIT_ASSERT(condition) _Static_assert(condition, #condition)
#endif
`;

/**
 * Makes the header of a layout.
 *
 * @param opens Whether functions are made that open an object of it: they open nothing else, as a lock
 * with a name of its own is.
 */
export function toC(root: NamedStruct, opens: boolean = true): string {
  const header = new Header(root);
  const common = "SHMKIT_LAYOUT_MACROS";
  const lines = [
    `/* ${root.name}, layout ${root.fingerprint}: made by shmkit, and not to be edited. */`,
    `#ifndef ${common}\n#define ${common}\n${PREAMBLE}#endif\n`,
    ...(opens ? [OPEN_COMMON] : []),
    ...definitionsIn(root, "c").map(({ type, definition }) => {
      const guard = `SHMKIT_TYPE_${type.replace(/\W+/g, "_")}`;
      return `#ifndef ${guard}\n#define ${guard}\n${definition}\n#endif\n`;
    }),
    ...structsOf(root).map((struct) => {
      const guard = `SHMKIT_${struct.name}_${struct.fingerprint}`;
      return `#ifndef ${guard}\n#define ${guard}\n${header.define(struct)}#endif\n`;
    }),
    // Last, because what they are called depends on the names of all else.
    header.tell(root),
    ...(opens ? [header.open(root)] : []),
  ];
  return lines.join("\n");
}

class Header {
  readonly #types = new Map<string, string>();
  readonly #names: Names;

  constructor(root: NamedStruct) {
    this.#names = new Names(reservedIn(root, "c", `${RESERVED} ${GLOBALS}`));
    for (const { name } of structsOf(root)) this.#types.set(name, this.#names.make(name));
  }

  /** A struct, the names of its enumerations, and what must be true of it. */
  define(struct: NamedStruct): string {
    const type = this.#types.get(struct.name) as string;
    const names = new Names(RESERVED);
    const spelled = struct.members.map(({ name }) => [name, names.make(name)] as const);
    const nameOf = new Map(spelled);
    const body = withGaps(struct, ({ alignment }) => alignment, struct.alignment).map((part) =>
      "padding" in part
        ? `uint8_t ${names.make("padding")}[${part.padding}];`
        : `${this.#declare(part.field, nameOf.get(part.name) as string)};`
    );
    const assertions = [
      `sizeof(${type}) == ${struct.size}`,
      `SHMKIT_ALIGNOF(${type}) == ${struct.alignment}`,
      ...struct.members.flatMap(({ name, field, byteOffset }) => [
        `offsetof(${type}, ${nameOf.get(name)}) == ${byteOffset}`,
        `sizeof(((${type} *)0)->${nameOf.get(name)}) == ${withoutAlignment(field).size}`,
      ]),
    ];
    const numbers = enumerationsIn(struct).flatMap(([path, { base, members }]) =>
      Object.entries<number>(members).map(([name, number]) =>
        `#define ${this.#names.make(`${path}_${name}`)} ((${base.spelling?.c})${literal(number)})`
      )
    );
    return [
      `typedef struct ${type} {`,
      ...body.map((line) => `  ${line}`),
      `} ${type};`,
      ...numbers,
      ...assertions.map((assertion) => `SHMKIT_ASSERT(${assertion});`),
      "",
    ].join("\n");
  }

  /** What tells the whole layout from all others, for shmkit_participant_attach() in shmkit.h. */
  tell({ name, fingerprint }: NamedStruct): string {
    return `#define ${this.#names.make(`${name}_FINGERPRINT`)} UINT64_C(0x${fingerprint})\n`;
  }

  /** The functions that open an object of the whole layout. */
  open({ name, fingerprint }: NamedStruct): string {
    const type = this.#types.get(name) as string;
    return openFunctions({ name, fingerprint, type, unique: (wanted) => this.#names.make(wanted) });
  }

  /** `double position[3]` */
  #declare(field: Field, name: string): string {
    if (isAligned(field)) {
      return `SHMKIT_ALIGNAS(${field.alignment}) ${this.#declare(field.field, name)}`;
    }
    if (isArray(field)) {
      const { element, length } = field;
      if (!isPadded(element)) return this.#declare(element, `${name}[${length}]`);
      return `struct { ${this.#declare(element, "value")}; } ${name}[${length}]`;
    }
    switch (field.kind) {
      case "struct":
        // Not the bare name: in C++, a field that is called like its type would hide it.
        return `struct ${this.#types.get((field as NamedStruct).name)} ${name}`;
      case "union":
        return `union { ${this.#members(field as Composite)} } ${name}`;
      case "bits":
        return `struct { ${bitFields(field as unknown as Bits<Widths>)} } ${name}`;
      case "bytes":
        return `uint8_t ${name}[${field.size}]`;
      case "cstring":
        return `char ${name}[${field.size}]`;
      case "atomic":
        return `SHMKIT_ATOMIC(${(field as Atomic<AtomicBase>).base.spelling?.c}) ${name}`;
      case "enumeration":
        return `${(field as { base?: Field }).base?.spelling?.c} ${name}`;
      default:
        return `${spellingOf(field)} ${name}`;
    }
  }

  #members(union: Composite): string {
    const names = new Names(RESERVED);
    return union.members.map(({ name, field }) => `${this.#declare(field, names.make(name))};`)
      .join(" ");
  }
}

function bitFields({ base, widths }: Bits<Widths>): string {
  const names = new Names(RESERVED);
  return Object.entries(widths).map(([name, width]) =>
    `${base.spelling?.c} ${names.make(name)} : ${width};`
  ).join(" ");
}

/** The least number has no literal of its own in C. */
function literal(number: number): string {
  return number === -(2 ** 31)
    ? "(-2147483647 - 1)"
    : `${number}${number > 2 ** 31 - 1 ? "u" : ""}`;
}

function spellingOf(field: Field): string {
  if (field.spelling !== undefined) return field.spelling.c;
  throw new TypeError(`A field of kind ${field.kind} cannot be written in C`);
}
