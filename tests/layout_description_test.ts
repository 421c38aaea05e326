/**
 * Layouts as JSON, and back: equal layouts from what we wrote, typed errors from anything else.
 */

import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { difference, type Field, fromDescription, t } from "../layout/mod.ts";
import { expectError } from "./support/errors.ts";
import { SEED, someLayouts } from "./support/layouts.ts";

const Inner = t.struct("Inner", { level: t.u8, score: t.i64 });
const Sample = t.struct("Sample", {
  id: t.u32,
  matrix: t.array(t.array(t.f64, 2), 3),
  name: t.cstring(32),
  team: t.enumeration(t.i32, { none: -1, red: 0 }),
  flags: t.bits(t.u16, { alive: 1, level: 3 }),
  hits: t.atomic(t.u32),
  items: t.array(Inner, 2),
  either: t.union({ number: t.u32, inner: Inner }),
  lonely: t.cacheLine(t.u32),
  aligned: t.align(64, t.u8),
  raw: t.bytes(5),
});

/** JSON in which one value, somewhere, is another. */
function withPartReplaced(text: string, where: number, value: unknown): string {
  let count = 0;
  JSON.parse(text, (_, part) => (count++, part));
  let left = where % count;
  return JSON.stringify(JSON.parse(text, (_, part) => left-- === 0 ? value : part));
}

