/** prefault, mlock, huge pages and advise(). */

import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import {
  type MemoryAdvice,
  SharedSegment,
  ShmError,
  type ShmErrorCode,
  SystemVSegment,
} from "../mod.ts";
import { temporaryDirectory } from "./support/c.ts";
import { HUGE_PAGES, MOUNT_NAMESPACE, OTHER_USERS, testWith } from "./support/capabilities.ts";
import { expectError } from "./support/errors.ts";
import { withHugePages } from "./support/huge_pages.ts";
import { cleanUpNames, uniqueName } from "./support/names.ts";
import { runPeer } from "./support/peers.ts";
import { HOST } from "./support/runtimes.ts";
import { cleanUpSegments, ownSegments } from "./support/systemv.ts";

cleanUpNames();
cleanUpSegments();

const MIB = 2 ** 20;

function expectShmError(body: () => unknown, code: ShmErrorCode, message: RegExp): void {
  expect(expectError(body, ShmError, message).code).toBe(code);
}

/** What the kernel says of the mapping of this process that has exactly this length, in KiB. */
function mappingOf(byteLength: number): Readonly<Record<string, string>> {
  const text = readFileSync("/proc/self/smaps", "utf8");
  const found = text.split(/\n(?=[0-9a-f]+-[0-9a-f]+ )/).find((each) => {
    const [start, end] = (each.split(" ")[0] as string).split("-").map((hex) => parseInt(hex, 16));
    return (end as number) - (start as number) === byteLength && / (rw|r-)-s /.test(each);
  }) ?? "";
  return Object.fromEntries(
    [...found.matchAll(/^(\w+): +(.*)$/gm)].map(([, key, value]) => [key, value]),
  );
}

/** A length that no other mapping has. */
let odd = 0;
const uniqueLength = () => 8 * MIB + 4096 * (1 + odd++);

const KINDS = {
  "a named segment": (size: number, options: { prefault?: boolean; mlock?: boolean }) =>
    SharedSegment.create(uniqueName(), { size, lifetime: "creator", ...options }),
  "an opened segment": (size: number, options: { prefault?: boolean; mlock?: boolean }) => {
    using segment = SharedSegment.create(uniqueName(), { size });
    return SharedSegment.open(segment.name, options);
  },
  "a segment that was there": (size: number, options: { prefault?: boolean; mlock?: boolean }) => {
    using segment = SharedSegment.create(uniqueName(), { size });
    return SharedSegment.openOrCreate(segment.name, { size, ...options });
  },
  "a segment for reading": (size: number, options: { prefault?: boolean; mlock?: boolean }) => {
    using segment = SharedSegment.create(uniqueName(), { size });
    return SharedSegment.open(segment.name, { readonly: true, ...options });
  },
  "anonymous memory": (size: number, options: { prefault?: boolean; mlock?: boolean }) =>
    SharedSegment.anonymous({ size, ...options }),
  "a file": (size: number, options: { prefault?: boolean; mlock?: boolean }) =>
    SharedSegment.openFile(`${temporaryDirectory()}/file`, { size, create: true, ...options }),
  "a System V segment": (size: number, options: { prefault?: boolean; mlock?: boolean }) =>
    SystemVSegment.create({ size, lifetime: "lastDetach", ...options }),
};

for (const [title, make] of Object.entries(KINDS)) {
  describe(`of ${title}`, () => {
    test("no page is present unless it is asked for", () => {
      const size = uniqueLength();
      using _segment = make(size, {});
      expect(mappingOf(size)).toMatchObject({ Rss: "0 kB", Locked: "0 kB" });
    });

    test("every page is present after prefault", () => {
      const size = uniqueLength();
      using _segment = make(size, { prefault: true });
      expect(mappingOf(size)).toMatchObject({ Rss: `${size / 1024} kB`, Locked: "0 kB" });
    });

    test("every page stays after mlock", () => {
      const size = 64 * 1024 + 4096 * (1 + odd++); // the limit is 64 KiB or 8 MiB for users
      using segment = make(size, { mlock: true });
      const kibibytes = `${size / 1024} kB`;
      expect(mappingOf(size)).toMatchObject({ Rss: kibibytes });
      expect(mappingOf(size)["Locked"]).not.toBe("0 kB");
      segment.close();
      expect(mappingOf(size)).toEqual({});
    });
  });
}

