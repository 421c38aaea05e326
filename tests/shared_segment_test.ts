import { describe, expect, test } from "bun:test";
import { truncateSync, writeFileSync } from "node:fs";
import { ReadonlySharedSegment, SharedSegment, ShmError } from "../mod.ts";
import { expectError, expectErrorAsync } from "./support/errors.ts";
import { cleanUpNames, ownFiles, uniqueName } from "./support/names.ts";
import { runPeer, startPeer } from "./support/peers.ts";
import { HOST, RUNTIMES } from "./support/runtimes.ts";

cleanUpNames();

describe("SharedSegment.create()", () => {
  for (const size of [64, 4095, 4096, 4097, 1]) {
    test(`makes ${size} bytes of zeros`, () => {
      const name = uniqueName();
      using segment = SharedSegment.create(name, { size });
      expect(segment.created).toBe(true);
      expect(segment.size).toBe(size);
      expect(segment.bytes.length).toBe(size);
      expect(segment.bytes.every((byte) => byte === 0)).toBe(true);
      expect(segment.stat().size).toBe(size);
    });
  }

  for (const size of [0, -1, 1.5, NaN, Infinity, 2 ** 53]) {
    test(`refuses the size ${size}`, () => {
      const name = uniqueName();
      expectError(
        () => SharedSegment.create(name, { size }),
        RangeError,
        `Cannot create segment "${name}": size must be an integer from 1 to 2^53 - 1, received ${size}`,
      );
    });
  }

  for (const size of ["4096", 4096n, null, undefined, {}] as unknown as number[]) {
    test(`refuses a size that is a ${size === null ? "null" : typeof size}`, () => {
      const error = expectError(
        () => SharedSegment.create(uniqueName(), { size }),
        TypeError,
        /size must be a number of bytes, received /,
      );
      if (typeof size === "string") expect(error.message).toContain('received "4096"');
    });
  }

  const badNames: [name: unknown, rule: RegExp][] = [
    ["", /name must not be empty, received ""/],
    ["/", /name must not be empty, received "\/"/],
    ["a/b", /name must not contain "\/" except as its first character, received "a\/b"/],
    ["//a", /name must not contain "\/"/],
    ["..", /name must not be "\." or "\.\."/],
    [".hidden", /start with none of "\.-"/],
    ["-rf", /start with none of "\.-"/],
    ["x".repeat(300), /name must be at most 255 bytes long, received "x{77}\.\.\."/],
    ["x".repeat(241), /name must be at most 240 bytes long/],
    ["a\0b", /name must not contain a NUL character, received "a\\u0000b"/],
    ["ü", /name must consist of letters, digits/],
    ["a b", /name must consist of letters, digits/],
    ["\ud800", /name must be well-formed Unicode/],
    ["sem.x", /name must not start with "sem\.", which is reserved/],
    ["shmkit-mailbox-x", /name must not start with "shmkit-mailbox-", which is reserved/],
    [42, /name must be a string, received 42/],
    [undefined, /name must be a string, received undefined/],
  ];
  for (const [name, rule] of badNames) {
    test(`refuses the name ${JSON.stringify(name)?.slice(0, 20)}`, () => {
      expectError(() => SharedSegment.create(name as string, { size: 64 }), TypeError, rule);
    });
  }

  test("accepts a name of 240 characters", () => {
    const name = uniqueName().padEnd(240, "x");
    using segment = SharedSegment.create(name, { size: 64 });
    expect(segment.unlink()).toBe(true);
  });

  test("fails with EEXIST when the name is taken, and leaves the segment as it is", () => {
    const name = uniqueName();
    using segment = SharedSegment.create(name, { size: 64 });
    segment.bytes[0] = 7;
    const error = expectError(
      () => SharedSegment.create(`/${name}`, { size: 128 }),
      ShmError,
      /it exists already \(EEXIST from linkat\)\. Use openOrCreate/,
    );
    expect(error.code).toBe("EEXIST");
    expect(error.errno).toBe(-17);
    expect(error.syscall).toBe("linkat");
    expect(error.path).toBe(`/${name}`);
    expect(segment.bytes[0]).toBe(7);
    expect(segment.stat().size).toBe(64);
  });

  test("sets the mode whatever the umask", () => {
    const before = process.umask(0o077);
    try {
      using segment = SharedSegment.create(uniqueName(), { size: 64, mode: 0o660 });
      expect(segment.stat().mode).toBe(0o660);
    } finally {
      process.umask(before);
    }
  });

  test("refuses bad options", () => {
    const refuse = (options: unknown, rule: RegExp, type: typeof TypeError | typeof RangeError) =>
      expectError(() => SharedSegment.create(uniqueName(), options as { size: 1 }), type, rule);
    refuse(undefined, /options must be an object with a size, received undefined/, TypeError);
    refuse(64, /options must be an object with a size, received 64/, TypeError);
    refuse({ size: 64, mode: "600" }, /mode must be an integer from 0 to 0o777/, TypeError);
    refuse({ size: 64, mode: 0o1000 }, /mode must be an integer .*, received 512/, RangeError);
    refuse({ size: 64, lifetime: "ever" }, /lifetime must be "persist" or "creator"/, TypeError);
    refuse({ size: 64, reserve: 1 }, /reserve must be true or false, received 1/, TypeError);
    expect(ownFiles()).toEqual([]);
  });

  test("reserves the memory, or leaves it to the first access", () => {
    const size = 8 * 2 ** 20;
    using reserved = SharedSegment.create(uniqueName(), { size });
    expect(reserved.stat().residentBytes).toBe(size);
    using sparse = SharedSegment.create(uniqueName(), { size, reserve: false });
    expect(sparse.stat().residentBytes).toBe(0);
    sparse.bytes[size - 1] = 1;
    expect(sparse.stat().residentBytes).toBe(4096);
  });

  test("refuses more than there is at once, without trying", () => {
    const error = expectError(
      () => SharedSegment.create(uniqueName(), { size: 2 ** 52 }),
      ShmError,
      /It needs 4503599627370496 bytes and \d+ are left/,
    );
    expect(error.code).toBe("ENOSPC");
    expect(error.errno).toBe(-28);
    expect(ownFiles()).toEqual([]);
  });
});

