/**
 * What the library takes for granted of JavaScript engines, although no specification promises it
 * for memory that they did not allocate. A new version of a runtime that breaks one of these facts
 * is found here. This runtime does the work in child processes, beside the others and C.
 */

import { describe, expect, test } from "bun:test";
import { mmap, munmap } from "../ffi/libc/mman.ts";
import {
  errorCode,
  fallocate,
  fchmod,
  ftruncate,
  linkDescriptor,
  NativeSemaphore,
  open,
  platform,
  shmOpen,
  statusOf,
} from "../ffi/mod.ts";
import { runtime } from "../ffi/select.ts";
import { SharedSegment } from "../mod.ts";
import { C_COMPILER, testWith } from "./support/capabilities.ts";
import { compileC } from "./support/c.ts";
import { cleanUpNames, uniqueName } from "./support/names.ts";
import { Peer, type PeerOptions, runPeer, startPeer, succeed } from "./support/peers.ts";
import { collectGarbage, HOST, OTHERS, type RuntimeCommand, RUNTIMES } from "./support/runtimes.ts";

/** Programs that wait for each other by turning in a loop are slow on a machine that is busy. */
const PATIENT: PeerOptions = { timeoutMs: 100_000 };

cleanUpNames();

describe("Atomics on mapped memory", () => {
  const CHUNKS = 401;
  const CHUNK_LENGTH = 3001;

  testWith([C_COMPILER], "are exact between three runtimes and C", async () => {
    using segment = SharedSegment.create(uniqueName(), { size: 4096 });
    const start64 = 2n ** 32n - 1000n; // a carry passes the middle
    segment.view(BigInt64Array)[320 / 8] = start64;
    segment.view(BigInt64Array)[384 / 8] = start64;

    const args = (index: number) => [segment.name, index, CHUNKS, CHUNK_LENGTH];
    const peers = RUNTIMES.map((runtime, index) =>
      startPeer(runtime, "engine_sum.ts", args(index))
    );
    peers.push(new Peer([compileC("engine_sum.c"), ...args(peers.length).map(String)], PATIENT));
    for (const peer of peers) expect(await peer.line()).toBe("ready");
    Atomics.store(segment.view(Int32Array), 0, 1);
    for (const peer of peers) await succeed(peer);

    const total = peers.length * CHUNKS * CHUNK_LENGTH;
    const expected = new DataView(new ArrayBuffer(4096));
    expected.setInt32(0, 1, true);
    expected.setInt32(64, total, true);
    expected.setInt32(128, -total, true);
    expected.setInt32(192, total, true);
    expected.setInt32(256, 2 ** peers.length - 1, true); // toggled an odd number of times
    expected.setBigInt64(320, start64 + BigInt(total), true);
    expected.setBigInt64(384, start64 + BigInt(total), true);
    expected.setUint8(448, total % 256);
    expected.setUint16(512, total % 65536, true);
    expect(differences(segment.bytes, new Uint8Array(expected.buffer))).toEqual([]);
  });
});

/** Where two arrays of bytes differ. */
function differences(found: Uint8Array, expected: Uint8Array): string[] {
  return [...found].flatMap((byte, index) =>
    byte === expected[index] ? [] : [`at ${index}: ${byte}, not ${expected[index]}`]
  );
}