describe("prefault and mlock", () => {
  test("hold after a change of size, too", () => {
    using segment = SharedSegment.anonymous({ size: 64, prefault: true, mlock: true });
    const size = uniqueLength() - 7 * MIB;
    segment.resize(size);
    expect(mappingOf(size)).toMatchObject({ Rss: `${size / 1024} kB` });
    expect(mappingOf(size)["Locked"]).not.toBe("0 kB");
  });

  testWith([OTHER_USERS], "say what the limit is, and leave nothing", async () => {
    const wrapper = [
      "setpriv",
      "--reuid=65534",
      "--clear-groups",
      "bash",
      "-c",
      'ulimit -l 64; exec "$@"',
      "bash",
    ];
    const output = await runPeer(HOST, "lock_too_much.ts", [uniqueName()], { wrapper });
    expect(output).toMatch(/^(ENOMEM Cannot create .*ENOMEM from mlock.*\(`ulimit -l`\).*\n){3}$/);
    expect(ownSegments()).toEqual([]);
  });

  testWith([MOUNT_NAMESPACE], "say that memory is short", async () => {
    const script = 'mount -t tmpfs -o size=1m tmpfs /dev/shm && exec "$@"';
    const wrapper = ["unshare", "-m", "sh", "-c", script, "sh"];
    const output = await runPeer(HOST, "prefault_too_much.ts", [uniqueName()], { wrapper });
    expect(output).toMatch(/^(ENOSPC .*there is no memory for the others.*\n){2}$/);
  });
});

describe("advise()", () => {
  const advices: MemoryAdvice[] = [
    "normal",
    "random",
    "sequential",
    "willNeed",
    "dontNeed",
    "cold",
    "pageOut",
    "dontDump",
    "doDump",
  ];

  test("changes no byte", () => {
    const segments = [
      SharedSegment.anonymous({ size: 10_000 }),
      SystemVSegment.create({ size: 10_000, lifetime: "lastDetach" }),
    ];
    for (const segment of segments) {
      segment.bytes.fill(7);
      for (const advice of advices) {
        segment.advise(advice);
        segment.advise(advice, 5000, 1);
        segment.advise(advice, 10_000);
      }
      expect(segment.bytes).toEqual(new Uint8Array(10_000).fill(7));
      segment.close();
    }
  });

  test("reaches the kernel", () => {
    const size = uniqueLength();
    using segment = SharedSegment.anonymous({ size });
    expect(mappingOf(size)["VmFlags"]).not.toMatch(/\bdd\b/);
    segment.advise("dontDump");
    expect(mappingOf(size)["VmFlags"]).toMatch(/\bdd\b/);
    segment.advise("doDump");
    expect(mappingOf(size)["VmFlags"]).not.toMatch(/\bdd\b/);
  });

  test("refuses what it does not know, and ranges outside", () => {
    using segment = SharedSegment.anonymous({ size: 100 });
    const advise = segment.advise.bind(segment) as (...args: unknown[]) => void;
    expectError(
      () => advise("faster"),
      TypeError,
      /advice must be "normal" or .*received "faster"/,
    );
    expectError(() => advise("toString"), TypeError, /advice must be/);
    expectError(
      () => advise("cold", 101),
      RangeError,
      /byteOffset must be an integer from 0 to 100/,
    );
    expectError(() => advise("cold", 0, 101), RangeError, /byteLength must be an integer from 0/);
    segment.close();
    expectShmError(() => advise("cold"), "ERR_SHM_CLOSED", /closed/);
  });
});

test("advise() is for all pages that hold the range, and no others", () => {
  const size = uniqueLength();
  using segment = SharedSegment.anonymous({ size, prefault: true });
  const present = () => Number.parseInt(mappingOf(size)["Rss"] ?? "") * 1024;
  expect(present()).toBe(size);
  segment.advise("dontNeed", 100, 0);
  expect(present()).toBe(size);
  segment.advise("dontNeed", 2 * 4096 - 1, 2);
  expect(present()).toBe(size - 2 * 4096);

  // A window starts within a page: 96 bytes from the start of its mapping.
  const rest = 5 * 4096;
  using window = segment.window(3 * 4096 + 96, rest - 96);
  for (let at = 0; at < rest - 96; at += 1024) expect(window.bytes[at]).toBe(0);
  const presentOfWindow = () => Number.parseInt(mappingOf(rest)["Rss"] ?? "") * 1024;
  expect(presentOfWindow()).toBe(rest);
  window.advise("dontNeed", 4096 - 96, 1);
  expect(presentOfWindow()).toBe(rest - 4096);
  expect(window.bytes[4096 - 96]).toBe(0);
  window.advise("dontNeed", 4096 - 97, 2);
  expect(presentOfWindow()).toBe(rest - 2 * 4096);
});