describe("SharedSegment.open()", () => {
  test("sees the same bytes, in both directions", () => {
    const name = uniqueName();
    using a = SharedSegment.create(name, { size: 64 });
    using b = SharedSegment.open(`/${name}`);
    expect(b.created).toBe(false);
    expect(b.name).toBe(name);
    a.bytes[3] = 1;
    b.bytes[4] = 2;
    expect([...b.bytes.subarray(3, 5)]).toEqual([1, 2]);
    expect([...a.bytes.subarray(3, 5)]).toEqual([1, 2]);
  });

  test("fails with ENOENT when there is none", () => {
    const name = uniqueName();
    const error = expectError(
      () => SharedSegment.open(name),
      ShmError,
      `Cannot open segment "${name}": it does not exist (ENOENT from shm_open). ` +
        "Create it first, or wait for it with openAsync().",
    );
    expect(error.code).toBe("ENOENT");
  });

  for (const name of ["", "/", "a/b", "..", "x".repeat(300), "a\0b"]) {
    test(`refuses the name ${JSON.stringify(name).slice(0, 20)}, which nothing can have`, () => {
      expectError(() => SharedSegment.open(name), TypeError, /name must/);
      expectError(() => SharedSegment.exists(name), TypeError, /name must/);
      expectError(() => SharedSegment.unlink(name), TypeError, /name must/);
    });
  }

  test("refuses bad options", () => {
    using segment = SharedSegment.create(uniqueName(), { size: 64 });
    const refuse = (options: unknown, rule: RegExp) =>
      expectError(() => SharedSegment.open(segment.name, options as object), TypeError, rule);
    refuse(null, /options must be an object, received null/);
    refuse({ trust: "me" }, /trust must be "owner" or "anyone", received "me"/);
    refuse({ readonly: "yes" }, /readonly must be true or false/);
  });
});

