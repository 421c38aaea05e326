/**
 * The classes of what synchronises under a name of its own: made, found, told apart and removed, each as
 * the others are; and met by other processes, in other runtimes.
 */

import { describe, expect, test } from "bun:test";
import { chmodSync } from "node:fs";
import * as root from "../mod.ts";
import {
  type NamedOpenOptions,
  type ObjectCreateOptions,
  type ObjectOpenOrCreateOptions,
  type SegmentStat,
  SharedBarrier,
  SharedCondition,
  SharedEvent,
  SharedMutex,
  SharedObject,
  SharedOnce,
  SharedRwLock,
  SharedSegment,
  SharedSemaphore,
  ShmError,
  t,
} from "../mod.ts";
import * as door from "../sync/mod.ts";
import { expectError, expectErrorAsync } from "./support/errors.ts";
import { cleanUpNames, openFiles, ownFiles, uniqueName } from "./support/names.ts";
import { type Peer, startPeer } from "./support/peers.ts";
import { OTHERS, type RuntimeCommand, RUNTIMES } from "./support/runtimes.ts";
import { importsOf, sourcesOf } from "./support/source.ts";

cleanUpNames();

/** What all of them have. */
interface Named extends Disposable {
  readonly name: string;
  readonly created: boolean;
  readonly closed: boolean;
  stat(): SegmentStat;
  unlink(): boolean;
  close(): void;
}

/** What none of them minds, and what two of them need. */
const PARAMETERS = { permits: 1, parties: 2 } as const;
type Parameters = typeof PARAMETERS;

interface NamedClass {
  readonly name: string;
  create(name: string, options: ObjectCreateOptions & Parameters): Named;
  open(name: string, options?: NamedOpenOptions): Named;
  openOrCreate(name: string, options: ObjectOpenOrCreateOptions & Parameters): Named;
  openAsync(name: string, options?: { timeout?: number; signal?: AbortSignal }): Promise<Named>;
  exists(name: string): boolean;
  unlink(name: string): boolean;
}

/** Each class, what messages call it, its field's class, and a verb that takes part. */
interface Entry {
  readonly kind: string;
  readonly type: NamedClass;
  readonly phrase: string;
  readonly field: abstract new (...args: never[]) => object;
  use(named: Named): unknown;
}

const CLASSES: readonly Entry[] = [
  {
    kind: "mutex",
    type: SharedMutex,
    phrase: "a mutex",
    field: root.Mutex,
    use: (named) => (named as SharedMutex).tryLock()?.release(),
  },
  {
    kind: "rwlock",
    type: SharedRwLock,
    phrase: "a read-write lock",
    field: root.RwLock,
    use: (named) => (named as SharedRwLock).tryLockExclusive()?.release(),
  },
  {
    kind: "semaphore",
    type: SharedSemaphore,
    phrase: "a semaphore",
    field: root.Semaphore,
    use: (named) => (named as SharedSemaphore).tryAcquire()?.release(),
  },
  {
    kind: "condition",
    type: SharedCondition,
    phrase: "a condition",
    field: root.Condition,
    use: (named) => (named as SharedCondition).notify(),
  },
  {
    kind: "event",
    type: SharedEvent,
    phrase: "an event",
    field: root.ResetEvent,
    use: (named) => (named as SharedEvent).isSet,
  },
  {
    kind: "barrier",
    type: SharedBarrier,
    phrase: "a barrier",
    field: root.Barrier,
    use: (named) => (named as SharedBarrier).joined,
  },
  {
    kind: "once",
    type: SharedOnce,
    phrase: "a once-flag",
    field: root.Once,
    use: (named) => (named as SharedOnce).done,
  },
];

const create = ({ type }: Entry, name: string, options: ObjectCreateOptions = {}): Named =>
  type.create(name, { ...PARAMETERS, ...options });

/** What a message calls it after a verb: `a mutex` is `mutex`. */
const nounOf = ({ phrase }: Entry): string => phrase.replace(/^an? /, "");