describe("huge pages", () => {
  test("that are not there are an error that says how many there are", () => {
    const missing =
      /there are not enough huge pages .* of (the usual size|\d+ bytes) were asked for, and \d+ of \d+ pages of \d+ bytes are free.*vm\.nr_hugepages/;
    for (const hugePages of [true, 2 ** 21]) {
      expectShmError(
        () => SharedSegment.anonymous({ size: 2 ** 34, hugePages }),
        "ENOMEM",
        missing,
      );
      expectShmError(() => SystemVSegment.create({ size: 2 ** 34, hugePages }), "ENOMEM", missing);
    }
    expectShmError(
      () => SharedSegment.anonymous({ size: 2 ** 26, hugePages: 2 ** 26 }),
      "ENODEV",
      missing,
    );
    expect(ownSegments()).toEqual([]);
  });

  test("are of a size that the kernel can be told", () => {
    for (const hugePages of [2 ** 12, 2 ** 63, 2 ** 85, 3 * 2 ** 20, -1, NaN]) {
      const rule = /hugePages must be true, false or the size of a huge page in bytes/;
      expectError(() => SharedSegment.anonymous({ size: 2 ** 21, hugePages }), RangeError, rule);
    }
  });

  test("want a size that is a multiple of theirs", () => {
    for (const size of [1, 2 ** 21 + 4096]) {
      expectError(
        () => SharedSegment.anonymous({ size, hugePages: 2 ** 21 }),
        RangeError,
        /size must be a multiple of 2097152, the size of a huge page here/,
      );
    }
    for (const hugePages of [0, 3, 4096, -1, NaN]) {
      expectError(
        () => SharedSegment.anonymous({ size: 2 ** 21, hugePages }),
        RangeError,
        /hugePages must be true, false or the size of a huge page/,
      );
    }
  });

  test("for names are refused where the machine has them not", () => {
    const setting = readFileSync("/sys/kernel/mm/transparent_hugepage/shmem_enabled", "utf8");
    const create = () =>
      SharedSegment.create(uniqueName(), { size: 2 ** 21, hugePages: true, lifetime: "creator" });
    if (/\[(never|deny)\]/.test(setting)) {
      expectShmError(create, "ERR_SHM_UNSUPPORTED", /are set to "(never|deny)" on this machine/);
    } else {
      create().close();
    }
  });

  testWith([HUGE_PAGES], "hold bytes like any others, and are given back", () => {
    withHugePages(8, () => {
      const size = 2 * 2 ** 21;
      {
        using segment = SharedSegment.anonymous({ size, hugePages: 2 ** 21, prefault: true });
        expect(mappingOf(size)["KernelPageSize"]).toBe("2048 kB");
        using same = SharedSegment.fromDescriptor(segment.fd);
        using reader = SharedSegment.fromDescriptor(segment.fd, { readonly: true });
        segment.bytes[size - 1] = 7;
        expect([same.bytes[size - 1], reader.getUint8(size - 1)]).toEqual([7, 7]);
        using window = segment.window(2 ** 21 + 8197, 10);
        window.bytes[0] = 6;
        expect(same.bytes[2 ** 21 + 8197]).toBe(6);
        segment.resize(2 * size);
        expect(same.refresh()).toBe(true);
        segment.bytes[2 * size - 1] = 8;
        expect(same.bytes[2 * size - 1]).toBe(8);
        using frozen = SharedSegment.anonymous({ size, hugePages: true }).freeze();
        expect(frozen.getUint8(0)).toBe(0);
      }
      // A size that is no multiple is possible here: the kernel rounds it up.
      for (const bytes of [5, size, size + 1]) {
        const segment = SystemVSegment.create({
          size: bytes,
          hugePages: 2 ** 21,
          lifetime: "lastDetach",
        });
        const attached = SystemVSegment.open({ id: segment.id });
        segment.bytes[bytes - 1] = 9;
        expect(attached.bytes[bytes - 1]).toBe(9);
        using window = attached.window(bytes - 1, 1);
        expect(window.bytes[0]).toBe(9);
        segment.close();
        attached.close();
      }
    });
  });
});
