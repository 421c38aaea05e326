/**
 * What SharedObject promises to those who use it in one process, and to one other.
 */

import { describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { ReadonlySharedObject, SharedObject, SharedSegment, ShmError, t } from "../mod.ts";
import { expectError, expectErrorAsync } from "./support/errors.ts";
import { cleanUpNames, ownFiles, uniqueName } from "./support/names.ts";
import { NOBODY, Player } from "./support/objects.ts";
import { runPeer, startPeer } from "./support/peers.ts";
import { HOST, OTHERS } from "./support/runtimes.ts";

cleanUpNames();

type Misuse = typeof TypeError | typeof RangeError;

const Shade = t.enumeration(t.u8, { light: 1, dark: 2 });

describe("SharedObject.create()", () => {
  test("makes an object whose fields are zero where nothing else is said", () => {
    using zeros = SharedObject.create(uniqueName(), Player);
    expect(zeros.snapshot()).toEqual(NOBODY);
    expect([zeros.created, zeros.foreign, zeros.closed]).toEqual([true, false, false]);
    const initial = { id: 7, name: "ada", flags: { level: 5 }, stats: { score: -1n } };
    using object = SharedObject.create(`/${uniqueName()}`, Player, initial);
    expect(object.snapshot()).toEqual({
      ...NOBODY,
      id: 7,
      name: "ada",
      flags: { alive: false, level: 5 },
      stats: { level: 0, score: -1n },
    });
    expect(object.name.startsWith("/")).toBe(false);
    expect(object.layout).toBe(Player);
  });

  test("puts the struct at offset 0, as other programs see it", () => {
    using object = SharedObject.create(uniqueName(), Player, { id: 7, name: "ada" });
    using segment = SharedSegment.open(object.name);
    expect(Player.read(segment.bytes)).toEqual(object.snapshot());
    segment.bytes[0] = 9;
    expect(object.value.id).toBe(9);
    const size = segment.size;
    const error = expectError(
      () => segment.resize(4096),
      ShmError,
      /it is an object with a layout, whose description stands at its end\. Objects have one size/,
    );
    expect(error.code).toBe("ERR_SHM_KIND");
    expect([segment.size, object.stat().size]).toEqual([size, size]);
  });

  test("refuses an enumeration that has no member for what is left out, and leaves nothing", () => {
    const Wall = t.struct("Wall", {
      shade: Shade,
      shades: t.array(Shade, 2),
      inner: t.struct("Inner", { shade: t.align(4, Shade) }),
      either: t.union({ shade: Shade, number: t.u8 }),
      // Read as a whole, it would take a hundred times the memory.
      pixels: t.array(t.u8, 2 ** 24),
    });
    const refuse = (initial: object, rule: RegExp) =>
      expectError(() => SharedObject.create(uniqueName(), Wall, initial), RangeError, rule);
    const choice = 'holds 0 in memory, which is none of "light" \\(1\\), "dark" \\(2\\)';
    refuse({}, new RegExp(`^Wall\\.shade ${choice}$`));
    refuse({ shade: "dark" }, new RegExp(`^Wall\\.shades ?\\[0\\] ${choice}$`));
    const most = { shade: "dark", shades: ["dark", "dark"] } as const;
    refuse(most, new RegExp(`^Wall\\.inner\\.shade ${choice}$`));
    expect(ownFiles()).toEqual([]);
    using wall = SharedObject.create(uniqueName(), Wall, { ...most, inner: { shade: "light" } });
    expect(wall.value.inner.shade).toBe("light");
  });

  for (
    const [title, initial, type, rule] of [
      ["null", null, TypeError, /^Player must be an object, received null$/],
      ["a number", 7, TypeError, /^Player must be an object, received 7$/],
      ["too much", { id: 2 ** 32 }, RangeError, /^Player\.id must be an integer from 0 to 42949/],
      ["what is none", { id: "7" }, TypeError, /^Player\.id must be an integer .*, received "7"$/],
      ["an unknown name", { ip: 7 }, TypeError, /^Player\.ip cannot be written: there is no such/],
      [
        "no member",
        { team: "green" },
        RangeError,
        /^Player\.team must be one of "red" \(0\), "blue"/,
      ],
      [
        "long text",
        { name: "x".repeat(32) },
        RangeError,
        /^Player\.name must take at most 31 bytes/,
      ],
      ["a short array", { position: [1] }, RangeError, /^Player\.position must have 3 elements/],
      ["deep down", { stats: { score: 1 } }, TypeError, /^Player\.stats\.score must be a bigint/],
    ] as [string, object, Misuse, RegExp][]
  ) {
    test(`refuses an initial value with ${title}`, () => {
      const name = uniqueName();
      expectError(() => SharedObject.create(name, Player, initial), type, rule);
      expectError(() => SharedObject.openOrCreate(name, Player, initial), type, rule);
      expect(ownFiles()).toEqual([]);
    });
  }

  test("refuses what is no layout, and names and options that are none", () => {
    const refuse = (args: unknown[], type: Misuse, rule: string | RegExp) =>
      expectError(
        () => SharedObject.create(...args as [string, typeof Player, object, object]),
        type,
        rule,
      );
    const name = uniqueName();
    refuse(
      [name],
      TypeError,
      `Cannot create object "${name}": layout must be one that t.struct() has made, received undefined`,
    );
    refuse([name, t.u32], TypeError, /layout must be one that t\.struct\(\) has made/);
    refuse(["a/b", Player], TypeError, /^Cannot create object: name must not contain "\/"/);
    refuse(["sem.a", Player], TypeError, /name must not start with "sem\.", which is reserved/);
    const options = (value: unknown, type: Misuse, rule: RegExp) =>
      refuse([name, Player, {}, value], type, rule);
    options(null, TypeError, /options must be an object, received null/);
    options(
      { lifetime: "ever" },
      TypeError,
      /"persist" or "creator" or "lastDetach", received "ev/,
    );
    options({ mode: 0o1000 }, RangeError, /mode must be an integer from 0 to 0o777, received 512/);
    for (const participants of [0, 1001, 1.5, NaN, -1]) {
      options(
        { participants },
        RangeError,
        /participants must be an integer from 1 to 1000, received/,
      );
    }
    options({ participants: "64" }, TypeError, /participants must be an integer .*, received "64"/);
    options({ prefault: 1 }, TypeError, /prefault must be true or false, received 1/);
    options({ mlock: "no" }, TypeError, /mlock must be true or false, received "no"/);
    expect(ownFiles()).toEqual([]);
  });

  test("refuses a layout whose description is longer than a description may be", () => {
    const names = Array.from({ length: 150_000 }, (_, at) => [`member_with_a_long_name_${at}`, at]);
    const Long = t.struct("Long", { field: t.enumeration(t.u32, Object.fromEntries(names)) });
    expectError(
      () => SharedObject.create(uniqueName(), Long),
      RangeError,
      /layout must have a description of at most 4194304 bytes, received \d{7}$/,
    );
    expect(ownFiles()).toEqual([]);
  });

  test("takes from 1 to 1000 participants, each in 128 bytes", () => {
    using one = SharedObject.create(uniqueName(), Player, {}, { participants: 1 });
    using all = SharedObject.create(uniqueName(), Player, {}, { participants: 1000 });
    expect(all.stat().size - one.stat().size).toBeGreaterThanOrEqual(999 * 128);
    expect(all.stat().size - one.stat().size).toBeLessThanOrEqual(999 * 128 + 8);
    for (const { name } of [one, all]) SharedObject.open(name, Player).close();
  });

  test("sets the mode exactly, and does what prefault and mlock say", () => {
    const before = process.umask(0o077);
    try {
      const options = { mode: 0o640, prefault: true, mlock: true };
      using object = SharedObject.create(uniqueName(), Player, {}, options);
      const { size, residentBytes, mode } = object.stat();
      expect([mode, residentBytes]).toEqual([0o640, Math.ceil(size / 4096) * 4096]);
      SharedObject.open(object.name, Player, { prefault: true, mlock: true }).close();
    } finally {
      process.umask(before);
    }
  });

  test("fails with EEXIST when the name is taken, and leaves what is there as it is", () => {
    using object = SharedObject.create(uniqueName(), Player, { id: 7 });
    const error = expectError(
      () => SharedObject.create(object.name, Player, { id: 8 }),
      ShmError,
      /^Cannot create object "[^"]*": it exists already \(EEXIST from linkat\)\. Use openOrCreate/,
    );
    expect([error.code, error.path]).toEqual(["EEXIST", `/${object.name}`]);
    expect(object.value.id).toBe(7);
  });

  test("makes objects of 64 MiB", () => {
    const Image = t.struct("Image", { width: t.u32, pixels: t.array(t.u8, 64 * 2 ** 20) });
    using image = SharedObject.create(uniqueName(), Image, { width: 640 });
    using same = SharedObject.open(image.name, Image);
    same.value.pixels[64 * 2 ** 20 - 1] = 9;
    expect([image.value.width, image.value.pixels.at(-1)]).toEqual([640, 9]);
  });
});