describe("SharedSegment.openOrCreate()", () => {
  test("gives a writable segment whatever else the options say", () => {
    const name = uniqueName();
    SharedSegment.create(name, { size: 64 }).close();
    const options = { size: 64, readonly: true };
    using segment = SharedSegment.openOrCreate(name, options);
    segment.bytes[0] = 1;
    expect(segment.bytes[0]).toBe(1);
  });

  test("creates, then opens", () => {
    const name = uniqueName();
    using first = SharedSegment.openOrCreate(name, { size: 64 });
    using second = SharedSegment.openOrCreate(name, { size: 64 });
    expect([first.created, second.created]).toEqual([true, false]);
    first.bytes[0] = 5;
    expect(second.bytes[0]).toBe(5);
  });

  test("fails with ERR_SHM_SIZE for another size", () => {
    const name = uniqueName();
    using _segment = SharedSegment.create(name, { size: 64 });
    const error = expectError(
      () => SharedSegment.openOrCreate(name, { size: 65 }),
      ShmError,
      /it exists with 64 bytes, not 65\./,
    );
    expect(error.code).toBe("ERR_SHM_SIZE");
  });

  test("removes with lifetime creator only what it created", () => {
    const name = uniqueName();
    using creator = SharedSegment.openOrCreate(name, { size: 64, lifetime: "creator" });
    SharedSegment.openOrCreate(name, { size: 64, lifetime: "creator" }).close();
    expect(SharedSegment.exists(name)).toBe(true);
    creator.close();
    expect(SharedSegment.exists(name)).toBe(false);
  });

  for (const runtime of RUNTIMES) {
    test(`waits in ${runtime.name} for the size of what another creates`, async () => {
      const name = uniqueName();
      writeFileSync(`/dev/shm/${name}`, "", { mode: 0o600 }); // as after shm_open(O_CREAT)
      await using peer = startPeer(runtime, "open_or_create.ts", [name]);
      expect(await peer.line()).toBe("started");
      await new Promise((resolve) => setTimeout(resolve, 50));
      truncateSync(`/dev/shm/${name}`, 64);
      expect(await peer.line()).toBe("opened");
    });
  }

  test("fails with ERR_SHM_SIZE for what stays empty", () => {
    const name = uniqueName();
    writeFileSync(`/dev/shm/${name}`, "", { mode: 0o600 });
    const error = expectError(
      () => SharedSegment.openOrCreate(name, { size: 64 }),
      ShmError,
      /it is empty: whoever made it has not given it a size/,
    );
    expect(error.code).toBe("ERR_SHM_SIZE");
  });

  test("lets exactly one of several processes create", async () => {
    for (let round = 0; round < 5; round++) {
      const name = uniqueName();
      const outputs = await Promise.all(
        [...RUNTIMES, ...RUNTIMES].map((runtime) => runPeer(runtime, "open_or_create.ts", [name])),
      );
      expect(outputs.filter((output) => output === "started\ncreated\n").length).toBe(1);
      expect(outputs.filter((output) => output === "started\nopened\n").length).toBe(5);
      using segment = SharedSegment.open(name);
      expect(segment.view(Int32Array)[0]).toBe(6);
    }
  });
});

describe("SharedSegment.openAsync()", () => {
  test("opens at once what exists", async () => {
    using segment = SharedSegment.create(uniqueName(), { size: 64 });
    using same = await SharedSegment.openAsync(segment.name);
    expect(same.size).toBe(64);
  });

  test("waits until it exists and has a size", async () => {
    const name = uniqueName();
    const opening = SharedSegment.openAsync(name, { readonly: true, timeout: 10_000 });
    await new Promise((resolve) => setTimeout(resolve, 60));
    using segment = SharedSegment.create(name, { size: 64 });
    segment.view(Int32Array)[0] = 9;
    using reader = await opening;
    expect(reader.getInt32(0)).toBe(9);
  });

  test("gives what was asked for, although the options change meanwhile", async () => {
    using segment = SharedSegment.create(uniqueName(), { size: 64 });
    const options = { readonly: true };
    const opening = SharedSegment.openAsync(segment.name, options);
    options.readonly = false;
    using opened = await opening;
    expect(opened).toBeInstanceOf(ReadonlySharedSegment);
  });

  test("gives up when the time is over", async () => {
    const name = uniqueName();
    const error = await expectErrorAsync(
      SharedSegment.openAsync(name, { timeout: 30 }),
      DOMException,
      `Cannot open segment "${name}": it took longer than the timeout of 30 ms`,
    );
    expect(error.name).toBe("TimeoutError");
  });

  test("gives up when the signal is aborted", async () => {
    const controller = new AbortController();
    const reason = new Error("enough");
    const opening = SharedSegment.openAsync(uniqueName(), { signal: controller.signal });
    controller.abort(reason);
    expect(await opening.catch((error) => error)).toBe(reason);
    const late = SharedSegment.openAsync(uniqueName(), { signal: controller.signal });
    expect(await late.catch((error) => error)).toBe(reason);
  });

  test("refuses bad arguments by rejecting", async () => {
    await expectErrorAsync(SharedSegment.openAsync("a/b"), TypeError, /must not contain/);
    const opening = SharedSegment.openAsync(uniqueName(), { timeout: NaN });
    await expectErrorAsync(opening, RangeError, /timeout must be a number of milliseconds/);
  });
});

