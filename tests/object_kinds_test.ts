/**
 * What is in an object: a value with a layout, or one thing that synchronises, each opened as what it is.
 */

import { describe, expect, test } from "bun:test";
import { closeSync, openSync } from "node:fs";
import { type Struct, t } from "../layout/mod.ts";
import { kindOf, type ObjectKind } from "../memory/objects/kinds.ts";
import { checkObjectAccess } from "../memory/objects/object_options.ts";
import { headerOf, openObject } from "../memory/objects/open_object.ts";
import type { ObjectHandle } from "../memory/objects/object_handle.ts";
import { SharedObject, SharedSegment, ShmError } from "../mod.ts";
import { expectError, expectErrorAsync } from "./support/errors.ts";
import { cleanUpNames, openFiles, uniqueName } from "./support/names.ts";
import { createOfKind } from "./support/objects.ts";

cleanUpNames();

/** The kinds by their numbers, and what is said of them. */
const KINDS: readonly [kind: ObjectKind, number: number, words: string, opener: string][] = [
  ["mutex", 2, "a mutex", "SharedMutex"],
  ["rwlock", 3, "a read-write lock", "SharedRwLock"],
  ["semaphore", 4, "a semaphore", "SharedSemaphore"],
  ["condition", 5, "a condition", "SharedCondition"],
  ["event", 6, "an event", "SharedEvent"],
  ["autoResetEvent", 7, "an auto-reset event", "SharedEvent"],
  ["barrier", 8, "a barrier", "SharedBarrier"],
  ["once", 9, "a once-flag", "SharedOnce"],
];

const Words: Struct<{ words: ReturnType<typeof t.array<typeof t.u32>> }> = t.struct("Words", {
  words: t.array(t.u32, 4),
});

/** Opens an object of some kinds, whatever layout it has. */
function open(name: string, ...kinds: ObjectKind[]): ObjectHandle {
  const action = { verb: "open", noun: "test", name };
  return openObject(action, { ...checkObjectAccess(action, {}), expected: { kinds } });
}

describe("an object that is", () => {
  for (const [kind, number, words, opener] of KINDS) {
    test(`${words} is no SharedObject, and says what it is`, async () => {
      const name = uniqueName();
      createOfKind(name, kind, Words).close();
      const before = openFiles();
      const rule = `it is ${words}. Open it with ${opener}.open(), or choose another name.`;
      const attempts: [message: string, attempt: () => unknown][] = [
        [`Cannot open object "${name}"`, () => SharedObject.open(name, Words)],
        [`Cannot open object "${name}"`, () => SharedObject.open(name, Words, { readonly: true })],
        [`Cannot open or create object "${name}"`, () => SharedObject.openOrCreate(name, Words)],
        [`Cannot open object "${name}"`, () => SharedObject.layoutOf(name)],
        [
          `Cannot open file "/dev/shm/${name}"`,
          () => SharedObject.openFile(`/dev/shm/${name}`, Words),
        ],
      ];
      for (const [message, attempt] of attempts) {
        expect(expectError(attempt, ShmError, `${message}: ${rule}`).code).toBe("ERR_SHM_KIND");
      }
      const fd = openSync(`/dev/shm/${name}`, "r+");
      expectError(() => SharedObject.fromDescriptor(fd, Words), ShmError, new RegExp(words));
      closeSync(fd);
      const error = await expectErrorAsync(
        SharedObject.openAsync(name, Words, { timeout: 10_000 }),
        ShmError,
        new RegExp(words),
      );
      expect(error.code).toBe("ERR_SHM_KIND");
      expect(openFiles()).toEqual(before);
    });

    test(`${words} is opened as that, with what it says is in it`, () => {
      const name = uniqueName();
      createOfKind(name, kind, Words).close();
      for (const kinds of [[kind], ["object", kind]] as const) {
        const handle = open(name, ...kinds);
        const { header } = handle;
        expect([header?.kind, header?.fingerprint]).toEqual([number, Words.fingerprint]);
        expect(header === undefined ? undefined : kindOf(header)).toBe(kind);
        handle.close();
      }
      const other = kind === "mutex" ? "once" : "mutex";
      expect(expectError(() => open(name, other), ShmError, new RegExp(words)).code).toBe(
        "ERR_SHM_KIND",
      );
      const action = { verb: "look at", noun: "object", name };
      expect(headerOf(action, "owner", [kind]).kind).toBe(number);
    });

    test(`${words} is bytes to a SharedSegment, which also unlinks it`, () => {
      const name = uniqueName();
      createOfKind(name, kind, Words).close();
      using segment = SharedSegment.open(name);
      expect(Words.read(segment.bytes)).toEqual({ words: [0, 0, 0, 0] });
      segment.bytes[0] = 1;
      expectError(() => segment.resize(8192), ShmError, /it is an object/);
      using reader = SharedSegment.open(name, { readonly: true });
      expect(reader.getUint32(0)).toBe(1);
      expect([SharedSegment.unlink(name), SharedSegment.exists(name)]).toEqual([true, false]);
    });
  }

  test("a SharedObject is nothing else", () => {
    using object = SharedObject.create(uniqueName(), Words);
    const error = expectError(
      () => open(object.name, "mutex", "semaphore"),
      ShmError,
      `Cannot open test "${object.name}": it is an object. Open it with SharedObject.open(), or ` +
        "choose another name.",
    );
    expect(error.code).toBe("ERR_SHM_KIND");
    open(object.name, "object").close();
  });

  test("bare, as other programs make it, can be a value only", () => {
    for (const size of [Words.size, 4096]) {
      const name = uniqueName();
      using segment = SharedSegment.create(name, { size });
      segment.bytes[0] = 3;
      using object = SharedObject.open(name, Words);
      expect([object.foreign, object.value.words[0]]).toEqual([true, 3]);
      const error = expectError(
        () => open(name, "mutex"),
        ShmError,
        `Cannot open test "${name}": it is nothing that this library has made, and has ${size} ` +
          "bytes. Open it as a SharedSegment, or choose another name.",
      );
      expect(error.code).toBe("ERR_SHM_KIND");
      expect(expectError(() => open(name, "object"), ShmError, /says nothing/).code).toBe(
        "ERR_SHM_LAYOUT",
      );
    }
  });
});