for (const entry of CLASSES) {
  const { kind, type, field, use } = entry;
  const noun = nounOf(entry);

  describe(type.name, () => {
    test("is created, opened, found and removed", async () => {
      const name = uniqueName();
      expect([type.exists(name), type.unlink(name)]).toEqual([false, false]);
      const opening = type.openAsync(name, { timeout: 20_000 });
      using first = create(entry, `/${name}`);
      expect(first).toBeInstanceOf(field);
      expect([first.name, first.created, first.closed]).toEqual([name, true, false]);
      using second = await opening;
      using third = type.open(name);
      using fourth = type.openOrCreate(name, PARAMETERS);
      for (const other of [second, third, fourth]) {
        expect(other).toBeInstanceOf(type as unknown as new () => object);
        expect([other.name, other.created]).toEqual([name, false]);
        use(other);
      }
      const { size, mode } = first.stat();
      expect([size > 0, mode & 0o777]).toEqual([true, 0o600]);
      expect([type.exists(name), type.exists(`/${name}`)]).toEqual([true, true]);
      expect([first.unlink(), second.unlink(), type.exists(name)]).toEqual([true, false, false]);
      use(third); // whoever has it goes on
      const missing = expectError(
        () => type.open(name),
        ShmError,
        new RegExp(`^Cannot open ${noun} "${name}": it does not exist`),
      );
      expect([missing.code, missing.path]).toEqual(["ENOENT", `/${name}`]);
      using anew = type.openOrCreate(name, PARAMETERS);
      expect([anew.created, third.unlink(), type.exists(name)]).toEqual([true, false, true]);
      expect([type.unlink(name), type.unlink(name)]).toEqual([true, false]);
    });

    test("is not created twice, and not by mistake", () => {
      const name = uniqueName();
      create(entry, name).close();
      const before = openFiles();
      const taken = expectError(
        () => create(entry, name),
        ShmError,
        new RegExp(`^Cannot create ${noun} "${name}": it exists`),
      );
      expect(taken.code).toBe("EEXIST");
      expectError(
        () => create(entry, "a/b"),
        TypeError,
        new RegExp(`^Cannot create ${noun}: name must`),
      );
      const wrong = [
        { mode: 0o1000 },
        { participants: 0 },
        { participants: 1001 },
        { lifetime: "ever" },
      ] as unknown as ObjectCreateOptions[];
      for (const options of wrong) {
        const [option] = Object.keys(options);
        const rule = new RegExp(`^Cannot create ${noun} "[^"]*": ${option} must be .*received`);
        expectError(() => create(entry, uniqueName(), options), Error, rule);
      }
      expectError(
        () => type.create(uniqueName(), 3 as unknown as Parameters),
        TypeError,
        /options must be an object, received 3$/,
      );
      expectError(
        () => type.open(name, { readonly: true } as object),
        TypeError,
        /readonly must be false, for who waits writes/,
      );
      expect([ownFiles(), openFiles()]).toEqual([[name], before]);
    });

    test("is nothing else, and nothing else is it", async () => {
      const name = uniqueName();
      create(entry, name).close();
      const others = CLASSES.filter((other) => other !== entry);
      const before = openFiles();
      for (const other of others) {
        const { type: otherType } = other;
        const rule =
          `it is ${entry.phrase}. Open it with ${type.name}.open(), or choose another name.`;
        const attempts = [
          ["open", () => otherType.open(name)],
          ["open or create", () => otherType.openOrCreate(name, PARAMETERS)],
        ] as const;
        for (const [verb, attempt] of attempts) {
          const message = `Cannot ${verb} ${nounOf(other)} "${name}": ${rule}`;
          expect(expectError(attempt, ShmError, message).code).toBe("ERR_SHM_KIND");
        }
        const later = otherType.openAsync(name, { timeout: 20_000 });
        expect((await expectErrorAsync(later, ShmError, /^Cannot open/)).code).toBe("ERR_SHM_KIND");
      }
      const Value = t.struct("Value", { id: t.u32 });
      const wrong = expectError(() => SharedObject.open(name, Value), ShmError, /it is an? /);
      expect(wrong.code).toBe("ERR_SHM_KIND");

      const [object, bytes] = [uniqueName(), uniqueName()];
      SharedObject.create(object, Value).close();
      SharedSegment.create(bytes, { size: 4096 }).close();
      const strangers = [
        [/Open it with SharedObject\.open\(\)/, object, () => type.open(object)],
        [/SharedObject\.open\(\)/, object, () => type.openOrCreate(object, PARAMETERS)],
        [/Open it as a SharedSegment/, bytes, () => type.open(bytes)],
      ] as const;
      for (const [words, stranger, attempt] of strangers) {
        const error = expectError(attempt, ShmError, words);
        expect([error.code, error.path]).toEqual(["ERR_SHM_KIND", `/${stranger}`]);
      }
      // As everywhere, these two ask for nothing but the name.
      expect([type.exists(bytes), type.unlink(bytes), type.exists(bytes)]).toEqual([
        true,
        true,
        false,
      ]);
      expect(openFiles()).toEqual(before);
    });

    test("exists as long as its lifetime says", () => {
      for (const lifetime of ["persist", "creator", "lastDetach"] as const) {
        const name = uniqueName();
        const first = create(entry, name, { lifetime });
        const second = type.open(name);
        for (const handle of [first, second]) use(handle);
        first.close();
        expect([lifetime, type.exists(name)]).toEqual([lifetime, lifetime !== "creator"]);
        use(second);
        second.close();
        expect([lifetime, type.exists(name)]).toEqual([lifetime, lifetime === "persist"]);
      }
    });

    test("is closed once, and of no use then", () => {
      const before = openFiles();
      const handle = create(entry, uniqueName());
      use(handle);
      handle.close();
      handle.close();
      handle[Symbol.dispose]();
      expect([handle.closed, openFiles()]).toEqual([true, before]);
      for (const verb of [() => use(handle), () => handle.stat(), () => handle.unlink()]) {
        expect(expectError(verb, ShmError, /closed/).code).toBe("ERR_SHM_CLOSED");
      }
    });

    test("is for whom its mode says, and not for all unless that is wanted", () => {
      const name = uniqueName();
      using handle = create(entry, name, { mode: 0o640 });
      expect(handle.stat().mode & 0o777).toBe(0o640);
      chmodSync(`/dev/shm/${name}`, 0o666);
      const attempts = [() => type.open(name), () => type.openOrCreate(name, PARAMETERS)];
      for (const attempt of attempts) {
        expect(expectError(attempt, ShmError, /every user may write to it/).code).toBe(
          "ERR_SHM_TRUST",
        );
      }
      using same = type.open(name, { trust: "anyone" });
      using again = type.openOrCreate(name, { ...PARAMETERS, trust: "anyone" });
      for (const each of [same, again]) use(each);
    });

    test("is awaited until the time is over, or until that is called off", async () => {
      const late = type.openAsync(uniqueName(), { timeout: 1 });
      const error = await expectErrorAsync(late, DOMException, new RegExp(`^Cannot open ${noun}`));
      expect(error.name).toBe("TimeoutError");
      const reason = new Error("enough");
      const aborting = new AbortController();
      const aborted = type.openAsync(uniqueName(), { signal: aborting.signal });
      aborting.abort(reason);
      expect(await expectErrorAsync(aborted, Error, "enough")).toBe(reason);
    });

    for (const runtime of OTHERS) {
      test(`is met under its name by ${runtime.name}`, async () => {
        const name = uniqueName();
        using named = create(entry, name);
        await using peer = startPeer(runtime, "named.ts");
        expect(await peer.line()).toBe("ready");
        const act = (verb: string) => ask(peer, kind, name, verb);
        await meetings[kind]?.(named, () => act("take"), () => act("release"));
        expect(await ask(peer, kind, name, "close")).toBe("done");
      });
    }
  });
}

