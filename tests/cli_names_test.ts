/**
 * Names that others have chosen: they never reach the terminal as they are, and what is printed can
 * be given back.
 */

import { describe, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { readdirSync, rmSync, writeFileSync } from "node:fs";
import { escapeName, escapeText, toJson, unescapeName } from "../cli/escape.ts";
import { formatTarget, matcher, parseTarget } from "../cli/target.ts";
import { formatAge, formatSize, parseDuration, parseMode, parseSize } from "../cli/units.ts";
import { PYTHON, testWith } from "./support/capabilities.ts";
import { SHM, shm, shmJson, shmOk } from "./support/cli.ts";
import { cleanUpNames, uniqueName } from "./support/names.ts";

cleanUpNames();

/** Nothing but printable characters of one line each, and no character that cannot be seen. */
const HARMLESS =
  // deno-lint-ignore no-control-regex
  /^[^\x00-\x09\x0b-\x1f\x7f-\xa0\u00ad\u061c\u115f\u180e\u200b-\u200f\u2028-\u202f\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\ufff9-\ufffb\u{e0000}-\u{e0fff}]*$/u;

/** What the parts of names do when they are printed. */
const EVIL: readonly (readonly [title: string, bytes: readonly number[], printed: string])[] = [
  ["an escape sequence", [...Buffer.from("\x1b[2J\x1b]0;owned\x07")], "\\x1b[2J\\x1b]0;owned\\x07"],
  ["line ends and tabs", [...Buffer.from("a\nposix 600\r\tb")], "a\\nposix 600\\r\\tb"],
  [
    "characters that turn the direction",
    [...Buffer.from("\u202egnp.\u2066x\u200f")],
    "\\u202egnp.\\u2066x\\u200f",
  ],
  ["characters that cannot be seen", [
    ...Buffer.from("a\u200bb\u00adc\ufeffd\u3164e\ufe0ff\u{e0041}g\ufff9"),
  ], "a\\u200bb\\u00adc\\ufeffd\\u3164e\\ufe0ff\\U000e0041g\\ufff9"],
  ["an eight-bit control", [...Buffer.from("\u009b2J")], "\\u009b2J"],
  [
    "bytes that are no UTF-8",
    [0x61, 0xff, 0x9b, 0xc3, 0x28, 0xed, 0xa0, 0x80, 0xf5],
    "a\\xff\\x9b\\xc3(\\xed\\xa0\\x80\\xf5",
  ],
  ["backslashes and quotes", [...Buffer.from("a\\nb'c\"d")], 'a\\\\nb\\x27c"d'],
  ["blanks at its end", [...Buffer.from("a b  ")], "a b \\x20"],
  ["letters of all the world", [...Buffer.from("größe_日本_привет")], "größe_日本_привет"],
];

/** Makes or removes a file whose name is any bytes, which some runtimes cannot. */
function withFile(verb: "make" | "remove", prefix: string, bytes: readonly number[]): void {
  const script = `
import json, os, sys
path = b"/dev/shm/" + sys.argv[2].encode() + bytes(json.loads(sys.argv[3]))
if sys.argv[1] == "make": open(path, "w").write("12345")
elif os.path.exists(path): os.unlink(path)
`;
  spawnSync("python3", ["-c", script, verb, prefix, JSON.stringify(bytes)]);
}

describe("a name with", () => {
  for (const [title, bytes, printed] of EVIL) {
    testWith([PYTHON], `${title} is printed harmlessly, and given back it is found`, () => {
      const prefix = uniqueName();
      withFile("make", prefix, bytes);
      try {
        const target = prefix + printed;
        const list = shmOk(["ls", `${prefix}*`]);
        expect(list).toContain(`  ${target}\n`);
        const outputs = [
          list,
          shmOk(["ls", `${prefix}*`, "--json"]),
          shmOk(["stat", target]),
          shm(["ps", target]).stdout,
          shm(["gc", target]).stdout,
          shmOk(["top", `${prefix}*`, "--count", "1"]),
          shm(["dump", target, "-s", "99"]).stderr,
          shm(["dump", target, "-s", "99", "--json"]).stderr,
          shm(["create", target, "-s", "1"]).stderr,
        ];
        for (const output of outputs) expect(output).toMatch(HARMLESS);
        expect(shmJson<{ target: string }[]>(["stat", target])[0]?.target).toBe(target);
        expect(shmOk(["dump", target])).toContain("|12345|");

        // As a user does it: with the output of one as an argument of the other, in single quotes.
        expect(target).not.toContain("'");
        expect(shmOk(["rm", target])).toBe("");
        expect(shmJson(["ls", `${prefix}*`])).toEqual([]);
      } finally {
        withFile("remove", prefix, bytes);
      }
    });
  }

  test("the look of an option, an id or a semaphore is printed with a slash", () => {
    const names = ["id:12", "key:0x1", "sem:x", "semid:3", "-rf"].map((start) =>
      start + uniqueName()
    );
    try {
      for (const name of names) writeFileSync(`/dev/shm/${name}`, "1");
      const listed = shmJson<{ target: string }[]>(["ls", "--kind", "posix"]).map(({ target }) =>
        target
      );
      for (const name of names) expect(listed).toContain(`/${name}`);
      shmOk(["rm", ...names.map((name) => `/${name}`)]);
      expect(readdirSync("/dev/shm").filter((name) => names.includes(name))).toEqual([]);
    } finally {
      for (const name of names) rmSync(`/dev/shm/${name}`, { force: true });
    }
  });
});

testWith([PYTHON], "the command of another process is printed harmlessly", () => {
  const name = uniqueName();
  writeFileSync(`/dev/shm/${name}`, "1");
  const script = `
import os, subprocess, sys
open("/proc/self/comm", "w").write("\\x1b[31mred\\n")
fd = os.open("/dev/shm/${name}", os.O_RDONLY)
sys.exit(subprocess.run(sys.argv[1:]).returncode)
`;
  const { stdout } = spawnSync("python3", ["-c", script, ...SHM, "ps", name], { encoding: "utf8" });
  expect(stdout).toMatch(/ \\x1b\[31mred/);
  expect(stdout).toMatch(HARMLESS);
});

describe("the notation of names", () => {
  test("can be undone for any bytes", () => {
    let seed = 12345;
    const random = (below: number) => (seed = (seed * 1103515245 + 12345) % 2 ** 31) % below;
    const parts = [
      "\\",
      "'",
      "\n",
      "\x1b",
      "é",
      "日",
      "😀",
      "\udcff",
      "\udc80",
      "\udcc3",
      "\udca9",
      "\u202e",
      "x1b",
      "n",
      " ",
      "\u{e0041}",
    ];
    for (let round = 0; round < 3000; round++) {
      let name = "";
      for (let count = random(6); count >= 0; count--) name += parts[random(parts.length)];
      const escaped = escapeName(name);
      expect(escaped).toMatch(HARMLESS);
      // Bytes that are UTF-8 together are the character: no directory gives them apart.
      expect(unescapeName(escaped)).toBe(unescapeName(escapeName(unescapeName(escaped) as string)));
      if (!/[\udc80-\udcff]/u.test(name)) expect(unescapeName(escaped)).toBe(name);
    }
    expect(unescapeName("\\xc3\\xa9")).toBe("é");
    expect(unescapeName("\\u00e9\\U0001f600\\\\")).toBe("é😀\\");
    for (const bad of ["\\", "a\\", "\\q", "\\x1", "\\u12", "\\ud800", "\\U00110000"]) {
      expect(unescapeName(bad)).toBe(undefined);
    }
  });

  test("leaves the lines of texts alone", () => {
    expect(escapeText("a\\b\n\x1b[0m\u202e")).toBe("a\\b\n\\x1b[0m\\u202e");
    const value = { a: "\u009b\u202e\x1b\u{e0041}\udcff\n" };
    expect(toJson(value)).toMatch(HARMLESS);
    expect(JSON.parse(toJson(value, 2))).toEqual(value);
  });
});

describe("targets", () => {
  test("are read in every spelling, and printed in one", () => {
    const spellings: [string, string][] = [
      ["frames", "frames"],
      ["/frames", "frames"],
      ["sem:ready", "sem:ready"],
      ["sem:/ready", "sem:ready"],
      ["id:12", "id:12"],
      ["id:0xc", "id:12"],
      ["key:5678", "key:0x0000162e"],
      ["semid:3", "semid:3"],
      ["semkey:0x7", "semkey:0x00000007"],
      ["/id:12", "/id:12"],
      ["/-x", "/-x"],
      ["a'b", "a\\x27b"],
    ];
    for (const [text, printed] of spellings) expect(formatTarget(parseTarget(text))).toBe(printed);
  });

  test("are matched by patterns as they are printed", () => {
    expect(matcher("frames-*")("frames-1")).toBe(true);
    expect(matcher("/frames-*")("frames-1")).toBe(true);
    expect(matcher("frames-?")("frames-12")).toBe(false);
    expect(matcher("f.ames")("frames")).toBe(false);
    expect(matcher("f.*")("frames")).toBe(false);
    expect(matcher("*")("sem:x")).toBe(true);
    expect(matcher("/id:*")("id:3")).toBe(false);
    expect(matcher("/id:*")("/id:3")).toBe(true);
    expect(matcher("/frames")("frames")).toBe(true);
    expect(matcher("a\\x1b*")("a\\x1b[31m")).toBe(true);
    expect(matcher("key:0x162e")("key:0x0000162e")).toBe(true);
  });
});

describe("numbers", () => {
  test("are read as people write them", () => {
    const sizes: [string, number | undefined][] = [
      ["4096", 4096],
      ["0x1000", 4096],
      ["64K", 65536],
      ["64k", 65536],
      ["64KiB", 65536],
      ["64KB", 64000],
      ["1.5G", 1.5 * 2 ** 30],
      ["2T", 2 ** 41],
      ["12B", 12],
      ["1.5", undefined],
      ["-1", undefined],
      ["", undefined],
      ["1e3", undefined],
      ["9007199254740993", undefined],
      ["1.0001K", undefined],
      ["9000P", undefined],
    ];
    for (const [text, bytes] of sizes) expect([text, parseSize(text)]).toEqual([text, bytes]);
    expect(["500ms", "2", "2s", "1.5m", "1h", "1d", "soon", "-1s"].map(parseDuration)).toEqual(
      [500, 2000, 2000, 90_000, 3_600_000, 86_400_000, undefined, undefined],
    );
    expect(["600", "0600", "0o600", "7", "888", "1777"].map(parseMode)).toEqual(
      [0o600, 0o600, 0o600, 7, undefined, undefined],
    );
  });

  test("are shown in one unit", () => {
    expect([0, 1023, 1024, 1536, 2 ** 20 - 1, 2 ** 20, 5e15].map((bytes) => formatSize(bytes)))
      .toEqual(
        ["0 B", "1023 B", "1.0 KiB", "1.5 KiB", "1.0 MiB", "1.0 MiB", "4.4 PiB"],
      );
    expect(formatSize(1536, true)).toBe("1536");
    expect([0, 99_999, 100_000, 5_999_999, 6e6, 400e6].map(formatAge)).toEqual(
      ["0s", "99s", "1m", "99m", "1h", "4d"],
    );
  });
});