describe("SharedSegment.exists() and unlink()", () => {
  test("tell and remove", () => {
    const name = uniqueName();
    expect(SharedSegment.exists(name)).toBe(false);
    expect(SharedSegment.unlink(name)).toBe(false);
    using segment = SharedSegment.create(name, { size: 64 });
    expect(SharedSegment.exists(name)).toBe(true);
    expect(SharedSegment.unlink(name)).toBe(true);
    expect(SharedSegment.exists(name)).toBe(false);
    expect(segment.stat().linked).toBe(false);
    segment.bytes[0] = 1; // still attached
    expect(segment.bytes[0]).toBe(1);
  });
});

describe("SharedSegment.prototype.unlink()", () => {
  test("removes only the own segment, not a later one of the name", () => {
    const name = uniqueName();
    using first = SharedSegment.create(name, { size: 64 });
    expect(first.unlink()).toBe(true);
    expect(first.unlink()).toBe(false);
    using second = SharedSegment.create(name, { size: 64 });
    expect(first.unlink()).toBe(false);
    expect(SharedSegment.exists(name)).toBe(true);
    expect(second.unlink()).toBe(true);
  });
});

describe("lifetime", () => {
  test("persist keeps the segment after close", () => {
    const name = uniqueName();
    SharedSegment.create(name, { size: 64 }).close();
    expect(SharedSegment.unlink(name)).toBe(true);
  });

  test("creator removes it when its creator closes, and nobody else", () => {
    const name = uniqueName();
    using creator = SharedSegment.create(name, { size: 64, lifetime: "creator" });
    SharedSegment.open(name).close();
    expect(SharedSegment.exists(name)).toBe(true);
    creator.close();
    expect(SharedSegment.exists(name)).toBe(false);
  });

  test("creator removes it without the right to read it", () => {
    const name = uniqueName();
    SharedSegment.create(name, { size: 64, mode: 0, lifetime: "creator" }).close();
    expect(SharedSegment.exists(name)).toBe(false);
  });

  test("creator does not remove a later segment of the name", () => {
    const name = uniqueName();
    using creator = SharedSegment.create(name, { size: 64, lifetime: "creator" });
    SharedSegment.unlink(name);
    using _later = SharedSegment.create(name, { size: 64 });
    creator.close();
    expect(SharedSegment.exists(name)).toBe(true);
  });

  for (const runtime of RUNTIMES) {
    // Deno tells nobody of its end after an uncaught error: to the segment it is a fatal end.
    for (const ending of ["return", "exit", ...(runtime.name === "deno" ? [] : ["throw"])]) {
      test(`creator removes it when ${runtime.name} ends by ${ending} without close`, async () => {
        const name = uniqueName();
        const peer = startPeer(runtime, "leave.ts", [name, ending]);
        const { code, stdout } = await peer.exit();
        expect(stdout).toBe("true\n"); // it was there
        expect(code).toBe(ending === "throw" ? 1 : 0);
        expect(SharedSegment.exists(name)).toBe(false);
      });
    }
  }
});