async function ask(peer: Peer, kind: string, name: string, verb: string): Promise<string> {
  peer.send(`${kind} ${name} ${verb}`);
  return await peer.line();
}

type Meeting = (
  named: Named,
  take: () => Promise<string>,
  release: () => Promise<string>,
) => Promise<void>;

/** What happens when somebody else takes it. */
const meetings: Record<string, Meeting> = {
  async mutex(named, take, release) {
    const mutex = named as SharedMutex;
    expect(await take()).toBe("1");
    expect(mutex.tryLock()).toBe(null);
    const waiting = mutex.lockAsync({ timeout: 20_000 });
    expect(await release()).toBe("done");
    using guard = await waiting;
    expect([guard.held, guard.ownerDied]).toEqual([true, false]);
  },
  async rwlock(named, take, release) {
    const rwlock = named as SharedRwLock;
    expect(await take()).toBe("1");
    expect(rwlock.withShared(({ held }) => held)).toBe(true);
    expect(rwlock.tryLockExclusive()).toBe(null);
    const waiting = rwlock.lockExclusiveAsync({ timeout: 20_000 });
    expect(await release()).toBe("done");
    using guard = await waiting;
    expect([guard.held, guard.ownerDied]).toEqual([true, false]);
  },
  async semaphore(named, take, release) {
    const semaphore = named as SharedSemaphore;
    expect(await take()).toBe("1");
    expect([semaphore.permits, semaphore.available]).toEqual([1, 0]);
    const waiting = semaphore.acquireAsync({ timeout: 20_000 });
    expect(await release()).toBe("done");
    using permit = await waiting;
    expect(permit.held).toBe(true);
  },
  async condition(named, take) {
    const condition = named as SharedCondition;
    using mutex = SharedMutex.create(`${named.name}-mutex`);
    using changed = SharedEvent.create(`${named.name}-event`);
    const taken = take();
    await mutex.withLockAsync(() => {
      changed.set();
      condition.notify();
    });
    expect(await taken).toBe("true");
  },
  async event(named, take) {
    const event = named as SharedEvent;
    const taken = take();
    event.set();
    expect([await taken, event.autoReset, event.isSet]).toEqual(["false", false, true]);
  },
  async barrier(named, take) {
    const taken = take();
    const leads = await (named as SharedBarrier).arriveAndWaitAsync({ timeout: 20_000 });
    expect(await taken).toBe(String(!leads));
  },
  async once(named, take) {
    const once = named as SharedOnce;
    expect(await take()).toBe("true");
    expect([once.done, once.run(() => {})]).toEqual([true, false]);
  },
};