describe("SharedObject.open()", () => {
  test("sees the same value, in both directions", () => {
    using a = SharedObject.create(uniqueName(), Player, { id: 7 });
    using b = SharedObject.open(`/${a.name}`, Player);
    expect([b.created, b.name]).toEqual([false, a.name]);
    b.value.position.set([1, 2, 3]);
    a.value.hits.add(5);
    b.value.hits.add(1);
    expect(b.snapshot()).toEqual(a.snapshot());
    expect(b.value).toEqual(a.value);
    b.value.id = 8;
    expect(a.snapshot()).toEqual({ ...NOBODY, id: 8, position: [1, 2, 3], hits: 6 });
  });

  for (const runtime of OTHERS) {
    test(`sees what ${runtime.name} has made, and what it changes`, async () => {
      const name = uniqueName();
      await using peer = startPeer(runtime, "object.ts", ["create", name, '{"id":7,"name":"ada"}']);
      expect(await peer.line()).toBe("created");
      using object = SharedObject.open(name, Player);
      expect(object.snapshot()).toEqual({ ...NOBODY, id: 7, name: "ada" });
      object.assign({ name: "grace" });
      expect(JSON.parse(await runPeer(runtime, "object.ts", ["read", name]))).toEqual(
        JSON.parse(JSON.stringify(object)),
      );
      await runPeer(runtime, "object.ts", ["assign", name, '{"position":[1,2,3]}']);
      expect([...object.value.position]).toEqual([1, 2, 3]);
    });
  }

  test("gives one that only reads, and needs no right to write", () => {
    using object = SharedObject.create(uniqueName(), Player, { id: 7 }, { mode: 0o400 });
    using reader = SharedObject.open(object.name, Player, { readonly: true });
    expect(reader).toBeInstanceOf(ReadonlySharedObject);
    expect([reader.name, reader.foreign, reader.closed]).toEqual([object.name, false, false]);
    expect("value" in reader).toBe(false);
    const snapshot = reader.snapshot();
    expect(snapshot).toEqual({ ...NOBODY, id: 7 });
    object.assign({ position: [4, 5, 6], team: "blue" });
    expect(reader.snapshot(snapshot)).toBe(snapshot);
    expect(snapshot).toEqual(object.snapshot());
    expect(JSON.stringify(reader)).toBe(JSON.stringify(object));
    expect(reader.stat()).toEqual(object.stat());
    reader.close();
    reader.close();
    const error = expectError(
      () => reader.snapshot(),
      ShmError,
      /Cannot read object ".*": this ha/,
    );
    expect(error.code).toBe("ERR_SHM_CLOSED");
  });

  test("fails with ENOENT when there is none", () => {
    const name = uniqueName();
    const message = `Cannot open object "${name}": it does not exist (ENOENT from shm_open). ` +
      "Create it first, or wait for it with openAsync().";
    for (const open of [() => SharedObject.open(name, Player), () => SharedObject.layoutOf(name)]) {
      expect(expectError(open, ShmError, message).code).toBe("ENOENT");
    }
  });

  test("refuses what is no layout, and options that are none", () => {
    using object = SharedObject.create(uniqueName(), Player);
    const refuse = (layout: unknown, options: unknown, rule: RegExp) =>
      expectError(
        () => SharedObject.open(object.name, layout as typeof Player, options as object),
        TypeError,
        rule,
      );
    refuse({ ...Player }, {}, /Cannot open object ".*": layout must be one that t\.struct\(\) has/);
    refuse(Player, null, /options must be an object, received null/);
    refuse(Player, { trust: "me" }, /trust must be "owner" or "anyone", received "me"/);
    refuse(Player, { readonly: "yes" }, /readonly must be true or false, received "yes"/);
    expectError(() => SharedObject.open("", Player), TypeError, /name must not be empty/);
  });
});

