/**
 * Headers for C and C++.
 *
 * @module
 */

import { isAligned, withoutAlignment } from "./align.ts";
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
  structsOf,
  withGaps,
} from "./spelling.ts";

const RESERVED = `
  alignas alignof and and_eq asm atomic auto bitand bitor bool break case catch char char8_t char16_t
  char32_t class compl concept const consteval constexpr constinit const_cast continue co_await
  co_return co_yield decltype default delete do double dynamic_cast else enum explicit export extern
  false float for friend goto if inline int linux long mutable namespace new noexcept not not_eq
  nullptr offsetof operator or or_eq private protected public register reinterpret_cast requires
  restrict return short signed sizeof static static_assert static_cast std struct switch template this
  thread_local throw true try typedef typeid typename typeof typeof_unqual union unix unsigned using
  virtual void volatile wchar_t while xor xor_eq NULL i386 errno size_t ptrdiff_t nullptr_t
  max_align_t int8_t int16_t int32_t int64_t uint8_t uint16_t uint32_t uint64_t intptr_t uintptr_t
  intmax_t uintmax_t main`;

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

/** Makes the header of a layout. */
export function toC(root: NamedStruct): string {
  const header = new Header(root);
  const common = "SHMKIT_LAYOUT_MACROS";
  const lines = [
    `/* ${root.name}, layout ${root.fingerprint}: made by shmkit, and not to be edited. */`,
    `#ifndef ${common}\n#define ${common}\n${PREAMBLE}#endif\n`,
    ...definitionsIn(root, "c"),
    ...structsOf(root).map((struct) => {
      const guard = `SHMKIT_${struct.name}_${struct.fingerprint}`;
      return `#ifndef ${guard}\n#define ${guard}\n${header.define(struct)}#endif\n`;
    }),
  ];
  return lines.join("\n");
}

class Header {
  readonly #types = new Map<string, string>();
  readonly #names = new Names(RESERVED);

  constructor(root: NamedStruct) {
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
        return `${this.#types.get((field as NamedStruct).name)} ${name}`;
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
