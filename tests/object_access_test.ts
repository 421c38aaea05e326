/**
 * What is done with an attached object: reading, writing, printing, comparing, closing, losing it.
 */

import { describe, expect, test } from "bun:test";
import { inspect } from "node:util";
import { SharedObject, ShmError } from "../mod.ts";
import { expectError } from "./support/errors.ts";
import { cleanUpNames, uniqueName } from "./support/names.ts";
import { NOBODY, Player } from "./support/objects.ts";
import { startPeer } from "./support/peers.ts";
import { HOST } from "./support/runtimes.ts";

cleanUpNames();

describe("SharedObject.prototype.snapshot()", () => {
  test("copies out, and fills what an earlier call gave", () => {
    using object = SharedObject.create(uniqueName(), Player, { id: 7 });
    const snapshot = object.snapshot();
    const { position, flags, stats } = snapshot;
    object.assign({ id: 8, position: [1, 2, 3], flags: { alive: true }, stats: { score: 9n } });
    expect([snapshot.id, position[0]]).toEqual([7, 0]);
    expect(object.snapshot(snapshot)).toBe(snapshot);
    expect(snapshot.position === position && snapshot.flags === flags).toBe(true);
    expect([snapshot.id, position[0], flags.alive, stats.score]).toEqual([8, 1, true, 9n]);
  });

  test("fails with a RangeError when an enumeration holds what has no name", () => {
    using object = SharedObject.create(uniqueName(), Player);
    using reader = SharedObject.open(object.name, Player, { readonly: true });
    object.value.position.fill(0);
    new Uint8Array(object.value.position.buffer)[Player.offsetOf("team")] = 9;
    for (const each of [object, reader]) {
      expectError(
        () => each.snapshot(),
        RangeError,
        /^Player\.team holds 9 in memory, which is none/,
      );
    }
    expect(inspect(object)).toContain("Player.team holds 9 in memory");
  });
});

describe("SharedObject.prototype.assign()", () => {
  test("writes what is given, at any depth, and leaves the rest", () => {
    using object = SharedObject.create(uniqueName(), Player, { id: 7, flags: { level: 5 } });
    object.assign({ name: "ada", flags: { alive: true }, stats: { level: 1 } });
    object.assign({ stats: { score: 2n }, position: new Float32Array([1, 2, 3]) });
    object.assign({});
    expect(object.snapshot()).toEqual({
      ...NOBODY,
      id: 7,
      name: "ada",
      position: [1, 2, 3],
      flags: { alive: true, level: 5 },
      stats: { level: 1, score: 2n },
    });
  });

  test("writes nothing when something is wrong, at whatever place", () => {
    using object = SharedObject.create(uniqueName(), Player, { id: 7 });
    const before = object.snapshot();
    for (
      const patch of [
        { id: 8, name: "x".repeat(32) },
        { id: 8, position: [1, 2, "3"] },
        { position: [1, 2, 3], stats: { level: 1, score: 1 } },
        { id: 8, flags: { alive: true, level: 8 } },
        { id: 8, extra: 1 },
        { id: 8, hits: -1 },
        null,
      ]
    ) {
      let thrown: unknown;
      try {
        object.assign(patch as object);
      } catch (error) {
        thrown = error;
      }
      expect(thrown instanceof TypeError || thrown instanceof RangeError).toBe(true);
      expect(object.snapshot()).toEqual(before);
    }
  });
});

describe("SharedObject.exists(), unlink() and layoutOf()", () => {
  test("tell, remove and describe", () => {
    const name = uniqueName();
    expect([SharedObject.exists(name), SharedObject.unlink(name)]).toEqual([false, false]);
    using object = SharedObject.create(name, Player, { id: 7 });
    expect(SharedObject.exists(`/${name}`)).toBe(true);
    const layout = SharedObject.layoutOf(name);
    expect([layout.fingerprint, layout.toC()]).toEqual([Player.fingerprint, Player.toC()]);
    using untyped = SharedObject.open(name, layout);
    expect(untyped.snapshot()).toEqual(object.snapshot());
    expect(SharedObject.unlink(name)).toBe(true);
    expect(object.stat().linked).toBe(false);
    using later = SharedObject.create(name, Player);
    expect([object.unlink(), object.value.id, later.value.id]).toEqual([false, 7, 0]);
    expect(later.unlink()).toBe(true);
    expectError(() => SharedObject.unlink("a/b"), TypeError, /^Cannot unlink object: name must/);
  });
});

