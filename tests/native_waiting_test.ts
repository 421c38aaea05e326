/**
 * What waiting is made of: futexes, whether a thread is still there, and FIFOs that event loops
 * watch.
 */

import { describe, expect, test } from "bun:test";
import { statSync, writeFileSync } from "node:fs";
import process from "node:process";
import {
  changeGroup,
  close,
  errorCode,
  fchmod,
  ftruncate,
  getpid,
  gettid,
  isThreadGone,
  makeFifo,
  Mapping,
  memfdCreate,
  open,
  pidNamespace,
  platform,
  readTextFile,
  statusOf,
  threadStart,
} from "../ffi/mod.ts";
import { cleanUpNames, uniqueName } from "./support/names.ts";
import { runPeer, startPeer, succeed } from "./support/peers.ts";
import {
  HOST,
  HOST_WITH_FILES,
  type RuntimeCommand,
  RUNTIMES,
  withFiles,
} from "./support/runtimes.ts";

cleanUpNames();

const { O_RDWR, O_NONBLOCK } = platform().constants;

/** A page that others can map by the number of its descriptor. */
class Page implements Disposable {
  readonly fd: number = memfdCreate("shmkit-test", 0);
  readonly mapping: Mapping;
  readonly words: Int32Array;

  constructor() {
    ftruncate(this.fd, 4096);
    this.mapping = Mapping.map(this.fd, 4096, true) as Mapping;
    this.words = new Int32Array(this.mapping.buffer);
  }

  [Symbol.dispose](): void {
    this.mapping.close();
    close(this.fd);
  }
}

describe("Mapping.futexWait()", () => {
  test("does not sleep when the word has another value", () => {
    using page = new Page();
    expect(errorCode(page.mapping.futexWait(0, 1, 20_000))).toBe("EAGAIN");
    Atomics.store(page.words, 1, -2);
    expect(errorCode(page.mapping.futexWait(4, 2, 20_000))).toBe("EAGAIN");
  });

  test("takes the value signed and unsigned, and sleeps until the time is over", () => {
    using page = new Page();
    Atomics.store(page.words, 1023, -2);
    for (const [expected, timeoutMs] of [[-2, 30], [2 ** 32 - 2, 1100.5], [-2, 0.25]] as const) {
      const start = performance.now();
      const result = page.mapping.futexWait(4092, expected, timeoutMs);
      const tookMs = performance.now() - start;
      expect(errorCode(result)).toBe("ETIMEDOUT");
      expect(tookMs).toBeGreaterThan(timeoutMs - 1); // the clock of the runtime may be a coarse one
      expect(tookMs).toBeLessThan(timeoutMs + 5000);
    }
  });

  test("takes any finite time", async () => {
    using page = new Page();
    await using waiter = startPeer(HOST, "futex.ts", ["wait", getpid(), page.fd]);
    expect(await waiter.line()).toBe("ready");
    await new Promise((resolve) => setTimeout(resolve, 1500));
    page.mapping.futexWake(0, 1);
    expect(await waiter.line()).toBe("0");
  });

  test("is ended by a process of each runtime", async () => {
    for (const runtime of RUNTIMES) {
      using page = new Page();
      await using waker = startPeer(runtime, "futex.ts", ["wake", getpid(), page.fd]);
      expect(page.mapping.futexWait(0, 0, 20_000)).toBe(0); // while it starts
      expect(await succeed(waker)).toBe("ready\n1\n");
    }
  });

  test("and futexWake() refuse what is not a word of the mapping", () => {
    using page = new Page();
    for (const byteOffset of [-4, 2, 1.5, 4093, 4096, NaN, Infinity]) {
      expect(() => page.mapping.futexWait(byteOffset, 0, 1)).toThrow(RangeError);
      expect(() => page.mapping.futexWake(byteOffset, 1)).toThrow(RangeError);
    }
    page.mapping.close();
    expect(() => page.mapping.futexWait(0, 0, 1)).toThrow(TypeError);
    expect(() => page.mapping.futexWake(0, 1)).toThrow(TypeError);
  });
});