describe("SharedObject.openOrCreate()", () => {
  test("creates, then opens", () => {
    const name = uniqueName();
    using first = SharedObject.openOrCreate(name, Player, { id: 1 });
    using second = SharedObject.openOrCreate(name, Player, { id: 2 }, { lifetime: "creator" });
    expect([first.created, second.created, second.value.id]).toEqual([true, false, 1]);
    second.close();
    expect(SharedObject.exists(name)).toBe(true);
    const options = { readonly: true } as object;
    using third = SharedObject.openOrCreate(name, Player, {}, options);
    expect(third.value.id).toBe(1);
  });
});

describe("SharedObject.openAsync()", () => {
  test("opens at once what exists, or one that only reads", async () => {
    using object = SharedObject.create(uniqueName(), Player, { id: 7 });
    using same = await SharedObject.openAsync(object.name, Player);
    using reader = await SharedObject.openAsync(object.name, Player, { readonly: true });
    expect([same.value.id, reader.snapshot().id]).toEqual([7, 7]);
    expect(reader).toBeInstanceOf(ReadonlySharedObject);
  });

  test("waits until another process has created it", async () => {
    const name = uniqueName();
    const opening = SharedObject.openAsync(name, Player, { timeout: 20_000 });
    await using peer = startPeer(HOST, "object.ts", ["create", name, '{"id":7}']);
    using object = await opening;
    expect(object.value.id).toBe(7);
    expect(await peer.line()).toBe("created");
  });

  test("waits for what is empty, and a while for what has no description yet", async () => {
    const name = uniqueName();
    writeFileSync(`/dev/shm/${name}`, "", { mode: 0o600 });
    const opening = SharedObject.openAsync(name, Player, { timeout: 20_000 });
    await new Promise((resolve) => setTimeout(resolve, 30));
    writeFileSync(`/dev/shm/${name}`, new Uint8Array(9000));
    const error = await expectErrorAsync(opening, ShmError, /it says nothing about its layout/);
    expect(error.code).toBe("ERR_SHM_LAYOUT");
  });

  test("gives up when the time is over, or the signal is aborted", async () => {
    const name = uniqueName();
    const error = await expectErrorAsync(
      SharedObject.openAsync(name, Player, { timeout: 30 }),
      DOMException,
      `Cannot open object "${name}": it took longer than the timeout of 30 ms`,
    );
    expect(error.name).toBe("TimeoutError");
    const controller = new AbortController();
    const opening = SharedObject.openAsync(name, Player, { signal: controller.signal });
    const reason = new Error("enough");
    controller.abort(reason);
    expect(await opening.catch((error) => error)).toBe(reason);
  });

  test("refuses bad arguments, and another layout at once, by rejecting", async () => {
    using object = SharedObject.create(uniqueName(), Player);
    const open = (layout: unknown, options = {}) =>
      SharedObject.openAsync(object.name, layout as typeof Player, options);
    await expectErrorAsync(open(undefined), TypeError, /layout must be one/);
    await expectErrorAsync(open(Player, { timeout: NaN }), RangeError, /timeout must be a number/);
    await expectErrorAsync(open(Player, { signal: 1 }), TypeError, /signal must be an AbortSignal/);
    await expectErrorAsync(open(t.struct("Other", { id: t.u32 })), ShmError, /another layout/);
  });
});
