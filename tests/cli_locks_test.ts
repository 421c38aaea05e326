/**
 * What the `shm` command tells of locks and of all else that synchronises: who has them, who waits, and
 * who has died with them. It takes no part, and writes nothing.
 */

import { describe, expect, test } from "bun:test";
import { chmodSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { placesOf } from "../memory/objects/trailer.ts";
import { readHeader } from "../memory/objects/header.ts";
import { close, open } from "../ffi/mod.ts";
import { SharedMutex, SharedObject, SharedSegment } from "../mod.ts";
import { WORD } from "../sync/participants/slots.ts";
import { MOUNT_NAMESPACE, PYTHON, testWith } from "./support/capabilities.ts";
import { overwrite } from "./support/carried.ts";
import { onTerminal, SHM, shm, shmJson, shmOk } from "./support/cli.ts";
import { Locked } from "./support/locked.ts";
import { cleanUpNames, uniqueName } from "./support/names.ts";
import { Peer, startPeer } from "./support/peers.ts";
import { type RuntimeCommand, RUNTIMES, withFiles } from "./support/runtimes.ts";

cleanUpNames();

interface Who {
  readonly slot: number;
  readonly pid: number;
  readonly thread: number;
  readonly sameNamespace: boolean;
  readonly command: string | null;
  readonly state: string;
  readonly count?: number;
}

interface FieldReport {
  readonly path: string;
  readonly kind: string;
  readonly state: string | null;
  readonly text: string;
  readonly needsRepair?: boolean;
  readonly holders: readonly Who[];
  readonly waiting: readonly Who[];
  readonly awaiting?: readonly Who[];
  readonly perhapsAwaiting?: readonly Who[];
  readonly seenMs?: number;
}

interface Report {
  readonly participants: readonly (Who & { sleepsAt: number | null; awaiting: number })[];
  readonly fields: readonly FieldReport[];
  readonly more: number;
}

function create(): string {
  const name = uniqueName();
  SharedObject.create(name, Locked).close();
  return name;
}

function report(name: string, ...args: string[]): Report {
  const [object] = shmJson<[{ synchronisation: Report }]>(["stat", name, ...args]);
  return object.synchronisation;
}

function field(name: string, path: string, ...args: string[]): FieldReport {
  return report(name, ...args).fields.find((each) => each.path === path) as FieldReport;
}

/** Starts a peer with one of the commands of `locked.ts`, and waits until it has done that. */
async function start(
  name: string,
  command: string,
  runtime: RuntimeCommand = RUNTIMES[0] as RuntimeCommand,
): Promise<Peer> {
  const peer = startPeer(runtime, "locked.ts", [name, command], { timeoutMs: 60_000 });
  expect(await peer.line()).toMatch(/^(held|waiting)$/);
  return peer;
}

/** Looks until something is so: a thread that waits is asleep most of the time, and not all of it. */
async function until<T>(look: () => T, isSo: (seen: T) => boolean): Promise<T> {
  for (let attempt = 0;; attempt++) {
    const seen = look();
    if (isSo(seen)) return seen;
    if (attempt === 40) throw new Error(`It has not come to that: ${JSON.stringify(seen)}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Ends a process, and waits until it has ended. */
async function end(peer: Peer): Promise<void> {
  peer.kill();
  await peer.exit();
}

const pids = (all: readonly { pid: number }[] = []) => all.map(({ pid }) => pid).sort();

describe("shm stat of what synchronises", () => {
  RUNTIMES.forEach((first, turn) => {
    test(`tells who has what, with ${first.name} as the owner`, async () => {
      const name = create();
      const runtime = (step: number) => RUNTIMES[(turn + step) % 3] as RuntimeCommand;
      await using holder = await start(name, "hold", runtime(0));
      await using reader = await start(name, "share", runtime(1));
      await using taker = await start(name, "permits", runtime(2));
      await using member = await start(name, "join", runtime(0));
      await using runner = await start(name, "run", runtime(1));
      await using setter = await start(name, "set", runtime(2));
      await using far = await start(name, "holdItem", runtime(0));
      const { participants, fields, more } = report(name);
      const byPath = new Map(fields.map((each) => [each.path, each]));
      const peers = [holder, reader, taker, member, runner, setter, far];
      expect(pids(participants)).toEqual(pids(peers));
      expect(more).toBe(0);
      const has = (path: string, peer: Peer, facts: object) =>
        expect(byPath.get(path)).toMatchObject({
          holders: [{ pid: peer.pid, thread: peer.pid, state: "alive", sameNamespace: true }],
          ...facts,
        });
      has("lock", holder, { kind: "mutex", state: "held", needsRepair: false });
      has("shared", reader, { kind: "rwlock", state: "shared", needsRepair: false });
      has("slots", taker, { kind: "semaphore", permits: 3, free: 1, ofDead: 0 });
      has("step", member, { kind: "barrier", state: "gathering", joined: 1, arrived: 0 });
      has("setup", runner, { kind: "once", state: "running" });
      has("items[299].lock", far, { state: "held" });
      expect(byPath.get("shared")?.holders[0]?.count).toBe(2);
      expect(byPath.get("slots")?.holders[0]?.count).toBe(2);
      expect(byPath.get("ready")?.state).toBe("set");
      expect(byPath.get("ticket")?.state).toBe("unset");
      expect(byPath.get("items[0].lock")).toMatchObject({ state: "free", text: "free" });
      // What the kernel calls the program: one runtime gives its main thread a name.
      const command = readFileSync(`/proc/${holder.pid}/comm`, "utf8").trim();
      expect(byPath.get("lock")?.holders[0]?.command).toBe(command);

      const text = shmOk(["stat", name]);
      expect(text).toMatch(/^ *SLOT +PID +THREAD +COMMAND +STATE +WAITS FOR$/m);
      expect(text).toMatch(
        new RegExp(`^ +4 +mutex +lock +held by ${holder.pid} \\(${command}\\)$`, "m"),
      );
      expect(text).toMatch(
        new RegExp(`^ +20 +rwlock +shared +shared by ${reader.pid} \\(.*\\) 2 times$`, "m"),
      );
      expect(text).toMatch(new RegExp(`items\\[299\\]\\.lock +held by ${far.pid} `));
      expect(text).toMatch(/^\.\.\. and \d+ more with which nobody has to do$/m);
    }, 60_000);
  });

  test("names those that wait, asleep and by their event loops", async () => {
    const name = create();
    await using holder = await start(name, "hold");
    await using reader = await start(name, "share");
    const waiters: Peer[] = [];
    await using stack = new AsyncDisposableStack();
    for (const runtime of RUNTIMES) {
      for (const command of ["wait", "waitAsync", "waitReady", "waitTicketAsync"]) {
        waiters.push(stack.use(await start(name, command, runtime)));
      }
    }
    await using writer = await start(name, "waitExclusive");
    const of = (place: number) => pids(waiters.filter((_, index) => index % 4 === place));
    const seen = await until(() => report(name), ({ fields }) =>
      fields[0]?.waiting.length === 3 &&
      fields.some(({ path, waiting }) => path === "ready" && waiting.length === 3) &&
      fields.some(({ path, waiting }) => path === "shared" && waiting.length === 1));
    const byPath = new Map(seen.fields.map((each) => [each.path, each]));
    const awaiting = (path: string) => {
      const { awaiting: sure, perhapsAwaiting: perhaps } = byPath.get(path) as FieldReport;
      return pids(sure ?? perhaps);
    };
    expect(pids(byPath.get("lock")?.waiting)).toEqual(of(0));
    expect(awaiting("lock")).toEqual(of(1));
    expect(pids(byPath.get("ready")?.waiting)).toEqual(of(2));
    expect(awaiting("ticket")).toEqual(of(3));
    expect(byPath.get("shared")).toMatchObject({
      state: "pending",
      writer: { pid: writer.pid },
      holders: [{ pid: writer.pid }, { pid: reader.pid, count: 2 }],
      waiting: [{ pid: writer.pid }],
    });
    expect(byPath.get("shared")?.text).toContain("for whose end the writer");
    const text = await until(() => shmOk(["stat", name]), (each) => / 3 wait: /.test(each));
    expect(text).toMatch(new RegExp(`held by ${holder.pid} .*; 3 wait: `));
  }, 90_000);

  test("is sure of who awaits the only thing that there is", async () => {
    const name = uniqueName();
    using mutex = SharedMutex.create(name);
    using guard = mutex.lock();
    await using peer = await start(name, "awaitMutex");
    const seen = await until(() => field(name, "mutex"), (each) => each.awaiting?.length === 1);
    expect(pids(seen.awaiting)).toEqual([peer.pid]);
    expect(seen.text).toMatch(new RegExp(`; awaited by ${peer.pid}`));
    expect(shmOk(["stat", name])).toMatch(/ mutex \(event loop\)$/m);
    guard.release();
    expect(await peer.line()).toBe("held");
  }, 30_000);

  test("tells of a condition who waits, and of a barrier who has arrived", async () => {
    const name = create();
    await using waiter = await start(name, "waitChanged");
    await using first = await start(name, "arrive");
    await using second = await start(name, "arrive");
    const seen = await until(
      () => report(name),
      ({ fields }) =>
        fields.some(({ path, waiting }) => path === "changed" && waiting.length === 1) &&
        fields.some(({ path, text }) => path === "step" && text.startsWith("2 of 3")),
    );
    const byPath = new Map(seen.fields.map((each) => [each.path, each]));
    expect(pids(byPath.get("changed")?.waiting)).toEqual([waiter.pid]);
    expect(byPath.get("step")).toMatchObject({ arrived: 2, joined: 2, phase: 0, parties: 3 });
    await end(first);
    // The one that is left sees that, and breaks the barrier.
    expect(await second.line()).toBe("broken");
    expect(field(name, "step")).toMatchObject({ state: "broken" });
    expect(shmOk(["ls", name])).toContain("(step: broken)");
  }, 30_000);

  test("shows for how long the same were seen with it, when it is asked to look", async () => {
    const name = create();
    await using holder = await start(name, "hold");
    expect(field(name, "lock").seenMs).toBeUndefined();
    const seen = field(name, "lock", "--for", "600ms");
    expect(seen.holders[0]?.pid).toBe(holder.pid);
    expect(seen.seenMs).toBeGreaterThanOrEqual(500);
    expect(field(name, "setup", "--for", "100ms").seenMs).toBeUndefined();
    expect(shmOk(["stat", name, "--for", "0.3s"])).toMatch(
      /held by \d+ \(.*\); seen for \d+\.\d s/,
    );
    expect(shm(["stat", name, "--for", "soon"]).code).toBe(2);
  }, 30_000);

  test("has nothing to add to what does not synchronise", () => {
    const name = uniqueName();
    shmOk(["create", name, "-s", "4K"]);
    expect(shmJson<[object]>(["stat", name])[0]).toMatchObject({ synchronisation: null });
    expect(shmJson<[object]>(["ls", name])[0]).toMatchObject({ troubles: [] });
  });
});

describe("of locks of the dead, shm", () => {
  for (const runtime of RUNTIMES) {
    test(`tells that a killed owner had them, of ${runtime.name}`, async () => {
      const name = create();
      const holder = await start(name, "hold", runtime);
      const taker = await start(name, "permits", runtime);
      const runner = await start(name, "run", runtime);
      for (const peer of [holder, taker, runner]) await end(peer);
      const dead = { pid: holder.pid, state: "dead", command: null };
      expect(field(name, "lock")).toMatchObject({ state: "ownerDead", holders: [dead] });
      expect(field(name, "slots")).toMatchObject({ free: 1, ofDead: 2 });
      expect(field(name, "setup")).toMatchObject({ state: "ownerDead" });
      expect(shmOk(["stat", name])).toMatch(
        new RegExp(`lock +its owner is dead: ${holder.pid} \\(dead\\)$`, "m"),
      );
      expect(shmOk(["ls", name])).toContain("(lock: owner dead and 1 more)");
      expect(shmJson<[object]>(["ls", name])[0]).toMatchObject({
        troubles: [
          { path: "lock", kind: "mutex", offset: 4, trouble: "ownerDead" },
          { path: "setup", kind: "once", trouble: "ownerDead" },
        ],
      });
      expect(shm(["doctor"]).stdout).toMatch(/^note +\d+ locks? whose owner is dead: /m);
      const { code, stdout, stderr } = shm(["gc"]);
      expect(code).toBe(0);
      expect(stdout).not.toContain(name);
      expect(stderr).toMatch(/nothing to remove, .*: \d+ locks? of the dead/);

      // Who gets it is told, and until it has repaired what the lock guards everybody is.
      using object = SharedObject.open(name, Locked);
      const guard = object.value.lock.lock();
      expect(guard.ownerDied).toBe(true);
      expect(field(name, "lock")).toMatchObject({
        state: "held",
        needsRepair: true,
        holders: [{ pid: process.pid, state: "alive" }],
      });
      guard.release();
      expect(field(name, "lock")).toMatchObject({ state: "free", needsRepair: true });
      expect(shmOk(["ls", name])).toContain("(lock: needs repair and 1 more)");
      using again = object.value.lock.lock();
      again.markConsistent();
      expect(field(name, "lock")).toMatchObject({ state: "held", needsRepair: false });
    }, 60_000);

    test(`tells that a terminated thread had them, of ${runtime.name}`, async () => {
      const name = create();
      await using peer = await start(name, "thread", withFiles(runtime));
      const { state, holders } = await until(
        () => field(name, "lock"),
        (each) => each.state !== "held",
      );
      expect(state).toBe("ownerDead");
      expect(holders).toMatchObject([{ pid: peer.pid, state: "terminated" }]);
      expect(holders[0]?.thread).not.toBe(peer.pid);
      expect(shmOk(["stat", name])).toMatch(
        new RegExp(`its owner is dead: ${peer.pid}/\\d+ \\(thread terminated\\)$`, "m"),
      );
    }, 30_000);

    test(`takes a stopped owner for alive, of ${runtime.name}`, async () => {
      const name = create();
      await using peer = await start(name, "hold", runtime);
      peer.kill("SIGSTOP");
      const seen = await until(
        () => field(name, "lock"),
        ({ holders }) => holders[0]?.state === "stopped",
      );
      expect(seen.state).toBe("held");
      expect(seen.text).toMatch(/^held by \d+ \(.*, stopped\)$/);
      expect(shmOk(["ls", name])).not.toContain("dead");
    }, 30_000);
  }

  test("tells of a dead writer only when it may have been changing data", async () => {
    const name = create();
    await using reader = await start(name, "share");
    const pending = await start(name, "waitExclusive");
    await until(() => field(name, "shared"), ({ state }) => state === "pending");
    await end(pending);
    expect(field(name, "shared")).toMatchObject({
      state: "pendingDead",
      needsRepair: false,
      holders: [{ pid: pending.pid, state: "dead" }, { pid: reader.pid }],
    });
    expect(shmOk(["ls", name])).not.toContain("shared:");
    await end(reader);
    const writer = await start(name, "exclude");
    expect(field(name, "shared")).toMatchObject({ state: "exclusive" });
    await end(writer);
    expect(field(name, "shared")).toMatchObject({ state: "ownerDead" });
    expect(shmOk(["ls", name])).toContain("(shared: owner dead)");
  }, 30_000);

  testWith([MOUNT_NAMESPACE], "knows of other PID namespaces who is dead", async () => {
    const name = create();
    const bun = RUNTIMES[0] as RuntimeCommand;
    const wrapper = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"];
    const peer = startPeer(bun, "locked.ts", [name, "hold"], { wrapper });
    expect(await peer.line()).toBe("held");
    const seen = field(name, "lock");
    expect(seen).toMatchObject({
      state: "held",
      holders: [{ pid: 1, sameNamespace: false, command: null, state: "alive" }],
    });
    expect(seen.text).toBe("held by 1 (in another PID namespace)");
    expect(shmOk(["stat", name])).toMatch(/^\* {2}in another PID namespace/m);
    await end(peer);
    await until(() => field(name, "lock"), ({ state }) => state === "ownerDead");
  }, 30_000);
});

describe("shm top, watch and dump of what synchronises", () => {
  test("top shows what is busy, and for how long the same were seen", async () => {
    const name = create();
    await using holder = await start(name, "hold");
    await using waiter = await start(name, "wait");
    const samples = shmOk(["top", name, "--json", "--count", "3", "-i", "150ms"]).trim().split("\n")
      .map((line) => {
        const [object] = JSON.parse(line).objects as [{ synchronisation: Report }];
        return object.synchronisation.fields[0] as FieldReport;
      });
    expect(samples.map(({ holders }) => pids(holders))).toEqual(Array(3).fill([holder.pid]));
    const [first, , last] = samples.map(({ seenMs }) => seenMs) as [number, number, number];
    expect(first).toBe(0);
    expect(last).toBeGreaterThanOrEqual(250);
    const text = shmOk(["top", name, "--count", "8", "-i", "100ms"]);
    expect(text).toMatch(/^ *SEEN +NAME +FIELD +STATE$/m);
    expect(text).toMatch(
      new RegExp(
        `^ *\\d\\.\\d s  ${name} +lock +held by ${holder.pid} .*wait`,
        "m",
      ),
    );
    expect(text).toContain(`1 waits: ${waiter.pid}`);
    expect(text).not.toContain("items[");
  }, 30_000);

  testWith([PYTHON], "top leaves room for both tables on a small terminal", async () => {
    const name = create();
    await using _holder = await start(name, "hold");
    await using _taker = await start(name, "permits");
    const session = onTerminal(
      ["top", "-i", "100ms", name],
      [["expect", " s  shmkit"], ["send", "l"], ["send", "q"]],
      { rows: 12, columns: 50 },
    );
    expect(session).toMatchObject({ missing: null, code: 0, restored: true });
    // deno-lint-ignore no-control-regex
    const screens = session.output.replace(/\x1b\[[0-9;?]*[A-GI-Za-z]/g, "").split("\x1b[H");
    const lines = screens.flatMap((screen) => screen.split(/\r+\n/));
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(50);
    expect(lines.some((line) => / lock +held/.test(line))).toBe(true);
  }, 30_000);

  test("dump shows states in place of values, and JSON beside the value", async () => {
    const name = create();
    await using holder = await start(name, "hold");
    const text = shmOk(["dump", name]);
    expect(text).toMatch(new RegExp(`^ +4 +lock +mutex +held by ${holder.pid} `, "m"));
    expect(text).toMatch(/^ +36 +slots +semaphore\(permits = 3\) +3 of 3 free$/m);
    expect(text).toMatch(/^ +64 +changed +condition +nobody waits$/m);
    expect(text).toMatch(/^ *140 +setup +once +not run$/m);
    const whole = shmJson<{ value: Record<string, unknown>; synchronisation: Report }>(
      ["dump", name],
    );
    expect(Object.keys(whole.value)).toEqual(["letter", "count", "holder", "items"]);
    expect(whole.synchronisation.fields[0]).toMatchObject({ path: "lock", state: "held" });
    const one = shmJson(["dump", name, "--field", "items[299].lock"]);
    expect(one).toMatchObject({
      field: "items[299].lock",
      value: null,
      synchronisation: { fields: [{ path: "items[299].lock", state: "free" }], more: 0 },
    });
    expect(shmOk(["dump", name, "--field", "lock"])).toContain(`held by ${holder.pid}`);
  }, 30_000);

  test("watch tells of each change of hands, and of a death", async () => {
    const name = create();
    await using watcher = new Peer([...SHM, "watch", name, "-i", "20ms"]);
    const next = async () => (await watcher.line()).replace(/^\S+ {2}/, "");
    // It has begun when it tells of something.
    let hasBegun = false;
    const first = next().finally(() => hasBegun = true);
    for (let letter = 1; !hasBegun; letter++) {
      overwrite(name, 0, [letter & 0xff]);
      await new Promise((resolve) => setTimeout(resolve, 60));
    }
    expect(await first).toMatch(/^Locked\.letter {2}/);
    const said: string[] = [];
    const untilSaid = async (pattern: RegExp) => {
      for (;;) {
        const line = await next();
        said.push(line);
        if (pattern.test(line)) return;
      }
    };
    const peer = await start(name, "hold");
    await untilSaid(new RegExp(`^Locked\\.lock {2}free -> held by ${peer.pid} \\(.*\\)$`));
    await end(peer);
    // A process that ends loses what it is called before it loses the lock.
    await untilSaid(
      new RegExp(`^Locked\\.lock {2}held by ${peer.pid}\\b.* -> its owner is dead: ${peer.pid}\\b`),
    );
    expect(said.filter((line) => !line.startsWith("Locked.lock") && !/letter/.test(line))).toEqual(
      [],
    );
  }, 30_000);

  testWith(
    [PYTHON],
    "watch on a terminal shows who waits, and for how long they were seen",
    async () => {
      const name = create();
      await using _holder = await start(name, "hold");
      await using _waiter = await start(name, "wait");
      const session = onTerminal(
        ["watch", name, "-i", "100ms"],
        [["expect", "seen for"], ["expect", "1 waits:"], ["send", "q"]],
        { columns: 200 },
      );
      expect(session).toMatchObject({ missing: null, code: 0, restored: true });
    },
    30_000,
  );
});

describe("with bytes that are wrong, shm", () => {
  /** Everything that looks at an object. */
  const LOOKS: readonly (readonly string[])[] = [
    ["stat"],
    ["stat", "--json"],
    ["stat", "--for", "100ms"],
    ["ls"],
    ["ls", "--json"],
    ["dump", "--all"],
    ["dump", "--json"],
    ["top", "--count", "1"],
    ["top", "--json", "--count", "1"],
    ["watch", "--count", "2", "-i", "20ms"],
  ];

  function lookEverywhere(name: string): string {
    return LOOKS.map(([verb, ...args]) => {
      const { code, stdout, stderr } = shm([verb as string, name, ...args]);
      expect({ verb, code, stderr }).toEqual({ verb, code: 0, stderr: "" });
      return stdout;
    }).join("");
  }

  /** Where the slots are, and the whole. */
  function placesIn(name: string): { slots: number; waiters: number; schema: number } {
    const fd = open(`/dev/shm/${name}`, 0, 0);
    const { length } = readFileSync(`/dev/shm/${name}`);
    const header = readHeader({ verb: "read", noun: "object" }, fd, length);
    close(fd);
    if (header === undefined) throw new Error("no header");
    return placesOf(header);
  }

  for (const seed of [0, 0xff, 1, 2]) {
    test(`looks at them all the same (${seed})`, () => {
      const name = create();
      let state = seed;
      const random = () => {
        if (seed === 0xff) return seed;
        state = Math.imul(state ^ 0x5bd1e995, 1664525) + 1013904223 >>> 0;
        return state >>> 24;
      };
      {
        using segment = SharedSegment.open(name);
        const { schema } = placesIn(name);
        for (let at = 0; at < schema; at++) segment.bytes[at] = random();
      }
      const before = readFileSync(`/dev/shm/${name}`);
      const said = lookEverywhere(name);
      // deno-lint-ignore no-control-regex
      expect(said).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f]|undefined|NaN|\[object/);
      expect(readFileSync(`/dev/shm/${name}`).equals(before)).toBe(true);
    }, 60_000);
  }

  test("writes nothing, and takes no part", async () => {
    const name = create();
    const holder = await start(name, "hold");
    await end(holder);
    const before = readFileSync(`/dev/shm/${name}`);
    chmodSync(`/dev/shm/${name}`, 0o400);
    lookEverywhere(name);
    expect(readFileSync(`/dev/shm/${name}`).equals(before)).toBe(true);
    expect(report(name).participants.length).toBe(1);
  }, 60_000);

  test("prints no name of a program that a terminal would obey", async () => {
    const name = create();
    await using holder = await start(name, "hold");
    const directory = mkdtempSync(join(tmpdir(), "shmkit-"));
    try {
      const path = join(directory, "\u001b[2J'\\\u0007");
      symlinkSync("/bin/sleep", path);
      await using enemy = new Peer([path, "30"]);
      const { slot } = report(name).participants[0] as Who;
      const at = placesIn(name).slots + 128 * slot;
      const word = new Int32Array([enemy.pid]);
      overwrite(name, at + 4 * WORD.pid, [...new Uint8Array(word.buffer)]);
      overwrite(name, at + 4 * WORD.thread, [...new Uint8Array(word.buffer)]);
      overwrite(name, at + 4 * WORD.start, new Array(8).fill(0)); // or it is seen not to be that one
      const { holders, text } = await until(
        () => field(name, "lock"),
        (each) => each.holders[0]?.command?.includes("[2J") === true,
      );
      expect(holders[0]?.pid).toBe(enemy.pid);
      expect(text).toContain("\\x1b[2J\\x27\\\\\\x07");
      // deno-lint-ignore no-control-regex
      expect(lookEverywhere(name)).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f]/);
    } finally {
      rmSync(directory, { recursive: true });
    }
    expect(holder.pid).toBeGreaterThan(0);
  }, 60_000);
});

describe("shm layout of a lock with a name of its own", () => {
  test("makes no functions for C that would not open it", () => {
    const name = uniqueName();
    SharedMutex.create(name).close();
    const text = shmOk(["layout", name, "-l", "c"]);
    expect(text).toContain("struct shmkit_mutex mutex;");
    expect(text).not.toMatch(/_open|shmkit_attach|SHMKIT_HAS_OPEN/);
    expect(shmOk(["layout", create(), "-l", "c"])).toContain("Locked_open(");
  });
});
