/**
 * Files, directories, users and the environment, read through the C library: compared with what the
 * runtime, Python and the system's tools say.
 */

import { describe, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import {
  close,
  environmentVariable,
  errorCode,
  listDirectory,
  open,
  readAll,
  readAt,
  readLink,
  readTextFile,
  statusOfPath,
  statusOfTarget,
  userName,
} from "../ffi/mod.ts";
import { decodeText, encodeText, isEncodable } from "../ffi/text.ts";
import { temporaryDirectory } from "./support/c.ts";
import { PYTHON, testWith } from "./support/capabilities.ts";
import { runPeer } from "./support/peers.ts";
import { RUNTIMES } from "./support/runtimes.ts";

const codeOf = (result: unknown): string => errorCode(result as number);

/** Opens a file, for the time of a call. */
function withFile<T>(path: string, use: (fd: number) => T): T {
  const fd = open(path, 0, 0);
  try {
    return use(fd);
  } finally {
    close(fd);
  }
}

describe("text of any bytes", () => {
  test("comes back as it was", () => {
    for (let first = 0; first < 256; first++) {
      for (let second = 0; second < 256; second++) {
        const bytes = Uint8Array.of(first, second, 0x2f, second, first);
        const text = decodeText(bytes);
        if (!isEncodable(text)) throw new Error(`refuses ${bytes}`);
        if (encodeText(text).join() !== bytes.join()) throw new Error(`lost ${bytes}`);
      }
    }
  });

  testWith([PYTHON], "is what Python makes of it", () => {
    const samples = [
      [0x61, 0xff, 0x62],
      [0xe2, 0x82, 0xac, 0xe2, 0x82],
      [0xc0, 0x80],
      [0xed, 0xa0, 0x80],
      [0xf0, 0x9f, 0x98, 0x80, 0x98],
      [0xf4, 0x90, 0x80, 0x80],
      [0xef, 0xbb, 0xbf, 0x61],
      [0x80, 0x0a, 0xfe, 0x0a, 0xc3, 0xa9, 0x0a],
    ];
    const script = "import json, sys\n" +
      "print(json.dumps([bytes(b).decode('utf-8', 'surrogateescape') for b in json.loads(sys.argv[1])]))";
    const { stdout } = spawnSync("python3", ["-c", script, JSON.stringify(samples)], {
      encoding: "utf8",
    });
    expect(samples.map((bytes) => decodeText(Uint8Array.from(bytes)))).toEqual(JSON.parse(stdout));
  });

  test("knows what stands for no bytes", () => {
    for (const text of ["\ud800", "\udc7f", "\udd00", "a\udfffb"]) {
      expect(isEncodable(text)).toBe(false);
    }
  });
});

describe("a file", () => {
  const directory = temporaryDirectory();
  const path = join(directory, "file");
  const bytes = Uint8Array.from({ length: 200_003 }, (_, index) => index * 31 % 251);
  writeFileSync(path, bytes);

  test("is read to its end", () => {
    expect(withFile(path, readAll)).toEqual(bytes);
    writeFileSync(join(directory, "empty"), "");
    expect(readTextFile(join(directory, "empty"))).toBe("");
    expect(readTextFile("/proc/self/comm")).toBe(readFileSync("/proc/self/comm", "utf8"));
    const maps = readTextFile("/proc/self/maps") as string; // more than one read gives
    expect(maps.length).toBeGreaterThan(4096);
    expect(maps.split("\n").at(-2)).toMatch(/vsyscall|stack|vdso|vvar|^[0-9a-f]+-/);
  });

  test("is read in part, as far as it goes, also after it was cut off", () => {
    expect(withFile(path, (fd) => readAt(fd, 100_000, 70_000))).toEqual(
      bytes.slice(100_000, 170_000),
    );
    expect(withFile(path, (fd) => readAt(fd, 0, 0))).toEqual(new Uint8Array());
    const other = join(directory, "cut");
    writeFileSync(other, bytes);
    withFile(other, (fd) => {
      truncateSync(other, 5);
      expect(readAt(fd, 3, 100)).toEqual(bytes.slice(3, 5));
      expect(readAt(fd, 5, 1)).toEqual(new Uint8Array());
      expect(readAt(fd, 2 ** 40, 1)).toEqual(new Uint8Array());
    });
  });

  test("that cannot be read is an error number", () => {
    expect(codeOf(readTextFile(join(directory, "none")))).toBe("ENOENT");
    expect(codeOf(readTextFile(directory))).toBe("EISDIR");
    expect(codeOf(readAt(-1, 0, 1))).toBe("EBADF");
    expect(codeOf(readAll(-1))).toBe("EBADF");
  });

  test("is followed by one status, and not by the other", () => {
    const link = join(directory, "link");
    symlinkSync(path, link);
    expect(readLink(link)).toBe(path);
    expect(statusOfTarget(link)).toMatchObject({ type: "regular file", size: bytes.length });
    expect(statusOfPath(link)).toMatchObject({ type: "symbolic link" });
    expect(codeOf(readLink(path))).toBe("EINVAL");
    expect(codeOf(statusOfTarget(join(directory, "none")))).toBe("ENOENT");
  });
});

test("a directory is listed to its end", () => {
  const directory = join(temporaryDirectory(), "many");
  mkdirSync(directory);
  const names = Array.from({ length: 3000 }, (_, index) => `${index}-${"x".repeat(index % 200)}`);
  for (const name of names) writeFileSync(join(directory, name), "");
  expect((listDirectory(directory) as string[]).sort()).toEqual(names.sort());
  expect(codeOf(listDirectory(join(directory, "none")))).toBe("ENOENT");
  expect(codeOf(listDirectory(join(directory, names[0] as string)))).toBe("ENOTDIR");
});

test("users have the names that the system gives them", () => {
  const { stdout } = spawnSync("getent", ["passwd"], { encoding: "utf8" });
  const users = stdout.trimEnd().split("\n").map((line) => line.split(":"));
  expect(users.length).toBeGreaterThan(3);
  for (const [, , uid] of users) {
    const first = users.find((each) => each[2] === uid)?.[0];
    expect(userName(Number(uid))).toBe(first);
  }
  const taken = new Set(users.map(([, , uid]) => uid));
  const free = [54321, 54322, 54323].find((uid) => !taken.has(String(uid))) as number;
  expect(userName(free)).toBe(undefined);
  expect(userName(2 ** 32 - 2)).toBe(undefined);
});

describe("the environment", () => {
  for (const runtime of RUNTIMES) {
    test(`is known without a permission in ${runtime.name}`, async () => {
      const long = "ü".repeat(5000);
      const env = { SHMKIT_A: "1", SHMKIT_EMPTY: "", SHMKIT_LONG: long };
      const names = [...Object.keys(env), "SHMKIT_NONE"];
      const values = JSON.parse(await runPeer(runtime, "environment.ts", names, { env }));
      expect(values).toEqual(["1", "", long, null]);
    });
  }

  test("is that of this process", () => {
    expect(environmentVariable("PATH")).toBe(process.env["PATH"]);
  });
});