describe("SharedObject.prototype.close()", () => {
  test("can be called again, and everything throws afterwards", () => {
    using object = SharedObject.create(uniqueName(), Player, { id: 7 });
    const { value } = object;
    const { position, hits, stats } = value;
    object.close();
    object.close();
    expect([object.closed, object.value === value, position.length]).toEqual([true, true, 0]);
    for (
      const use of [
        () => value.id,
        () => value.id = 1,
        () => value.name,
        () => value.team,
        () => value.position,
        () => value.stats.level,
        () => stats.score,
        () => hits.load(),
        () => hits.add(1),
      ]
    ) {
      expectError(
        use,
        TypeError,
        /^Cannot access (Player|Stats)\..*: its memory has been closed or resized$/,
      );
    }
    for (
      const [verb, use] of [
        ["read", () => object.snapshot()],
        ["assign to", () => object.assign({})],
        ["stat", () => object.stat()],
        ["unlink", () => object.unlink()],
      ] as const
    ) {
      const rule = new RegExp(`^Cannot ${verb} object "${object.name}": this handle is closed\\.`);
      expect(expectError(use, ShmError, rule).code).toBe("ERR_SHM_CLOSED");
    }
    expect(SharedObject.exists(object.name)).toBe(true);
  });

  test("is what using does", () => {
    const name = uniqueName();
    {
      using object = SharedObject.create(name, Player, {}, { lifetime: "creator" });
      expect(object.closed).toBe(false);
    }
    expect(SharedObject.exists(name)).toBe(false);
  });

  test("survives that the buffer was transferred away before", () => {
    using object = SharedObject.create(uniqueName(), Player, { id: 7 }, { lifetime: "creator" });
    using reader = SharedObject.open(object.name, Player, { readonly: true });
    const taken = object.value.position.buffer.transfer();
    for (const use of [() => object.snapshot(), () => object.assign({ id: 1 })]) {
      const error = expectError(
        use,
        ShmError,
        /its buffer was transferred away\. Close this handle/,
      );
      expect(error.code).toBe("ERR_SHM_CLOSED");
    }
    expectError(() => object.value.id, TypeError, /closed or resized/);
    expect([object.closed, reader.snapshot().id, object.stat().linked]).toEqual([false, 7, true]);
    object.close();
    new Uint8Array(taken)[0] = 9;
    expect(reader.snapshot().id).toBe(7);
    expect(SharedObject.exists(object.name)).toBe(false);
  });
});

describe("a SharedObject", () => {
  test("prints its name and value, and encodes its value as JSON", () => {
    using object = SharedObject.create(uniqueName(), Player, { name: "ada", stats: { score: 5n } });
    using reader = SharedObject.open(object.name, Player, { readonly: true });
    for (const each of [object, reader]) {
      const printed = inspect(each);
      expect(printed).toContain(`SharedObject ${JSON.stringify(object.name)} {`);
      expect(printed.startsWith(each.constructor.name)).toBe(true);
      expect(printed).toMatch(/name: ['"]ada['"]/);
      expect(JSON.parse(JSON.stringify(each))).toEqual({
        ...NOBODY,
        name: "ada",
        stats: { level: 0, score: "5" },
      });
      each.close();
      expect(inspect(each)).toBe(
        `${each.constructor.name} ${JSON.stringify(object.name)} (closed)`,
      );
    }
  });

  test("has values that compare", () => {
    using a = SharedObject.create(uniqueName(), Player, { id: 7 });
    using b = SharedObject.create(uniqueName(), Player, { id: 7 });
    expect(a.snapshot()).toEqual(b.snapshot());
    expect(a.value).toEqual(b.value);
    b.value.stats.level = 1;
    expect(a.snapshot()).not.toEqual(b.snapshot());
    expect(a.value).not.toEqual(b.value);
  });

  test("that is lost without close() is warned of, and its value lives on", async () => {
    await using peer = startPeer(HOST, "lose_object.ts", [uniqueName()]);
    const { code, stdout, stderr } = await peer.exit();
    expect([code, stdout]).toEqual([0, "7\n"]);
    expect(stderr).toMatch(/object "shmkit-test-.*" was garbage-collected without close\(\)/);
  });
});
