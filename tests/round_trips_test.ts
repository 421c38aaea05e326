/**
 * Values at random go through live objects, from every runtime and language to every other: each
 * reads and writes field by field, in the way of its own language. This runtime is one of the pair;
 * the test is run in each.
 */

import { describe, expect, test } from "bun:test";
import { statSync } from "node:fs";
import type { Fields, Struct } from "../layout/mod.ts";
import { SharedObject } from "../mod.ts";
import { testWith } from "./support/capabilities.ts";
import { cleanUpNames, ownFiles, uniqueName } from "./support/names.ts";
import { ownedBy } from "./support/packaging.ts";
import { type Case, makeCases } from "./support/round_trips/layouts.ts";
import { Live } from "./support/round_trips/live.ts";
import {
  foreignPartners,
  type Partner,
  runtimePartners,
  type Talk,
} from "./support/round_trips/partners.ts";
import type { Slot } from "./support/round_trips/slots.ts";
import { someTextsOf, type Texts } from "./support/round_trips/texts.ts";

cleanUpNames();

/** How many values go each way through each object. */
const ROUNDS = 4;

const cases = makeCases();
const foreign = foreignPartners(cases);
const partners = [...runtimePartners(cases), ...foreign];

const fileSize = (name: string) => statSync(`/dev/shm/${name}`).size;

/** Compares by the paths of fields, which is what a failure shows. */
function expectSame({ slots }: Case, found: Texts, written: Texts): void {
  const named = (texts: Texts) =>
    Object.fromEntries([...texts].map(([number, text]) => [(slots[number] as Slot).path, text]));
  expect(named(found)).toEqual(named(written));
}

/** Each writes what the other reads. */
async function exchange(number: number, live: Live, talk: Talk): Promise<void> {
  const one = cases[number] as Case;
  for (let round = 0; round < ROUNDS; round++) {
    const theirs = one.next().texts;
    await talk.set(number, theirs);
    expectSame(one, live.get(theirs.keys()), theirs);
    const ours = one.next().texts;
    live.set(ours);
    expectSame(one, await talk.get(number, ours.keys()), ours);
  }
}

/** An object that stays, and what was written last. */
interface Left {
  readonly number: number;
  readonly one: Case;
  readonly name: string;
  readonly last: Texts;
}

/** This runtime creates the objects. */
async function expectTheyUseOurs({ start }: Partner): Promise<void> {
  await using talk = start();
  const left: Left[] = [];
  for (const [number, one] of cases.entries()) {
    const { value, texts } = one.next();
    using object = SharedObject.create(uniqueName(), one.layout, value as never);
    const { name } = object;
    const { size } = object.stat();
    expect(await talk.open(number, name)).toBe(size);
    expectSame(one, await talk.get(number, texts.keys()), texts);
    const live = new Live(object, one.slots);
    await exchange(number, live, talk);
    await talk.close(number);
    expect(fileSize(name)).toBe(size);
    const last = one.next().texts;
    live.set(last);
    using reader = SharedObject.open(name, one.layout, { readonly: true });
    expectSame(one, someTextsOf(one.slots, last.keys(), reader.snapshot()), last);
    left.push({ number, one, name, last });
  }
  await talk.end();
  await expectOpenable(left);
}

/** Whoever comes later finds each object, with all that belongs to it. */
async function expectOpenable(left: readonly Left[]): Promise<void> {
  const fresh = runtimePartners(cases).find(({ name }) => name.startsWith("another")) as Partner;
  await using talk = fresh.start();
  for (const { number, one, name, last } of left) {
    await talk.open(number, name);
    expectSame(one, await talk.get(number, last.keys()), last);
    expect(SharedObject.layoutOf(name).fingerprint).toBe(one.layout.fingerprint);
    SharedObject.unlink(name);
  }
  await talk.end();
}

/** The partner creates the objects: a runtime with a description, others as a bare struct. */
async function expectWeUseTheirs({ start, isRuntime }: Partner): Promise<void> {
  await using talk = start();
  for (const [number, one] of cases.entries()) {
    const { texts } = one.next();
    const name = uniqueName();
    const size = await talk.create(number, name, texts);
    if (!isRuntime) expect(size).toBe(one.layout.size);
    {
      using object: SharedObject<Struct<Fields>> = SharedObject.open(name, one.layout);
      expect(object.foreign).toBe(!isRuntime);
      const live = new Live(object, one.slots);
      expectSame(one, live.get(texts.keys()), texts);
      await exchange(number, live, talk);
    }
    const last = one.next().texts;
    await talk.set(number, last);
    using again: SharedObject<Struct<Fields>> = SharedObject.open(name, one.layout);
    expectSame(one, new Live(again, one.slots).get(last.keys()), last);
    expect(fileSize(name)).toBe(size);
    await talk.close(number);
  }
  await talk.end();
  expect(ownFiles()).toEqual([]);
}

for (const partner of partners) {
  describe(`values go between this runtime and ${partner.name}`, () => {
    testWith(partner.needs, "in an object of this runtime", () => expectTheyUseOurs(partner));
    const theirs = `in an object of the other${partner.isRuntime ? "" : ", a bare struct"}`;
    testWith(partner.needs, theirs, () => expectWeUseTheirs(partner));
  });
}

// No runtime takes part but as the creator: one is enough.
ownedBy("node", () => {
  const [inC, inCpp, inRust, inPython] = foreign as [Partner, Partner, Partner, Partner];
  const four = [inC, inCpp, inRust, inPython];
  for (const [index, writer] of four.entries()) {
    for (const reader of four.slice(index + 1)) {
      const title =
        `values go between ${writer.name} and ${reader.name}, in an object of this runtime`;
      testWith([...writer.needs, ...reader.needs], title, async () => {
        await using one = writer.start();
        await using other = reader.start();
        for (const [number, each] of cases.entries()) {
          using object = SharedObject.create(uniqueName(), each.layout, each.next().value as never);
          for (const talk of [one, other]) await talk.open(number, object.name);
          for (const [from, to] of [[one, other], [other, one], [one, other]] as const) {
            const { texts } = each.next();
            await from.set(number, texts);
            expectSame(each, await to.get(number, texts.keys()), texts);
          }
          for (const talk of [one, other]) await talk.close(number);
        }
        await one.end();
        await other.end();
      });
    }
  }
});

test("there are fields of every kind among the layouts, and many values", () => {
  const [everything] = cases as [Case];
  const described = JSON.stringify(everything.layout.describe());
  const kinds = ["struct", "union", "array", "cstring", "bytes", "enumeration", "bits", "atomic"];
  for (const kind of [...kinds, "align", "cacheLine"]) {
    expect(described).toContain(`"kind":"${kind}"`);
  }
  for (
    const scalar of ["u8", "i8", "u16", "i16", "u32", "i32", "u64", "i64", "f16", "f32", "f64"]
  ) {
    expect(described).toContain(`"type":"${scalar}"`);
  }
  expect(described).toContain('"type":"bool"');
  expect(cases.length).toBe(13);
  expect(cases.flatMap(({ slots }) => slots).length).toBeGreaterThan(300);
});