describe("Mapping.futexWake()", () => {
  test("says how many it woke: never more than it was to, and each one once", async () => {
    using page = new Page();
    expect(page.mapping.futexWake(0, 1)).toBe(0);
    const peers = RUNTIMES.map((runtime) =>
      startPeer(runtime, "futex.ts", ["wait", getpid(), page.fd])
    );
    try {
      for (const peer of peers) expect(await peer.line()).toBe("ready");
      expect(page.mapping.futexWake(4, 5)).toBe(0); // another word
      let woken = 0;
      const end = performance.now() + 15_000;
      while (woken < peers.length && performance.now() < end) {
        const now = page.mapping.futexWake(0, woken === 0 ? 1 : 2);
        if (woken === 0) expect(now).toBeLessThan(2);
        woken += now;
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
      expect(woken).toBe(peers.length);
      expect(page.mapping.futexWake(0, 2 ** 31 - 1)).toBe(0);
      for (const peer of peers) expect(await succeed(peer)).toBe("ready\n0\n");
    } finally {
      for (const peer of peers) await peer[Symbol.asyncDispose]();
    }
  }, 60_000);
});

describe("a thread", () => {
  test("is there until it ends or is terminated, in each runtime", async () => {
    for (const runtime of RUNTIMES) {
      const answer = await runPeer(withFiles(runtime), "thread_ends.ts");
      expect(`${runtime.name}: ${answer}`).toBe(`${runtime.name}: false true true false\n`);
    }
  });

  test("is gone with its process", async () => {
    using page = new Page();
    await using peer = startPeer(HOST, "futex.ts", ["wait", getpid(), page.fd]);
    expect(await peer.line()).toBe("ready");
    expect(isThreadGone(peer.pid, peer.pid)).toBe(false);
    peer.kill();
    await peer.exit();
    expect(isThreadGone(peer.pid, peer.pid)).toBe(true);
  });

  test("is not gone when it cannot be one", () => {
    expect(isThreadGone(getpid(), gettid())).toBe(false);
    expect(isThreadGone(1, 1)).toBe(false); // of another user, perhaps
    for (const wrong of [0, -1, -getpid(), 2 ** 31, 2 ** 32 + getpid(), 1.5, NaN]) {
      expect(isThreadGone(wrong, gettid())).toBe(false);
      expect(isThreadGone(getpid(), wrong)).toBe(false);
    }
    const never = 2 ** 22 + 1; // above the highest that the kernel gives
    expect(isThreadGone(never, never)).toBe(true);
    expect(isThreadGone(getpid(), never)).toBe(true);
  });

  test("and its namespace are called what the kernel calls them", () => {
    expect(pidNamespace()).toBe(statSync("/proc/self/ns/pid").ino);
    const fields = (readTextFile(`/proc/self/task/${gettid()}/stat`) as string).split(") ");
    expect(String(threadStart())).toBe(fields.at(-1)?.split(" ")[19] as string);
    const [boot] = (readTextFile("/proc/uptime") as string).split(" ");
    expect(threadStart()).toBeLessThan(Number(boot) * 100 + 100);
    expect(threadStart()).toBeGreaterThan(0);
  });

  test("starts when it does, whatever its program is called", () => {
    const start = threadStart();
    const path = `/proc/self/task/${gettid()}/comm`;
    const name = readTextFile(path) as string;
    try {
      writeFileSync(path, "a) b (c) 1 2");
      expect(threadStart()).toBe(start);
    } finally {
      writeFileSync(path, name.trim());
    }
  });
});

describe("a FIFO", () => {
  test("is made with the mode and the group that are wanted", () => {
    const path = `/dev/shm/${uniqueName()}`;
    const gid = process.getgid?.() as number;
    expect(makeFifo(path, 0o600)).toBe(0);
    expect(errorCode(makeFifo(path, 0o600))).toBe("EEXIST");
    const fd = open(path, O_RDWR | O_NONBLOCK, 0);
    try {
      expect(fchmod(fd, 0o666)).toBe(0);
      expect(changeGroup(fd, gid)).toBe(0);
      const { ino, uid } = statSync(path);
      const status = { type: "FIFO", mode: 0o666, gid, uid, inode: ino } as const;
      expect(statusOf(fd)).toMatchObject(status);
    } finally {
      close(fd);
    }
    expect(errorCode(changeGroup(fd, gid))).toBe("EBADF");
  });

  /** Runs a scenario; it has to end by itself, and to complain of nothing. */
  async function scenario(name: string, runtime: RuntimeCommand = HOST): Promise<string> {
    const { code, signal, stdout, stderr } = await startPeer(runtime, "watch.ts", [name]).exit();
    expect({ end: signal ?? code, stderr }).toEqual({ end: 0, stderr: "" });
    return stdout;
  }

  test("that is watched lets the process end", async () => {
    expect(await scenario("unreferenced")).toBe("");
  });

  test("that is watched for somebody does not, and calls back at mail from elsewhere", async () => {
    await using peer = startPeer(HOST, "watch.ts", ["referenced"]);
    const path = await peer.line();
    await new Promise((resolve) => setTimeout(resolve, 300));
    writeFileSync(path, "x");
    expect(await peer.exit()).toEqual({
      code: 0,
      signal: null,
      stdout: `${path}\nmail\n`,
      stderr: "",
    });
  });

  test("is closed with the watch, once, while it is read and before", async () => {
    expect(await scenario("closed")).toBe("true true\ntrue\n1\n");
  });

  test("is drained, however much there is", async () => {
    expect(await scenario("pending")).toBe("true true\ntrue\n");
  });

  test("tells of each mail while somebody waits", async () => {
    expect(await scenario("turns")).toBe("300\ntrue\n");
  });

  test("costs no time while nothing comes", async () => {
    expect(await scenario("idle")).toBe("true\n");
  });

  test("is watched by threads, which end as processes do", async () => {
    expect(await scenario("threads", HOST_WITH_FILES)).toBe("false\n");
  });

  test("takes a byte without a signal when nobody reads any more", async () => {
    expect(await scenario("unread")).toBe("1\n");
  });
});
