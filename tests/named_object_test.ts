/**
 * Things that synchronise under a name of their own: made, found and told apart, whatever they do then.
 */

import { afterAll, describe, expect, test } from "bun:test";
import { chmodSync } from "node:fs";
import { type Field, type FieldMaker, type Fields, type Struct, t } from "../layout/mod.ts";
import { SharedObject, SharedSegment, ShmError } from "../mod.ts";
import { KINDS } from "../sync/kinds.ts";
import {
  createNamed,
  existsNamed,
  openNamed,
  openNamedAsync,
  openOrCreateNamed,
  unlinkNamed,
} from "../sync/named/named_object.ts";
import { expectError, expectErrorAsync } from "./support/errors.ts";
import { cleanUpNames, openFiles, ownFiles, uniqueName } from "./support/names.ts";
import { createOfKind } from "./support/objects.ts";

cleanUpNames();

const refuse = (): never => {
  throw new Error("It has no value");
};

/** A field that describes itself as one that synchronises, and does nothing. */
function fake(kind: string, more: Readonly<Record<string, number>> = {}): Field {
  const [count = 0] = Object.values(more);
  return {
    kind,
    size: 16 + 4 * count,
    alignment: 4,
    assignable: false,
    plain: false,
    ...(kind === "rwlock" ? { rowByteLength: 4 } : {}),
    describe: () => Object.keys(more).length === 0 ? kind : { kind, ...more },
    attach: () => undefined,
    load: refuse,
    check: refuse,
    store: refuse,
  };
}

// What is not known yet is known as these, which describe themselves in the same way.
const known = KINDS as Record<string, FieldMaker>;
const added = ["mutex", "rwlock", "semaphore", "event", "autoResetEvent"]
  .filter((kind) => known[kind] === undefined);
for (const kind of added) {
  known[kind] = ({ permits }) => fake(kind, typeof permits === "number" ? { permits } : {});
}
afterAll(() => {
  for (const kind of added) delete known[kind];
});

const Mutex: Struct<Fields> = t.struct("Mutex", { mutex: fake("mutex") });
const semaphoreOf = (permits: number): Struct<Fields> =>
  t.struct("Semaphore", { semaphore: fake("semaphore", { permits }) });

const CREATE = { verb: "create", noun: "mutex" };
const OPEN = { verb: "open", noun: "mutex" };
const EITHER = { verb: "open or create", noun: "semaphore" };

describe("createNamed()", () => {
  test("makes an object of the kind, all zeros, that says what it is", () => {
    const name = uniqueName();
    const options = { participants: 5, mode: 0o640 } as const;
    using handle = disposable(createNamed(CREATE, `/${name}`, "mutex", Mutex, options));
    const { header, created, file } = handle;
    expect([handle.name, created, file.mode, handle.action("lock")]).toEqual([
      name,
      true,
      0o640,
      { verb: "lock", noun: "mutex", name },
    ]);
    expect(header).toMatchObject({
      kind: 2,
      participants: 5,
      payloadByteLength: 16,
      readerRowByteLength: 0,
      lifetime: "persist",
      fingerprint: Mutex.fingerprint,
    });
    expect(new Uint8Array(handle.buffer("read"), 0, 128)).toEqual(new Uint8Array(128));
    const Rows = t.struct("Lock", { lock: fake("rwlock") });
    using rows = disposable(createNamed(CREATE, uniqueName(), "rwlock", Rows, {}));
    expect(rows.header).toMatchObject({ kind: 3, readerRowByteLength: 64, participants: 64 });
  });

  test("fails where a name is taken, and for mistakes, and leaves nothing", () => {
    const name = uniqueName();
    createNamed(CREATE, name, "mutex", Mutex, {}).close();
    const before = openFiles();
    const again = () => createNamed(CREATE, name, "mutex", Mutex, {});
    expect(
      expectError(again, ShmError, new RegExp(`^Cannot create mutex "${name}": it exists`)).code,
    ).toBe("EEXIST");
    unlinkNamed(OPEN, name);
    for (
      const [options, message] of [
        [{ participants: 0 }, /participants must be an integer from 1 to 1000, received 0$/],
        [{ mode: 0o1000 }, /mode must be an integer from 0 to 0o777, received 512$/],
      ] as const
    ) {
      expectError(() => createNamed(CREATE, name, "mutex", Mutex, options), RangeError, message);
    }
    const lifetime = "forever" as "persist";
    expectError(
      () => createNamed(CREATE, name, "mutex", Mutex, { lifetime }),
      TypeError,
      /^Cannot create mutex "[^"]+": lifetime must be "persist" or "creator" or "lastDetach"/,
    );
    for (const wrong of ["", ".x", "a/b", "sem.x", 3 as unknown as string]) {
      const attempt = () => createNamed(CREATE, wrong, "mutex", Mutex, {});
      expectError(attempt, TypeError, /^Cannot create mutex: name must/);
    }
    expect([ownFiles(), openFiles()]).toEqual([[], before]);
  });

  for (const lifetime of ["creator", "lastDetach"] as const) {
    test(`ends with its lifetime, ${lifetime}`, () => {
      const name = uniqueName();
      const handle = createNamed(CREATE, name, "mutex", Mutex, { lifetime });
      const { handle: same } = openNamed(OPEN, name, "mutex", {});
      handle.close();
      expect(existsNamed(OPEN, name)).toBe(lifetime === "lastDetach");
      same.close();
      expect(existsNamed(OPEN, name)).toBe(false);
    });
  }
});