describe("as many threads take part as it was made for", () => {
  test("in several processes, until one of them ends", async () => {
    const [one, , two] = RUNTIMES as [RuntimeCommand, RuntimeCommand, RuntimeCommand];
    await using first = startPeer(one, "named.ts");
    await using second = startPeer(two, "named.ts");
    expect([await first.line(), await second.line()]).toEqual(["ready", "ready"]);
    for (const entry of CLASSES) {
      const name = uniqueName();
      using named = create(entry, name, { participants: 2 });
      entry.use(named);
      using same = entry.type.open(name);
      entry.use(same); // the same thread has one place, by whatever handle
      const { kind } = entry;
      expect([kind, await ask(first, kind, name, "use")]).toEqual([kind, "done"]);
      expect([kind, await ask(second, kind, name, "use")]).toEqual([kind, "ERR_SHM_FULL"]);
      expect(await ask(first, kind, name, "close")).toBe("done");
      expect([kind, await ask(second, kind, name, "use")]).toEqual([kind, "done"]);
      // It is another one that has no place now; the dead have none.
      expect([kind, await ask(first, kind, name, "use")]).toEqual([kind, "ERR_SHM_FULL"]);
      named.close();
      same.close();
      expect([kind, await ask(first, kind, name, "use")]).toEqual([kind, "done"]);
    }
  });
});