describe("fromDescription()", () => {
  test("gives an equal layout", () => {
    for (const layout of [Sample, ...someLayouts(300)]) {
      const text = JSON.stringify(layout.describe());
      for (const again of [fromDescription(text), fromDescription(layout.describe())]) {
        expect(JSON.stringify(again.describe())).toBe(text);
        expect(again.fingerprint).toBe(layout.fingerprint);
        expect([again.size, again.alignment]).toEqual([layout.size, layout.alignment]);
        expect(again.toC()).toBe(layout.toC());
      }
    }
  });

  test("knows fields of other kinds when it is given them", () => {
    const lock = Object.assign(Object.create(Object.getPrototypeOf(t.bytes(4))), t.bytes(4), {
      kind: "lock",
      alignment: 4,
      describe: () => "lock",
    }) as Field;
    const Locked = t.struct("Locked", { count: t.u8, lock });
    const description = JSON.stringify(Locked.describe());
    expect(fromDescription(description, { lock: () => lock }).fingerprint).toBe(Locked.fingerprint);
    expectError(
      () => fromDescription(description),
      TypeError,
      'A description must be of a known kind, received "lock"',
    );
  });

  test("has fields of other kinds made from what is said of them", () => {
    const permitsField = (permits: number): Field => ({
      kind: "permits",
      size: 16 + 4 * permits,
      alignment: 4,
      assignable: false,
      plain: false,
      describe: () => ({ kind: "permits", permits }),
      attach: () => undefined,
      load: () => undefined,
      check: () => undefined,
      store: () => undefined,
    });
    const asked: unknown[] = [];
    const kinds = {
      permits: (parts: Readonly<Record<string, unknown>>) => {
        asked.push(parts);
        const { permits } = parts;
        if (permits === 0) throw new RangeError("There must be a permit");
        return permitsField(typeof permits === "number" ? permits : 1);
      },
    };
    const Limited = t.struct("Limited", {
      few: permitsField(2),
      many: t.array(t.cacheLine(permitsField(1000)), 3),
    });
    const text = JSON.stringify(Limited.describe());
    const again = fromDescription(text, kinds);
    expect(again.describe()).toEqual(Limited.describe());
    expect([again.fingerprint, again.size]).toEqual([Limited.fingerprint, Limited.size]);
    expect(asked).toEqual([2, 1000].map((permits) => ({ kind: "permits", permits })));
    const two = '{"kind":"permits","permits":2}';
    for (
      const [other, type, message] of [
        ['{"kind":"permits","permits":0}', RangeError, "There must be a permit"],
        ['{"kind":"permits","permits":"2"}', TypeError, /of permits must be consistent/],
        ['{"kind":"permits","permits":2,"more":1}', TypeError, /of permits must be consistent/],
        ['{"permits":2,"kind":"permits"}', TypeError, /of permits must be consistent/],
        ['{"kind":"permits"}', TypeError, /of permits must be consistent/],
        ['"permits"', TypeError, 'A description of permits must be consistent, received "permits"'],
        ['{"kind":"permit","permits":2}', TypeError, /of a known kind, received "permit"$/],
      ] as const
    ) {
      expectError(() => fromDescription(text.replace(two, other), kinds), type, message);
    }
    const More = t.struct("Limited", { few: permitsField(3), many: t.array(t.u8, 2) });
    expect(difference(Limited, More).slice(0, 2)).toEqual([
      "Limited.few: permits(permits = 2) at 0 here, permits(permits = 3) at 0 there",
      "Limited.many: cacheLine(permits(permits = 1000))[3] at 128 here, u8[2] at 28 there",
    ]);
  });

  const struct = (fields: unknown, more: object = {}) => ({
    kind: "struct",
    name: "X",
    size: 1,
    alignment: 1,
    fields,
    ...more,
  });
  const field = { name: "a", offset: 0, type: "u8" };
  const cyclic: Record<string, unknown> = { kind: "align", alignment: 8 };
  cyclic["field"] = cyclic;

  for (
    const [title, description, type, message] of [
      ["no JSON", "{", TypeError, "A description must be JSON"],
      ["a scalar", '"u8"', TypeError, "A description must be of a struct, received u8"],
      ["null", "null", TypeError, "A description must have an object here, received null"],
      ["a list", "[]", TypeError, "A description must have an object here, received an array"],
      ["another kind", struct([{ ...field, type: "u9" }]), TypeError, /known kind, received "u9"$/],
      ["a name of objects as kind", '{"kind":"constructor"}', TypeError, /received "constructor"$/],
      ["no fields", struct([]), TypeError, "X must have a field"],
      [
        "no list of fields",
        struct({}),
        TypeError,
        /must have a list of fields, received an object$/,
      ],
      ["a field twice", struct([field, field]), TypeError, /must have names that differ/],
      [
        "a field named __proto__",
        struct([{ ...field, name: "__proto__" }]),
        TypeError,
        /X\.__proto__/,
      ],
      ["a wrong size", struct([field], { size: 2 }), TypeError, /must be consistent/],
      ["a wrong offset", struct([{ ...field, offset: 1 }]), TypeError, /must be consistent/],
      ["something more", struct([field], { more: 1 }), TypeError, /must be consistent/],
      ["a cycle", cyclic, RangeError, "A description must not be nested so deeply"],
      [
        "too much text",
        " ".repeat(2 ** 22 + 1),
        RangeError,
        /must have at most 4194304 characters/,
      ],
    ] as const
  ) {
    test(`refuses ${title}`, () => {
      expectError(() => fromDescription(description as string), type, message);
    });
  }

  test("refuses depth without end", () => {
    const deep = '{"kind":"array","length":1,"element":'.repeat(50_000);
    expectError(() => fromDescription(deep), Error, /./);
    const text = `${deep}"u8"${"}".repeat(50_000)}`;
    expect(() => fromDescription(text)).toThrow();
  });

  test("survives 100,000 mutations: an equal layout or a typed error", () => {
    console.log(`mutations: SHMKIT_SEED=${SEED}`);
    const texts = [Sample, ...someLayouts(20)].map((layout) => JSON.stringify(layout.describe()));
    const outcomes = { equal: 0, TypeError: 0, RangeError: 0 };
    const piece = fc.oneof(
      fc.string({ maxLength: 3, unit: "binary" }),
      fc.constantFrom('"', "{", "}", "[", "]", ",", ":", "1e9", "-0", "1e400", "null", "true", "9"),
      fc.constantFrom('"__proto__"', '"then"', '"kind":"struct"', '"u8"', '"array"', "1073741824"),
    );
    const part = fc.oneof(
      fc.integer(),
      fc.double(),
      fc.constantFrom(null, true, "", "u8", "f16", "__proto__", "then", [], {}, [[]], -0, 2 ** 30),
      fc.constantFrom(
        "struct",
        "array",
        "union",
        "align",
        "cacheLine",
        "atomic",
        "bits",
        "cstring",
      ),
    );
    const mutations = fc.tuple(fc.nat(), fc.nat(), fc.nat(8), piece, fc.option(part, { freq: 2 }));
    const property = fc.property(mutations, ([which, where, removed, inserted, replaced]) => {
      const text = texts[which % texts.length] as string;
      const at = where % text.length;
      const mutated = replaced === null
        ? text.slice(0, at) + inserted + text.slice(at + removed)
        : withPartReplaced(text, where, replaced);
      try {
        const layout = fromDescription(mutated);
        // What was accepted is a layout, all of it, and says what the text says.
        expect(layout.describe()).toEqual(JSON.parse(mutated));
        expect(fromDescription(layout.describe()).fingerprint).toBe(layout.fingerprint);
        outcomes.equal++;
      } catch (error) {
        if (error instanceof RangeError) outcomes.RangeError++;
        else if (error instanceof TypeError) outcomes.TypeError++;
        else throw error;
      }
    });
    fc.assert(property, { numRuns: 100_000, seed: SEED });
    console.log(outcomes);
    for (const count of Object.values(outcomes)) expect(count).toBeGreaterThan(0);
  });
});