describe("openNamed()", () => {
  test("gives it with the parameters that it was made with", () => {
    const name = uniqueName();
    createNamed(CREATE, name, "semaphore", semaphoreOf(3), {}).close();
    const { handle, layout, field } = openNamed(OPEN, name, "semaphore", {});
    expect([handle.created, handle.writable, layout.fingerprint]).toEqual([
      false,
      true,
      semaphoreOf(3).fingerprint,
    ]);
    expect([field.kind, field.size, field.describe()]).toEqual([
      "semaphore",
      28,
      { kind: "semaphore", permits: 3 },
    ]);
    handle.close();
  });

  test("takes one of several kinds", () => {
    for (const kind of ["event", "autoResetEvent"] as const) {
      const name = uniqueName();
      createNamed(CREATE, name, kind, t.struct("Event", { event: fake(kind) }), {}).close();
      const { handle, field } = openNamed(OPEN, name, ["event", "autoResetEvent"], {});
      expect(field.kind).toBe(kind);
      handle.close();
      const wrong = () => openNamed(OPEN, name, ["mutex", "semaphore"], {});
      expect(expectError(wrong, ShmError, /it is an (auto-reset )?event\. Open/).code).toBe(
        "ERR_SHM_KIND",
      );
    }
  });

  test("refuses all else, and keeps nothing open", async () => {
    const before = openFiles();
    const refused = (name: string, code: string, message: RegExp) => {
      const error = expectError(() => openNamed(OPEN, name, "mutex", {}), ShmError, message);
      expect([error.code, error.path]).toEqual([code, `/${name}`]);
    };
    refused(uniqueName(), "ENOENT", /^Cannot open mutex "[^"]+": it does not exist/);
    const [object, bytes, strange] = [uniqueName(), uniqueName(), uniqueName()];
    const [several, odd, everybody] = [uniqueName(), uniqueName(), uniqueName()];
    SharedObject.create(object, t.struct("Value", { id: t.u32 })).close();
    refused(object, "ERR_SHM_KIND", /it is an object\. Open it with SharedObject\.open\(\)/);
    SharedSegment.create(bytes, { size: 16 }).close();
    refused(bytes, "ERR_SHM_KIND", /it is nothing that this library has made, and has 16 bytes/);
    createOfKind(strange, "mutex", t.struct("Value", { id: t.u32 })).close();
    refused(strange, "ERR_SHM_LAYOUT", /its layout is not that of a mutex\. Unlink it/);
    createOfKind(several, "mutex", t.struct("Two", { a: fake("mutex"), b: t.u8 })).close();
    refused(several, "ERR_SHM_LAYOUT", /its layout is not that of a mutex\. Unlink it/);
    createOfKind(odd, "mutex", t.struct("Odd", { a: fake("odd") })).close();
    refused(odd, "ERR_SHM_UNSUPPORTED", /something that is not known here/);
    createNamed(CREATE, everybody, "mutex", Mutex, {}).close();
    chmodSync(`/dev/shm/${everybody}`, 0o666);
    refused(everybody, "ERR_SHM_TRUST", /every user may write to it/);
    openNamed(OPEN, everybody, "mutex", { trust: "anyone" }).handle.close();
    const error = await expectErrorAsync(
      openNamedAsync(OPEN, object, "mutex", {}),
      ShmError,
      /it is an object/,
    );
    expect(error.code).toBe("ERR_SHM_KIND");
    expect(openFiles()).toEqual(before);
  });

  test("is always for writing", () => {
    const options = { readonly: true } as object;
    expectError(
      () => openNamed(OPEN, uniqueName(), "mutex", options),
      TypeError,
      /readonly must be false, for who waits writes, received true$/,
    );
    const wrong = () => openNamed(OPEN, uniqueName(), "mutex", { trust: "all" as "anyone" });
    expectError(wrong, TypeError, /trust must be "owner" or "anyone", received "all"$/);
    expectError(
      () => openNamed(OPEN, uniqueName(), "mutex", 3 as unknown as object),
      TypeError,
      /options must be an object, received 3$/,
    );
  });
});