describe("SharedSegment.prototype.view()", () => {
  test("gives typed arrays and DataViews over the same bytes", () => {
    using segment = SharedSegment.create(uniqueName(), { size: 4095 });
    const words = segment.view(Int32Array);
    expect(words.length).toBe(1023); // the last three bytes are no word
    expect(segment.view(Float64Array, 8, 2).byteOffset).toBe(8);
    expect(segment.view(Uint8Array).length).toBe(4095);
    expect(segment.view(DataView, 3).byteLength).toBe(4092);
    expect(segment.view(DataView, 4095).byteLength).toBe(0);
    words[1] = 0x01020304;
    expect(segment.view(DataView).getInt32(4, true)).toBe(0x01020304);
    expect(segment.bytes[4]).toBe(4);
    expect(segment.view(Float16Array, 2, 1).length).toBe(1);
  });

  test("shares one buffer, and bytes is one array", () => {
    using segment = SharedSegment.create(uniqueName(), { size: 64 });
    expect(segment.bytes).toBe(segment.bytes);
    expect(segment.view(Int32Array).buffer).toBe(segment.bytes.buffer);
  });

  test("refuses what is misaligned or outside", () => {
    using segment = SharedSegment.create(uniqueName(), { size: 64 });
    const refuse = (rule: RegExp, ...args: [number?, number?]) =>
      expectError(() => segment.view(Int32Array, ...args), RangeError, rule);
    refuse(/byteOffset must be a multiple of 4 for Int32Array, received 2/, 2);
    refuse(/byteOffset must be an integer from 0 to 64, received 68/, 68);
    refuse(/byteOffset must be an integer from 0 to 64, received -4/, -4);
    refuse(/byteOffset must be an integer from 0 to 64, received NaN/, NaN);
    refuse(/length must be an integer from 0 to 14 at byteOffset 8, received 15/, 8, 15);
    refuse(/length must be an integer from 0 to 16 at byteOffset 0, received 1.5/, 0, 1.5);
    for (const type of [Array, undefined, 4, Object] as unknown as (typeof Uint8Array)[]) {
      expectError(() => segment.view(type), TypeError, /type must be a class of typed arrays/);
    }
  });
});

describe("SharedSegment.prototype.stat()", () => {
  test("tells what the kernel knows", () => {
    const before = Date.now();
    using segment = SharedSegment.create(uniqueName(), { size: 5000, mode: 0o640 });
    const { birthTimeMs, accessTimeMs, modifyTimeMs, changeTimeMs, ...rest } = segment.stat();
    expect(rest).toEqual({
      kind: "posix",
      name: segment.name,
      size: 5000,
      residentBytes: 8192,
      mode: 0o640,
      uid: process.geteuid?.() ?? -1,
      gid: process.getegid?.() ?? -1,
      linked: true,
    });
    for (const timeMs of [birthTimeMs, accessTimeMs, modifyTimeMs, changeTimeMs]) {
      expect(timeMs).toBeGreaterThan(before - 1000); // the kernel's clock ticks coarsely
      expect(timeMs).toBeLessThan(Date.now() + 1000);
    }
  });
});

describe("a segment larger than 4 GiB", () => {
  test("is seen whole, or refused with the limit of the runtime", () => {
    const size = 5 * 2 ** 30;
    using segment = SharedSegment.create(uniqueName(), { size, reserve: false });
    using same = SharedSegment.open(segment.name, { reserve: false });
    expect(same.size).toBe(size);
    if (HOST.name === "bun") {
      const rule =
        /must fit into one ArrayBuffer of this runtime, which ends at 4294967296: use window/;
      expectError(() => segment.bytes, RangeError, rule);
      expectError(() => segment.view(DataView), RangeError, rule);
    } else {
      segment.bytes[size - 1] = 7;
      expect(same.bytes[size - 1]).toBe(7);
    }
  });
});

describe("SharedSegment in a process with limits", () => {
  for (const runtime of RUNTIMES) {
    test(`recovers when descriptors run out in ${runtime.name}`, async () => {
      const options = { wrapper: ["bash", "-c", 'ulimit -n 400; exec "$@"', "bash"] };
      const output = await runPeer(runtime, "exhaust_descriptors.ts", [uniqueName()], options);
      expect(output).toBe("EMFILE\nremoved true\ncreated\n");
    });
  }

  for (const runtime of RUNTIMES) {
    test(`fails with EFBIG, not SIGXFSZ, above ulimit -f in ${runtime.name}`, async () => {
      // 1 GiB: the runtime's own caches are files, too, and grow.
      const options = { wrapper: ["bash", "-c", 'ulimit -f 1048576; exec "$@"', "bash"] };
      const output = await runPeer(runtime, "create_fails.ts", [uniqueName(), 2 ** 31], options);
      expect(output).toMatch(/^EFBIG .*ulimit -f.*\n$/);
    });
  }
});
