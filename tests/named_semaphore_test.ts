import { describe, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { linkSync, symlinkSync, writeFileSync } from "node:fs";
import { NamedSemaphore, ShmError } from "../mod.ts";
import { compileC } from "./support/c.ts";
import { C_COMPILER, OTHER_USERS, PYTHON, testWith } from "./support/capabilities.ts";
import { expectError, expectErrorAsync } from "./support/errors.ts";
import { cleanUpNames, ownFiles, uniqueName } from "./support/names.ts";
import { Peer, runPeer, startPeer, succeed } from "./support/peers.ts";
import { HOST, RUNTIMES } from "./support/runtimes.ts";

cleanUpNames();

const delay = (timeMs: number) => new Promise((resolve) => setTimeout(resolve, timeMs));

/** A semaphore of its own for each test. */
function make(initialValue: number): NamedSemaphore {
  return NamedSemaphore.create(uniqueName(), { initialValue });
}

describe("NamedSemaphore.create()", () => {
  test("makes a semaphore with a value and a mode", () => {
    const name = uniqueName();
    const before = process.umask(0o077);
    try {
      using semaphore = NamedSemaphore.create(`/${name}`, { initialValue: 3, mode: 0o640 });
      expect([semaphore.name, semaphore.value, semaphore.created]).toEqual([name, 3, true]);
      const { stdout } = spawnSync("stat", ["-c", "%a", `/dev/shm/sem.${name}`]);
      expect(String(stdout)).toBe("640\n");
    } finally {
      process.umask(before);
    }
  });

  test("fails with EEXIST when the name is taken", () => {
    using semaphore = make(1);
    const error = expectError(
      () => NamedSemaphore.create(semaphore.name, { initialValue: 2 }),
      ShmError,
      /^Cannot create semaphore ".*": it exists already \(EEXIST from linkat\)/,
    );
    expect(error.code).toBe("EEXIST");
    expect(semaphore.value).toBe(1);
  });

  test("refuses bad names and options", () => {
    for (const name of ["", "/", "a/b", "..", "x".repeat(300), "a\0b", "ü", "sem.x"]) {
      expectError(
        () => NamedSemaphore.create(name, { initialValue: 0 }),
        TypeError,
        /^Cannot create semaphore.*: name must/,
      );
    }
    const refuse = (options: unknown, rule: RegExp, type: typeof TypeError | typeof RangeError) =>
      expectError(
        () => NamedSemaphore.create(uniqueName(), options as { initialValue: 0 }),
        type,
        rule,
      );
    refuse(undefined, /options must be an object with initialValue/, TypeError);
    refuse({}, /initialValue must be an integer .*, received undefined/, TypeError);
    refuse({ initialValue: "1" }, /received "1"/, TypeError);
    refuse({ initialValue: -1 }, /from 0 to 2147483647, received -1/, RangeError);
    refuse({ initialValue: 0.5 }, /received 0.5/, RangeError);
    refuse({ initialValue: 2 ** 31 }, /received 2147483648/, RangeError);
    refuse({ initialValue: 0, mode: -1 }, /mode must be/, RangeError);
    expect(ownFiles()).toEqual([]);
  });
});

describe("NamedSemaphore.open(), openOrCreate(), exists(), unlink()", () => {
  test("find, make, tell and remove", () => {
    const name = uniqueName();
    expect(NamedSemaphore.exists(name)).toBe(false);
    expect(NamedSemaphore.unlink(name)).toBe(false);
    const error = expectError(
      () => NamedSemaphore.open(name),
      ShmError,
      /it does not exist \(ENOENT from shm_open\)\. Create it first/,
    );
    expect(error.code).toBe("ENOENT");
    using first = NamedSemaphore.openOrCreate(name, { initialValue: 5 });
    using second = NamedSemaphore.openOrCreate(name, { initialValue: 9 });
    expect([first.created, second.created, second.value]).toEqual([true, false, 5]);
    first.post();
    using third = NamedSemaphore.open(name);
    expect(third.value).toBe(6);
    expect(NamedSemaphore.exists(name)).toBe(true);
    expect(NamedSemaphore.unlink(name)).toBe(true);
    expect(NamedSemaphore.exists(name)).toBe(false);
    third.post(); // goes on without a name
    expect(first.value).toBe(7);
  });

  test("openAsync waits until it exists", async () => {
    const name = uniqueName();
    const opening = NamedSemaphore.openAsync(name, { timeout: 10_000 });
    await delay(40);
    using _semaphore = NamedSemaphore.create(name, { initialValue: 2 });
    using opened = await opening;
    expect(opened.value).toBe(2);
    const late = NamedSemaphore.openAsync(uniqueName(), { timeout: 20 });
    expect((await expectErrorAsync(late, DOMException, /timeout of 20 ms/)).name).toBe(
      "TimeoutError",
    );
  });

  test("refuse what is no semaphore, instead of faulting on it", () => {
    const refuse = (prepare: (path: string) => void, code: string, message: RegExp) => {
      const name = uniqueName();
      prepare(`/dev/shm/sem.${name}`);
      const error = expectError(() => NamedSemaphore.open(name), ShmError, message);
      expect(String(error.code)).toBe(code);
    };
    const mode = { mode: 0o600 };
    refuse((path) => writeFileSync(path, "", mode), "ERR_SHM_SIZE", /its file is still empty/);
    const garbage = new Uint8Array(32).fill(0x7f);
    refuse((path) => writeFileSync(path, garbage, mode), "ERR_SHM_CORRUPT", /are no semaphore/);
    refuse(
      (path) => writeFileSync(path, "x".repeat(33), mode),
      "ERR_SHM_KIND",
      /has 33 bytes, and a semaphore has 32/,
    );
    refuse((path) => void spawnSync("mkfifo", [path]), "ERR_SHM_KIND", /belongs to a FIFO/);
    refuse((path) => symlinkSync("/etc/passwd", path), "ELOOP", /symbolic link/);
    refuse(
      (path) => {
        writeFileSync(path, new Uint8Array(32), mode);
        linkSync(path, `/dev/shm/${uniqueName()}`);
      },
      "ERR_SHM_TRUST",
      /2 names/,
    );
  });

  for (const runtime of RUNTIMES) {
    testWith([OTHER_USERS], `checks whose it is in ${runtime.name}`, async () => {
      const as = (uid: number, verb: string, name: string) =>
        runPeer(runtime, "act_as.ts", [uid, verb, name]);
      using closed = make(0);
      expect(await as(65534, "semaphore", closed.name)).toMatch(/^EACCES /);
      using open = NamedSemaphore.create(uniqueName(), { initialValue: 0, mode: 0o666 });
      expect(await as(65534, "semaphore", open.name)).toMatch(/^ERR_SHM_TRUST /);
      expect(await as(65534, "semaphore-anyone", open.name)).toBe("done\n");
    });
  }
});

describe("NamedSemaphore", () => {
  test("counts", () => {
    using semaphore = make(1);
    expect(semaphore.tryWait()).toBe(true);
    expect(semaphore.tryWait()).toBe(false);
    semaphore.post();
    semaphore.post(4);
    expect(semaphore.value).toBe(5);
    expect(semaphore.wait()).toBe(true);
    expect(semaphore.wait({ timeout: 0 })).toBe(true);
    expect(semaphore.value).toBe(3);
  });

  test("wait gives up when the time is over, and not before", () => {
    using semaphore = make(0);
    for (const timeout of [0, 1, 30, 120]) {
      const start = performance.now();
      expect(semaphore.wait({ timeout })).toBe(false);
      expect(performance.now() - start).toBeGreaterThanOrEqual(timeout - 0.1);
    }
    expect(semaphore.value).toBe(0);
  });

  test("post refuses bad counts, and overflow without adding anything", () => {
    using semaphore = NamedSemaphore.create(uniqueName(), { initialValue: 2 ** 31 - 2 });
    const refuse = (count: unknown, type: typeof TypeError | typeof RangeError, rule: RegExp) =>
      expectError(() => semaphore.post(count as number), type, rule);
    refuse(0, RangeError, /count must be an integer from 1 to 2147483647, received 0/);
    refuse(-1, RangeError, /received -1/);
    refuse(1.5, RangeError, /received 1.5/);
    refuse("1", TypeError, /received "1"/);
    const error = expectError(() => semaphore.post(2), ShmError, /Its value is 2147483646, and 2/);
    expect(error.code).toBe("EOVERFLOW");
    semaphore.post();
    expect(expectError(() => semaphore.post(), ShmError, /at the maximum/).code).toBe("EOVERFLOW");
    expect(semaphore.value).toBe(2 ** 31 - 1);
  });

  test("acquire gives a permit that comes back at the end of its scope", async () => {
    using semaphore = make(1);
    {
      using _permit = semaphore.acquire({ timeout: 1000 });
      expect(semaphore.value).toBe(0);
      expect(semaphore.tryAcquire()).toBe(null);
      const error = expectError(
        () => semaphore.acquire({ timeout: 10 }),
        DOMException,
        /^Cannot acquire semaphore ".*": it took longer than the timeout of 10 ms$/,
      );
      expect(error.name).toBe("TimeoutError");
      await expectErrorAsync(
        semaphore.acquireAsync({ timeout: 10 }),
        DOMException,
        /timeout of 10 ms/,
      );
    }
    expect(semaphore.value).toBe(1);
    const permit = await semaphore.acquireAsync();
    permit.release();
    permit.release();
    expect(semaphore.value).toBe(1);
    using taken = semaphore.tryAcquire();
    expect(taken).not.toBe(null);
    expect(semaphore.value).toBe(0);
  });

  test("throws after close(), and rejects what is pending", async () => {
    const semaphore = make(0);
    const pending = semaphore.waitAsync();
    semaphore.close();
    semaphore.close();
    semaphore[Symbol.dispose]();
    expect(semaphore.closed).toBe(true);
    expect((await expectErrorAsync(pending, ShmError, /this handle is closed/)).code).toBe(
      "ERR_SHM_CLOSED",
    );
    const uses = [
      () => semaphore.post(),
      () => semaphore.wait(),
      () => semaphore.tryWait(),
      () => semaphore.value,
      () => semaphore.acquire(),
    ];
    for (const use of uses) {
      expect(expectError(use, ShmError, /this handle is closed/).code).toBe("ERR_SHM_CLOSED");
    }
    await expectErrorAsync(semaphore.waitAsync(), ShmError, /this handle is closed/);
  });

  test("refuses bad timeouts", async () => {
    using semaphore = make(1);
    const refuse = (options: unknown, type: typeof TypeError | typeof RangeError, rule: RegExp) =>
      expectError(() => semaphore.wait(options as object), type, rule);
    refuse({ timeout: -1 }, RangeError, /timeout must be a number of milliseconds.*received -1/);
    refuse({ timeout: NaN }, RangeError, /received NaN/);
    refuse({ timeout: "1" }, TypeError, /received "1"/);
    refuse(5, TypeError, /options must be an object, received 5/);
    await expectErrorAsync(semaphore.waitAsync({ timeout: -1 }), RangeError, /received -1/);
    expect(semaphore.value).toBe(1);
  });
});

describe("NamedSemaphore.prototype.waitAsync()", () => {
  test("takes at once what is there, and gives up at once with a timeout of 0", async () => {
    using semaphore = make(1);
    expect(await semaphore.waitAsync({ timeout: 0 })).toBe(true);
    expect(await semaphore.waitAsync({ timeout: 0 })).toBe(false);
  });

  test("serves the callers of a thread in order", async () => {
    using semaphore = make(0);
    const order: number[] = [];
    const waits = [0, 1, 2, 3].map((index) =>
      semaphore.waitAsync().then(() => void order.push(index))
    );
    await delay(20);
    semaphore.post(4);
    await Promise.all(waits);
    expect(order).toEqual([0, 1, 2, 3]);
    expect(semaphore.value).toBe(0);
  });

  test("does not block the event loop", async () => {
    using semaphore = make(0);
    const waiting = semaphore.waitAsync();
    let ticks = 0;
    const timer = setInterval(() => ticks++, 5);
    await delay(200);
    clearInterval(timer);
    expect(ticks).toBeGreaterThan(10);
    semaphore.post();
    expect(await waiting).toBe(true);
  });

  test("rejects with the reason of the signal", async () => {
    using semaphore = make(0);
    const reason = { why: "enough" };
    const aborted = semaphore.waitAsync({ signal: AbortSignal.abort(reason) });
    expect(await aborted.catch((error) => error)).toBe(reason);
    const controller = new AbortController();
    const pending = semaphore.waitAsync({ signal: controller.signal });
    setTimeout(() => controller.abort(reason), 20);
    expect(await pending.catch((error) => error)).toBe(reason);
    semaphore.post();
    await delay(150); // whatever was under way has ended
    expect(semaphore.value).toBe(1);
  });

  test("is harmless to a handle that is closed while it reads the options", async () => {
    const semaphore = make(1);
    const options = {
      get timeout() {
        semaphore.close();
        return 0;
      },
    };
    expectError(() => semaphore.wait(options), ShmError, /this handle is closed/);
    await expectErrorAsync(semaphore.waitAsync(options), ShmError, /this handle is closed/);
  });

  test("refuses what is no AbortSignal", async () => {
    using semaphore = make(1);
    const signal = {} as AbortSignal;
    const rule = /signal must be an AbortSignal, received an object/;
    await expectErrorAsync(semaphore.waitAsync({ signal }), TypeError, rule);
    expect(semaphore.value).toBe(1);
  });

  test("keeps no permit for a wait that has ended, even while the thread is busy", async () => {
    using semaphore = make(0);
    for (let round = 0; round < 30; round++) {
      const controller = new AbortController();
      const waiting = semaphore.waitAsync({ signal: controller.signal }).catch(() => "aborted");
      await delay(round % 3);
      if (round % 2 === 0) {
        semaphore.post(); // the helper may have it already
        controller.abort();
      } else {
        controller.abort();
        semaphore.post(); // the helper may still take it
      }
      expect(semaphore.wait({ timeout: 5000 })).toBe(true); // blocks the event loop
      expect(await waiting).toBe("aborted");
      expect(semaphore.value).toBe(0);
    }
  });

  for (const runtime of RUNTIMES) {
    testWith([C_COMPILER], `is woken by C in ${runtime.name}`, async () => {
      using semaphore = make(0);
      await using peer = startPeer(runtime, "wait_async.ts", [semaphore.name, "once"]);
      expect(await peer.line()).toBe("waiting");
      await delay(120); // it is blocked by now, in its second or third slice
      await succeed(new Peer([compileC("semaphore.c"), "post", `/${semaphore.name}`, "1"]));
      expect(await peer.line()).toBe("true");
      expect((await peer.exit()).code).toBe(0); // by itself
      expect(semaphore.value).toBe(0);
    });

    test(`leaves the right value after 300 waits and 100 aborts in ${runtime.name}`, async () => {
      using semaphore = make(0);
      await using peer = startPeer(runtime, "wait_async.ts", [semaphore.name, "crowd"]);
      expect(await peer.line()).toBe("waiting");
      for (let posted = 0; posted < 300; posted++) {
        semaphore.post();
        if (posted % 20 === 0) await delay(1);
      }
      const { taken, aborted } = JSON.parse(await peer.line());
      // Each wait either took a permit or was aborted, and no permit is lost.
      expect(taken + aborted).toBe(300);
      expect(taken).toBeGreaterThanOrEqual(200);
      expect((await peer.exit()).code).toBe(0);
      expect(semaphore.value).toBe(300 - taken);
    });

    test(`lets the process end by itself in ${runtime.name}`, async () => {
      const endings = {
        aborted: "TimeoutError\n",
        timedOut: "false\n",
        closed: "ERR_SHM_CLOSED\n",
        exit: "exiting\n",
      };
      for (const [mode, output] of Object.entries(endings)) {
        using semaphore = make(0);
        const options = { timeoutMs: 10_000 };
        const peer = startPeer(runtime, "wait_async.ts", [semaphore.name, mode], options);
        const { code, signal, stdout } = await peer.exit();
        expect([mode, code, signal, stdout]).toEqual([mode, 0, null, output]);
        expect(semaphore.value).toBe(0);
      }
    });

    test(`survives a close() as the permit arrives in ${runtime.name}`, async () => {
      for (const ticks of [0, 1, 2, 3, 4]) {
        using semaphore = make(0);
        const peer = startPeer(runtime, "close_late.ts", [semaphore.name, ticks]);
        const { code, signal, stdout } = await peer.exit();
        expect([code, signal]).toEqual([0, null]);
        // Either it got the permit, or it is there for others.
        expect(`${stdout.trim()} ${semaphore.value}`).toMatch(/^(true 0|ERR_SHM_CLOSED 1)$/);
      }
    });

    test(`keeps no permit when ${runtime.name} is ended by force`, async () => {
      for (const when of ["exit", "listener"]) {
        using semaphore = make(0);
        const peer = startPeer(runtime, "post_and_exit.ts", [semaphore.name, when]);
        expect((await peer.exit()).stdout).toBe("posting\n");
        expect([when, semaphore.value]).toEqual([when, 1]);
      }
    });

    test(`takes from ten semaphores at once in ${runtime.name}`, async () => {
      using semaphore = make(0);
      const others = Array.from(
        { length: 9 },
        (_, index) => NamedSemaphore.create(`${semaphore.name}-${index}`, { initialValue: 0 }),
      );
      await using peer = startPeer(runtime, "wait_async.ts", [semaphore.name, "several"]);
      expect(await peer.line()).toBe("waiting");
      for (const each of [...others, semaphore].reverse()) each.post(10);
      expect(await peer.line()).toBe("0,0,0,0,0,0,0,0,0,0");
      expect((await peer.exit()).code).toBe(0);
      for (const each of others) each.close();
    });
  }
});

describe("NamedSemaphore.openOrCreate()", () => {
  test("never fails against a process that unlinks", async () => {
    const name = uniqueName();
    await using peer = startPeer(HOST, "unlink_forever.ts", [name]);
    expect(await peer.line()).toBe("ready");
    for (let round = 0; round < 20_000; round++) {
      NamedSemaphore.openOrCreate(name, { initialValue: 1, mode: 0o640 }).close();
    }
  });

  test("gives the mode and value at once, when its creator is killed, 100 times", async () => {
    const name = uniqueName();
    const look = (): void => {
      const { status, stdout } = spawnSync("stat", ["-c", "%a %s", `/dev/shm/sem.${name}`]);
      if (status === 0) expect(String(stdout)).toBe("640 32\n");
    };
    for (let kill = 0; kill < 100; kill++) {
      await using peer = startPeer(HOST, "create_semaphores_forever.ts", [name]);
      expect(await peer.line()).toBe("ready");
      await delay(Math.random() * 3);
      look();
      peer.kill();
      await peer.exit();
      look();
      NamedSemaphore.unlink(name);
      expect(ownFiles()).toEqual([]);
    }
  });
});

describe("NamedSemaphore between programs", () => {
  testWith([C_COMPILER], "is made by C, and posted and waited for by both", async () => {
    const name = uniqueName();
    const c = (...args: string[]) => succeed(new Peer([compileC("semaphore.c"), ...args]));
    await c("create", `/${name}`, "2");
    using semaphore = NamedSemaphore.open(name);
    expect(semaphore.value).toBe(2);
    expect(await c("post", `/${name}`, "3")).toBe("5\n");
    expect(await c("wait", `/${name}`, "4")).toBe("1\n");
    expect(semaphore.wait({ timeout: 1000 })).toBe(true);
    semaphore.post(7);
    expect(await c("wait", `/${name}`, "7")).toBe("0\n");
  });

  testWith([C_COMPILER], "bounces 20,000 times between a blocking wait and C", async () => {
    using ping = make(0);
    using pong = make(0);
    await using peer = new Peer([
      compileC("semaphore.c"),
      "bounce",
      `/${ping.name}`,
      `/${pong.name}`,
      "20000",
    ]);
    for (let round = 0; round < 20_000; round++) {
      ping.post();
      expect(pong.wait({ timeout: 10_000 })).toBe(true);
    }
    await succeed(peer);
    expect([ping.value, pong.value]).toEqual([0, 0]);
  });

  testWith([C_COMPILER], "bounces 2,000 times between an asynchronous wait and C", async () => {
    using ping = make(0);
    using pong = make(0);
    const args = ["bounce", `/${ping.name}`, `/${pong.name}`, "2000"];
    await using peer = new Peer([compileC("semaphore.c"), ...args]);
    for (let round = 0; round < 2000; round++) {
      ping.post();
      expect(await pong.waitAsync({ timeout: 10_000 })).toBe(true);
    }
    await succeed(peer);
    expect([ping.value, pong.value]).toEqual([0, 0]);
  });

  testWith([PYTHON], "is opened by Python through the C library", async () => {
    using semaphore = make(0);
    const script = "import ctypes, sys; c = ctypes.CDLL(None); " +
      "c.sem_open.restype = ctypes.c_void_p; s = c.sem_open(sys.argv[1].encode(), 0); " +
      "sys.exit(c.sem_post(ctypes.c_void_p(s)))";
    await succeed(new Peer(["python3", "-c", script, `/${semaphore.name}`]));
    expect(await semaphore.waitAsync({ timeout: 5000 })).toBe(true);
  });
});