describe("a named semaphore of permits", () => {
  test("says how many it has, and has no other number for whoever opens it", async () => {
    const name = uniqueName();
    using three = SharedSemaphore.create(name, { permits: 3 });
    using opened = SharedSemaphore.open(name);
    using awaited = await SharedSemaphore.openAsync(name);
    using same = SharedSemaphore.openOrCreate(name, { permits: 3 });
    expect([three, opened, awaited, same].map(({ permits }) => permits)).toEqual([3, 3, 3, 3]);
    const error = expectError(
      () => SharedSemaphore.openOrCreate(name, { permits: 4 }),
      ShmError,
      /Semaphore\.semaphore: semaphore\(permits = 4\) at 0 here, semaphore\(permits = 3\) at 0 there/,
    );
    expect(error.code).toBe("ERR_SHM_LAYOUT");
    const [a, b, c] = [three.acquire(), opened.acquire(), same.acquire()];
    expect([awaited.tryAcquire(), three.available]).toEqual([null, 0]);
    expectError(() => opened.close(), ShmError, /this thread holds a lock or permit of it/);
    for (const permit of [a, b, c]) permit.release();
  });

  test("has 1 to 4096", () => {
    using most = SharedSemaphore.create(uniqueName(), { permits: 4096 });
    expect(most.available).toBe(4096);
    for (const permits of [0, 4097, 1.5, "2", undefined]) {
      const name = uniqueName();
      const options = { permits } as { permits: number };
      for (
        const [verb, attempt] of [
          ["create", () => SharedSemaphore.create(name, options)],
          ["open or create", () => SharedSemaphore.openOrCreate(name, options)],
        ] as const
      ) {
        const rule =
          `Cannot ${verb} semaphore "${name}": permits must be an integer from 1 to 4096`;
        expectError(
          attempt,
          typeof permits === "number" ? RangeError : TypeError,
          new RegExp(rule),
        );
      }
      expect(SharedSemaphore.exists(name)).toBe(false);
    }
    expectError(
      () => (SharedSemaphore.create as (name: string) => unknown)(uniqueName()),
      TypeError,
      /permits must be an integer from 1 to 4096, received undefined$/,
    );
  });
});

describe("a named barrier", () => {
  test("says how many parties it has, and has no other number for whoever opens it", () => {
    const name = uniqueName();
    using three = SharedBarrier.create(name, { parties: 3 });
    using opened = SharedBarrier.open(name);
    using same = SharedBarrier.openOrCreate(name, { parties: 3 });
    expect([three, opened, same].map(({ parties }) => parties)).toEqual([3, 3, 3]);
    const error = expectError(
      () => SharedBarrier.openOrCreate(name, { parties: 2 }),
      ShmError,
      /barrier\(parties = 2\) at 0 here, barrier\(parties = 3\) at 0 there/,
    );
    expect(error.code).toBe("ERR_SHM_LAYOUT");
    expectError(
      () => SharedBarrier.create(uniqueName(), { parties: 1001 }),
      RangeError,
      /parties must be an integer from 1 to 1000, received 1001$/,
    );
  });

  test("has room for its parties, unless told otherwise", () => {
    const participantsOf = (options: { parties: number; participants?: number }): number => {
      using barrier = SharedBarrier.create(uniqueName(), options);
      using bytes = SharedSegment.open(barrier.name);
      return bytes.size;
    };
    const roomy = participantsOf({ parties: 200 });
    expect(roomy).toBe(participantsOf({ parties: 200, participants: 200 }));
    expect(roomy).toBeGreaterThan(participantsOf({ parties: 200, participants: 64 }));
    expect(participantsOf({ parties: 2 })).toBe(participantsOf({ parties: 2, participants: 64 }));
  });
});