describe("plain access between Atomics operations", () => {
  const MESSAGES = 1_000_000;

  const RING_BYTE_LENGTH = 256 + 8192 * 64;

  async function expectMessages(start: (args: (string | number)[]) => Peer): Promise<void> {
    using segment = SharedSegment.create(uniqueName(), { size: 2 * RING_BYTE_LENGTH });
    const first = startPeer(HOST, "engine_messages.ts", [segment.name, "first", MESSAGES], PATIENT);
    const second = start([segment.name, "second", MESSAGES]);
    for (const peer of [first, second]) expect(await succeed(peer)).toBe("0\n");
    for (const ring of [0, RING_BYTE_LENGTH]) {
      const [sent, read] = [segment.view(Int32Array, ring)[0], segment.view(Int32Array, ring)[32]];
      expect([sent, read]).toEqual([MESSAGES, MESSAGES]);
    }
  }

  for (const runtime of RUNTIMES) {
    test(`exchanges right messages with ${runtime.name}`, async () => {
      await expectMessages((args) => startPeer(runtime, "engine_messages.ts", args, PATIENT));
    });
  }

  testWith([C_COMPILER], "exchanges right messages with C", async () => {
    await expectMessages((args) =>
      new Peer([compileC("engine_messages.c"), ...args.map(String)], PATIENT)
    );
  });
});

describe("a load in a loop that waits", () => {
  const LOOPS = 12;

  test("is made again in each round, if it is atomic or behind an atomic one", async () => {
    using segment = SharedSegment.create(uniqueName(), { size: 4096 });
    for (let index = 0; index < LOOPS; index++) segment.bytes[64 * index + 32] = 1;
    await using peer = startPeer(HOST, "engine_poll.ts", [segment.name]);
    for (let index = 0; index < LOOPS; index++) {
      const title = await peer.line();
      // Not a matter of correctness: the longer, the more of the compilers have had their turn.
      await new Promise((resolve) => setTimeout(resolve, 150));
      segment.bytes[64 * index] = 1;
      const rounds = Number(await peer.line());
      expect(`${title}: ${rounds > 1000 ? "many" : rounds}`).toBe(`${title}: many`);
    }
    expect(await succeed(peer)).not.toBe("");
  });

  test("is made again behind an atomic one, in compiled loops of 3 million reads", async () => {
    using segment = SharedSegment.create(uniqueName(), { size: 64 });
    const [writer] = OTHERS as [RuntimeCommand];
    await using counter = startPeer(writer, "count_forever.ts", [segment.name], PATIENT);
    const output = await runPeer(HOST, "engine_observe.ts", [segment.name], PATIENT);
    expect(output.trim().split("\n")).toHaveLength(6);
    await succeed(counter);
  });
});

describe("Atomics.load on read-only memory", () => {
  /** Without core dumps, and without a report of the crash. */
  const quietly = {
    wrapper: ["sh", "-c", 'ulimit -c 0; exec "$@"', "sh"],
    env: { BUN_ENABLE_CRASH_REPORTING: "0", DO_NOT_TRACK: "1" },
  };

  async function load(bits: number): Promise<string> {
    using segment = SharedSegment.create(uniqueName(), { size: 64 });
    await using peer = startPeer(HOST, "engine_readonly.ts", [segment.name, bits], quietly);
    const { code, signal, stdout } = await peer.exit();
    return `${stdout.trim().split("\n").join(", ")}, ended with ${signal ?? code}`;
  }

  test("survives with 64 bits", async () => {
    expect(await load(64)).toBe("loading, survived, ended with 0");
  });

  for (const bits of [8, 16, 32]) {
    // JSC compiles these loads to a compare-and-swap. Where they no longer die, 64 bits are not needed
    // any more in ReadonlySharedSegment.
    test(`with ${bits} bits ${HOST.name === "bun" ? "dies" : "survives"}`, async () => {
      expect(await load(bits)).toBe(
        HOST.name === "bun" ? "loading, ended with SIGSEGV" : "loading, survived, ended with 0",
      );
    });
  }
});

describe("a detached buffer", () => {
  for (const kind of ["compiled", "within", "cloned"]) {
    test(`is harmless to compiled code (${kind})`, async () => {
      expect(await runPeer(HOST, "engine_detach.ts", [kind])).toBe("survived\n");
    });
  }
});

