/**
 * Who synchronises through the handle of an object, and what becomes of that when it is closed.
 */

import { describe, expect, test } from "bun:test";
import type { Action } from "../errors.ts";
import { stateError } from "../errors.ts";
import { type Field, type Memory, type Struct, t } from "../layout/mod.ts";
import { ObjectHandle } from "../memory/objects/object_handle.ts";
import { SharedObject, ShmError } from "../mod.ts";
import { expectError } from "./support/errors.ts";
import { cleanUpNames, openFiles, ownFiles, uniqueName } from "./support/names.ts";

cleanUpNames();

const refuse = (): never => {
  throw new Error("It has no value");
};

/** Gives what the fields of an object are given. */
const handle: Field<never, never, ObjectHandle, ObjectHandle> = {
  kind: "handle",
  size: 16,
  alignment: 4,
  assignable: false,
  plain: false,
  describe: () => "handle",
  attach: ({ owner }: Memory) => owner as ObjectHandle,
  load: refuse,
  check: refuse,
  store: refuse,
};

const Guarded: Struct<{ lock: typeof handle; count: typeof t.u32 }> = t.struct("Guarded", {
  lock: handle,
  count: t.u32,
});

/** Takes part, and notes what it is asked. */
class Participant {
  readonly calls: string[] = [];
  held = false;

  assertFree(action: Action): void {
    this.calls.push(`${action.verb} ${action.noun} ${action.name}?`);
    if (this.held) throw stateError(action, "ERR_SHM_UNSUPPORTED", "it is held", "Release it.");
  }

  end(): void {
    this.calls.push("end");
  }
}

describe("close() of an object at which somebody takes part", () => {
  test("ends that first, once, while the object is still attached", () => {
    const object = SharedObject.create(uniqueName(), Guarded);
    const owner = object.value.lock;
    expect(owner).toBeInstanceOf(ObjectHandle);
    expect(owner.participation).toBe(undefined);
    const participant = new Participant();
    participant.end = () => {
      participant.calls.push(`closed: ${owner.closed}`, `known: ${owner.participation}`);
      expect(owner.fd).toBe(object.fd);
    };
    owner.participation = participant;
    object.close();
    object.close();
    expect(participant.calls.slice(0, 3)).toEqual([
      `close object ${object.name}?`,
      "closed: false",
      "known: undefined",
    ]);
    expect(participant.calls.length).toBe(3);
    expect(object.closed).toBe(true);
  });

  for (const lifetime of ["persist", "creator", "lastDetach"] as const) {
    test(`closes nothing while it is refused, with the lifetime ${lifetime}`, () => {
      const object = SharedObject.create(uniqueName(), Guarded, { count: 3 }, { lifetime });
      const participant = new Participant();
      object.value.lock.participation = participant;
      participant.held = true;
      for (let attempt = 0; attempt < 2; attempt++) {
        const message = `Cannot close object "${object.name}": it is held. Release it.`;
        expectError(() => object.close(), ShmError, message);
      }
      object.value.count++;
      expect([object.closed, object.value.count, object.stat().linked]).toEqual([false, 4, true]);
      expect(object.value.lock.participation === participant).toBe(true);
      participant.held = false;
      object.close();
      expect(object.closed).toBe(true);
      expect(participant.calls.filter((each) => each === "end").length).toBe(1);
      expect(ownFiles().length).toBe(lifetime === "persist" ? 1 : 0);
    });
  }

  test("closes it even if the end of that fails", () => {
    const before = openFiles();
    const object = SharedObject.create(uniqueName(), Guarded, {}, { lifetime: "creator" });
    const participant = new Participant();
    participant.end = () => {
      throw new Error("a mistake");
    };
    object.value.lock.participation = participant;
    expectError(() => object.close(), Error, "a mistake");
    expect([object.closed, ownFiles()]).toEqual([true, []]);
    expect(openFiles()).toEqual(before);
  });
});

test("fields learn from the handle what a participant has to know", () => {
  const name = uniqueName();
  using object = SharedObject.create(name, Guarded, {}, { participants: 5, mode: 0o640 });
  using same = SharedObject.open(name, Guarded);
  for (const { lock: owner } of [object.value, same.value]) {
    const { header, file, name: called } = owner;
    expect([header?.payloadByteLength, header?.participants, header?.slotByteLength]).toEqual([
      20,
      5,
      128,
    ]);
    const { mode, uid, gid, inode } = file;
    const stat = object.stat();
    expect([called, mode, uid, gid]).toEqual([name, 0o640, stat.uid, stat.gid]);
    expect(inode).toBe(same.value.lock.file.inode);
    expect(owner.action("lock").name).toBe(name);
  }
  using other = SharedObject.create(uniqueName(), Guarded);
  expect(other.value.lock.file.inode).not.toBe(object.value.lock.file.inode);
});