describe("openNamedAsync()", () => {
  test("waits until there is one", async () => {
    const name = uniqueName();
    const opening = openNamedAsync(OPEN, name, "semaphore", { timeout: 60_000 });
    createNamed(CREATE, name, "semaphore", semaphoreOf(2), {}).close();
    const { handle, field } = await opening;
    expect([handle.name, field.size]).toEqual([name, 24]);
    handle.close();
  });

  test("ends with the time, and with the signal", async () => {
    const late = openNamedAsync(OPEN, uniqueName(), "mutex", { timeout: 1 });
    const error = await expectErrorAsync(late, DOMException, /^Cannot open mutex "/);
    expect(error.name).toBe("TimeoutError");
    const reason = new Error("enough");
    const signal = AbortSignal.abort(reason);
    const aborted = openNamedAsync(OPEN, uniqueName(), "mutex", { signal });
    expect(await expectErrorAsync(aborted, Error, "enough")).toBe(reason);
  });
});

describe("openOrCreateNamed()", () => {
  test("creates one, then opens it", () => {
    const name = uniqueName();
    const layout = semaphoreOf(4);
    using first = disposable(openOrCreateNamed(EITHER, name, "semaphore", layout, {}));
    using second = disposable(openOrCreateNamed(EITHER, name, "semaphore", layout, {}));
    expect([first.created, second.created, second.file.inode]).toEqual([
      true,
      false,
      first.file.inode,
    ]);
  });

  test("refuses other parameters, with the difference, and other kinds", () => {
    const name = uniqueName();
    createNamed(CREATE, name, "semaphore", semaphoreOf(4), {}).close();
    const before = openFiles();
    const other = expectError(
      () => openOrCreateNamed(EITHER, name, "semaphore", semaphoreOf(5), {}),
      ShmError,
      `Cannot open or create semaphore "${name}": it has another layout than Semaphore here: ` +
        "Semaphore.semaphore: semaphore(permits = 5) at 0 here, semaphore(permits = 4) at 0 there; " +
        "Semaphore: size is 36 bytes here, 32 there. Open it with the layout that it was made " +
        "with, or unlink it and create it anew.",
    );
    expect(other.code).toBe("ERR_SHM_LAYOUT");
    const mutex = () => openOrCreateNamed(EITHER, name, "mutex", Mutex, {});
    expect(expectError(mutex, ShmError, /it is a semaphore\. Open/).code).toBe("ERR_SHM_KIND");
    expect(openFiles()).toEqual(before);
  });
});

test("existsNamed() and unlinkNamed() take whatever is there", () => {
  const name = uniqueName();
  expect([existsNamed(OPEN, name), unlinkNamed(OPEN, name)]).toEqual([false, false]);
  createNamed(CREATE, name, "mutex", Mutex, {}).close();
  expect([existsNamed(OPEN, `/${name}`), unlinkNamed(OPEN, name)]).toEqual([true, true]);
  SharedSegment.create(name, { size: 1 }).close();
  expect([existsNamed(OPEN, name), unlinkNamed(OPEN, name), existsNamed(OPEN, name)]).toEqual([
    true,
    true,
    false,
  ]);
  expectError(() => unlinkNamed(OPEN, "a/b"), TypeError, /^Cannot open mutex: name must not/);
});

/** A handle that `using` closes. */
function disposable<T extends { close(): void }>(handle: T): T & Disposable {
  return Object.assign(handle, { [Symbol.dispose]: () => handle.close() });
}