describe("a named event", () => {
  test("is of one of two kinds, which open() does not have to know", async () => {
    for (const autoReset of [false, true]) {
      const name = uniqueName();
      using event = SharedEvent.create(name, { autoReset });
      using opened = SharedEvent.open(name);
      using awaited = await SharedEvent.openAsync(name);
      using same = SharedEvent.openOrCreate(name, { autoReset });
      for (const each of [event, opened, awaited, same]) expect(each.autoReset).toBe(autoReset);
      opened.set();
      expect([event.tryWait(), same.tryWait()]).toEqual([true, !autoReset]);
      const other = expectError(
        () => SharedEvent.openOrCreate(name, { autoReset: !autoReset }),
        ShmError,
        autoReset
          ? /it is an auto-reset event, not an event\. Open it with SharedEvent\.open/
          : /it is an event, not an auto-reset event\./,
      );
      expect(other.code).toBe("ERR_SHM_KIND");
      const mutex = expectError(() => SharedMutex.open(name), ShmError, /SharedEvent\.open\(\)/);
      expect(mutex.code).toBe("ERR_SHM_KIND");
    }
  });

  test("is set from the beginning when that is wanted, and only by who makes it", () => {
    for (const autoReset of [false, true]) {
      const name = uniqueName();
      using event = SharedEvent.openOrCreate(name, { autoReset, set: true });
      expect(event.isSet).toBe(true);
      event.wait({ timeout: 0 });
      expect(event.isSet).toBe(!autoReset);
      event.reset();
      using same = SharedEvent.openOrCreate(name, { autoReset, set: true });
      expect([same.created, same.isSet]).toEqual([false, false]);
      same.set();
      expect(event.tryWait()).toBe(true);
    }
    for (const option of ["autoReset", "set"]) {
      expectError(
        () => SharedEvent.create(uniqueName(), { [option]: 1 }),
        TypeError,
        new RegExp(`${option} must be true or false, received 1$`),
      );
    }
  });
});

describe("a named condition", () => {
  test("takes the guard of any mutex, and outlasts the handle of none", async () => {
    const Data = t.struct("Data", { lock: t.mutex, count: t.u32 });
    using object = SharedObject.create(uniqueName(), Data);
    using mutex = SharedMutex.create(uniqueName());
    const condition = SharedCondition.create(uniqueName());
    for (const lock of [object.value.lock, mutex]) {
      object.value.count = 0;
      const waiting = lock.withLockAsync(async (guard) => {
        await condition.waitAsync(guard, () => object.value.count === 1, { timeout: 20_000 });
        return guard.held;
      });
      await lock.withLockAsync(() => {
        object.value.count = 1;
        condition.notifyAll();
      });
      expect(await waiting).toBe(true);
    }
    const guard = mutex.lock();
    const waiting = condition.waitAsync(guard, () => false);
    condition.close();
    const error = await expectErrorAsync(waiting, ShmError, /this handle is closed/);
    expect([error.code, guard.held]).toEqual(["ERR_SHM_CLOSED", true]);
    guard.release();
  });
});

describe("the two doors", () => {
  test("lead to the same", () => {
    const { KINDS, ...named } = door;
    expect(Object.keys(KINDS).length).toBe(8);
    const fields = t as unknown as Record<string, unknown>;
    const values = root as unknown as Record<string, unknown>;
    for (const [name, value] of Object.entries(named)) {
      expect([name, (values[name] ?? fields[name]) === value]).toEqual([name, true]);
    }
    expect(Object.keys(root).filter((name) => /^Shared(?!Segment|Object)/.test(name))).toEqual(
      Object.keys(door).filter((name) => name.startsWith("Shared")),
    );
  });

  test("have the same types", () => {
    const exportsOf = (path: string) =>
      sourcesOf(path).flatMap(importsOf).flatMap(({ names }) => names);
    const [atRoot, atDoor] = [exportsOf("mod.ts"), exportsOf("sync/mod.ts")];
    const own = new Set([...Object.keys(t), "KINDS"]);
    expect(atDoor.filter((name) => !own.has(name) && !atRoot.includes(name))).toEqual([]);
  });
});
