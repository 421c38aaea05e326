/**
 * The bytes of an object, by which parts of it are copied.
 */

import { describe, expect, test } from "bun:test";
import { SharedObject, ShmError, t } from "../mod.ts";
import { expectError } from "./support/errors.ts";
import { cleanUpNames, uniqueName } from "./support/names.ts";

cleanUpNames();

const Item = t.struct("Item", { id: t.u32, weight: t.f64 });
const Box = t.struct("Box", { label: t.cstring(8), items: t.array(Item, 5) });

describe("SharedObject.bytes", () => {
  test("is the struct, and nothing behind it", () => {
    using box = SharedObject.create(uniqueName(), Box, { label: "a" });
    expect(box.bytes.length).toBe(Box.size);
    expect(box.stat().size).toBeGreaterThan(Box.size);
    expect(Box.read(box.bytes)).toEqual(box.snapshot());
    expect(box.bytes).toBe(box.bytes);
  });

  test("is live, and lets parts be copied in and out", () => {
    const name = uniqueName();
    using box = SharedObject.create(name, Box);
    using same = SharedObject.open(name, Box);
    const offset = Box.offsetOf("items[3]");
    Item.write(box.bytes, { id: 7, weight: 1.5 }, offset);
    expect(same.value.items[3]?.weight).toBe(1.5);
    Item.assign(same.bytes, { weight: 2.5 }, offset);
    expect(Item.read(box.bytes, offset)).toEqual({ id: 7, weight: 2.5 });
  });

  test("is refused, and what it gave is empty, after close()", () => {
    const box = SharedObject.create(uniqueName(), Box);
    const { bytes } = box;
    box.close();
    expect(bytes.length).toBe(0);
    const { code } = expectError(() => box.bytes, ShmError, /^Cannot access object ".*": /);
    expect(code).toBe("ERR_SHM_CLOSED");
  });
});
