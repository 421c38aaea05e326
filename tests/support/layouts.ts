/**
 * Layouts and values at random.
 *
 * @module
 */

import fc from "fast-check";
import { type Field, type Fields, type Struct, struct, t } from "../../layout/mod.ts";

/** Printed by whoever uses it, so that a failure can be had again. */
export const SEED: number = Number(process.env["SHMKIT_SEED"] ?? Date.now() % 2 ** 31);

type AnyArbitrary = fc.Arbitrary<Field>;

const INTEGERS = [t.u8, t.i8, t.u16, t.i16, t.u32, t.i32] as const;
const LONG = [t.u64, t.i64] as const;
const FLOATS = [t.f16, t.f32, t.f64] as const;

/** Words of other languages among the names. */
const names: fc.Arbitrary<string> = fc.oneof(
  { weight: 9, arbitrary: fc.stringMatching(/^[a-z][a-zA-Z0-9_]{0,7}$/) },
  fc.constantFrom("class", "type", "def", "int", "self", "unix", "padding", "_fields_", "in", "fn"),
).filter((name) => !(name in {}) && name !== "then" && name !== "prototype");

const distinctNames = (most: number): fc.Arbitrary<string[]> =>
  fc.uniqueArray(names, { minLength: 1, maxLength: most });

const scalars: AnyArbitrary = fc.constantFrom<Field>(...INTEGERS, ...LONG, ...FLOATS, t.bool);

const enumerations: AnyArbitrary = fc.tuple(fc.constantFrom(...INTEGERS), distinctNames(4)).map(
  ([base, members]) => {
    const [least, greatest] = base.range as readonly [number, number];
    const numbers = [least, greatest, least + 1, greatest - 1];
    return t.enumeration(
      base,
      Object.fromEntries(members.map((name, at) => [name, numbers[at] as number])),
    );
  },
);

const bitFields: AnyArbitrary = fc.tuple(
  fc.constantFrom(t.u8, t.u16, t.u32),
  distinctNames(5),
  fc.array(fc.integer({ min: 1, max: 32 }), { minLength: 5, maxLength: 5 }),
).map(([base, members, wanted]) => {
  let left = 8 * base.size;
  const widths: Record<string, number> = {};
  for (const [at, name] of members.entries()) {
    const width = Math.min(left, wanted[at] as number);
    if (width === 0) break;
    widths[name] = width;
    left -= width;
  }
  return t.bits(base, widths);
});

const leaves: AnyArbitrary = fc.oneof(
  { weight: 6, arbitrary: scalars },
  enumerations,
  bitFields,
  fc.integer({ min: 2, max: 40 }).map((size): Field => t.cstring(size)),
  fc.integer({ min: 1, max: 40 }).map((size): Field => t.bytes(size)),
  fc.constantFrom(...INTEGERS, ...LONG).map((base): Field => t.atomic(base)),
);

let count = 0;

function structs(depth: number, most: number): fc.Arbitrary<Struct<Fields>> {
  return distinctNames(most).chain((members) =>
    fc.tuple(...members.map(() => fieldsOf(depth))).map((fields) =>
      struct(
        `S${count++}`,
        Object.fromEntries(members.map((name, at) => [name, fields[at] as Field])),
      )
    )
  );
}

function fieldsOf(depth: number): AnyArbitrary {
  if (depth === 0) return leaves;
  const inner = fieldsOf(depth - 1);
  const unaligned = inner.filter(({ kind }) => kind !== "align" && kind !== "cacheLine");
  return fc.oneof(
    { weight: 8, arbitrary: leaves },
    {
      weight: 2,
      arbitrary: fc.tuple(
        inner.filter(({ size, alignment }) => size % alignment === 0),
        fc.integer({ min: 1, max: 4 }),
      ).map(([element, length]): Field => t.array(element, length)),
    },
    { weight: 2, arbitrary: structs(depth - 1, 4) as AnyArbitrary },
    fc.tuple(distinctNames(3), fc.array(inner, { minLength: 3, maxLength: 3 })).map(
      ([members, fields]): Field =>
        t.union(Object.fromEntries(members.map((name, at) => [name, fields[at] as Field]))),
    ),
    fc.tuple(fc.constantFrom(1, 2, 4, 8, 16, 32, 64, 128), unaligned).map(([by, field]): Field =>
      t.align(Math.max(by, field.alignment), field)
    ),
    unaligned.map((field): Field => t.cacheLine(field)),
  );
}

/** Any layout: of all kinds of fields, up to three deep. */
export function layouts(): fc.Arbitrary<Struct<Fields>> {
  return structs(3, 7);
}

/** So many layouts, no two of which have a struct of the same name. */
export function someLayouts(number: number): Struct<Fields>[] {
  console.log(`layouts: SHMKIT_SEED=${SEED}`);
  return fc.sample(layouts(), { numRuns: number, seed: SEED });
}

type Parts = { members?: readonly { name: string; field: Field }[] };

const text = (most: number): fc.Arbitrary<string> =>
  fc.string({ unit: "binary", maxLength: most }).filter((value) =>
    !value.includes("\0") && new TextEncoder().encode(value).length <= most
  );

/** The number in half precision that has these bits. */
function halfOf(bits: number): number {
  const [exponent, fraction] = [bits >> 10 & 31, bits & 1023];
  const size = exponent === 31
    ? fraction === 0 ? Infinity : NaN
    : exponent === 0
    ? fraction * 2 ** -24
    : (1024 + fraction) * 2 ** (exponent - 25);
  return bits >> 15 === 0 ? size : -size;
}

/** Any value of a field, as `read()` gives it back. Of a union, one member. */
export function valuesOf(field: Field): fc.Arbitrary<unknown> {
  const inner = field as Field & { field: Field; element: Field; length: number; base: Field };
  switch (field.kind) {
    case "u64":
    case "i64":
    case "u8":
    case "i8":
    case "u16":
    case "i16":
    case "u32":
    case "i32": {
      const [min, max] = (field as unknown as { range: [never, never] }).range;
      return typeof min === "bigint" ? fc.bigInt({ min, max }) : fc.integer({ min, max });
    }
    case "f16":
      return fc.integer({ min: 0, max: 2 ** 16 - 1 }).map(halfOf);
    case "f32":
      return fc.float();
    case "f64":
      return fc.double();
    case "bool":
      return fc.boolean();
    case "cstring":
      return text(field.size - 1);
    case "bytes":
      return fc.uint8Array({ minLength: field.size, maxLength: field.size });
    case "atomic":
      return valuesOf(inner.base);
    case "enumeration":
      return fc.constantFrom(...Object.keys((field as unknown as { members: object }).members));
    case "bits": {
      const { widths } = field as unknown as { widths: Record<string, number> };
      return fc.record(
        Object.fromEntries(
          Object.entries(widths).map(([name, width]) => [
            name,
            width === 1 ? fc.boolean() : fc.integer({ min: 0, max: 2 ** width - 1 }),
          ]),
        ),
        { noNullPrototype: true },
      );
    }
    case "array":
      return fc.array(valuesOf(inner.element), {
        minLength: inner.length,
        maxLength: inner.length,
      });
    case "align":
    case "cacheLine":
      return valuesOf(inner.field);
    case "union":
      return fc.oneof(
        ...((field as Parts).members ?? []).map((member) =>
          valuesOf(member.field).map((value) => ({ [member.name]: value }))
        ),
      );
    default:
      return fc.record(
        Object.fromEntries(
          ((field as Parts).members ?? []).map((member) => [member.name, valuesOf(member.field)]),
        ),
        { noNullPrototype: true },
      );
  }
}