describe("a buffer over native memory", () => {
  test("is as long as the runtime's file says", () => {
    const { maxBufferByteLength, viewMemory } = runtime();
    const { PROT_READ, PROT_WRITE, MAP_PRIVATE, MAP_ANONYMOUS, MAP_NORESERVE } =
      platform().constants;
    const byteLength = 2 ** 33; // address space, not memory
    const protection = PROT_READ | PROT_WRITE;
    const mapped = mmap(byteLength, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1);
    if (typeof mapped === "number") throw new Error(`mmap failed: ${mapped}`);
    const most = Math.min(byteLength, maxBufferByteLength);
    const bytes = new Uint8Array(viewMemory(mapped.start, most));
    bytes[most - 1] = 7;
    expect([bytes.length, bytes.at(-1)]).toEqual([most, 7]);
    if (most < byteLength) {
      expect(() => viewMemory(mapped.start, most + 8)).toThrow(RangeError);
    }
    bytes.buffer.transfer(0);
    expect(munmap(mapped.start, byteLength)).toBe(0);
  });

  test("is copied by a clone, and refused by Atomics.wait", () => {
    using segment = SharedSegment.create(uniqueName(), { size: 64, lifetime: "creator" });
    const clone = structuredClone(segment.bytes);
    segment.bytes[0] = 1;
    expect(clone[0]).toBe(0);
    expect(() => Atomics.wait(segment.view(Int32Array), 0, 1, 0)).toThrow(TypeError);
    expect(Atomics.notify(segment.view(Int32Array), 0)).toBe(0);
  });
});

describe("errno", () => {
  test("is that of the call before, over 100,000 failing calls", () => {
    const { O_RDWR, O_CREAT, O_EXCL } = platform().constants;
    using segment = SharedSegment.create(uniqueName(), { size: 64, lifetime: "creator" });
    const semaphore = NativeSemaphore.create(segment.fd, 0);
    if (typeof semaphore === "number") throw new Error(`sem_init failed: ${semaphore}`);
    const path = `${platform().sharedMemoryDirectory}/${segment.name}`;
    const missing = uniqueName();

    const calls: readonly (readonly [code: string, call: () => unknown])[] = [
      ["ENOENT", () => shmOpen(missing, O_RDWR, 0)],
      ["EEXIST", () => shmOpen(segment.name, O_RDWR | O_CREAT | O_EXCL, 0o600)],
      ["EBADF", () => ftruncate(-1, 0)],
      ["EINVAL", () => ftruncate(segment.fd, -1)],
      ["ENOTDIR", () => open(`${path}/file`, O_RDWR, 0)],
      ["EAGAIN", () => semaphore.tryWait()],
      ["EISDIR", () => open("/", O_RDWR, 0)],
      ["ENOENT", () => NativeSemaphore.open(missing)],
      ["EBADF", () => statusOf(-1)],
      ["EINVAL", () => fallocate(segment.fd, 0, 0, 0)],
      ["EEXIST", () => linkDescriptor(segment.fd, path)],
      ["EBADF", () => fchmod(-1, 0)],
      ["ETIMEDOUT", () => semaphore.timedWait(0)],
      ["ENODEV", () => mmap(4096, 1, 2, directory)],
    ];
    const directory = open(platform().sharedMemoryDirectory, 0, 0);
    const wrong = new Map<string, number>();
    let garbage: unknown[] = [];
    for (let count = 0; count < 100_000; count++) {
      const [code, call] = calls[count % calls.length] as (typeof calls)[number];
      const found = errorCode(call() as number);
      if (found !== code) {
        const what = `${found}, not ${code} from ${call}`;
        wrong.set(what, (wrong.get(what) ?? 0) + 1);
      }
      // Collections come while a call is prepared, made, and its error read.
      garbage.push(new Array(50).fill(found), new ArrayBuffer(count % 7 === 0 ? 300_000 : 64));
      if (garbage.length > 500) garbage = [];
      if (count % 5000 === 0) collectGarbage();
    }
    expect([...wrong]).toEqual([]);
    semaphore.close();
  });
});
