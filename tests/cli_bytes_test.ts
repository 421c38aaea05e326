/**
 * The verbs of `shm` that read and write: compared with `hexdump`, `od` and Python.
 */

import { describe, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { readFileSync, truncateSync } from "node:fs";
import { SharedSegment, SystemVSegment } from "../mod.ts";
import { PYTHON, testWith } from "./support/capabilities.ts";
import { cleanUpSystemV, removeLater, SHM, shm, shmJson, shmOk } from "./support/cli.ts";
import { cleanUpNames, uniqueName } from "./support/names.ts";
import { Peer } from "./support/peers.ts";

cleanUpNames();
cleanUpSystemV();

/** Bytes of every value, with stretches that repeat. */
function sampleBytes(byteLength: number): Uint8Array {
  return Uint8Array.from(
    { length: byteLength },
    (_, index) => (index >> 8) % 3 === 1 ? 0x41 : (index * 37 + (index >> 6)) & 0xff,
  );
}

function createSample(byteLength: number): { name: string; bytes: Uint8Array } {
  const name = uniqueName();
  const bytes = sampleBytes(byteLength);
  using segment = SharedSegment.create(name, { size: byteLength });
  segment.bytes.set(bytes);
  return { name, bytes };
}

function createSystemV(bytes: Uint8Array): string {
  using segment = SystemVSegment.create({ size: bytes.length });
  segment.bytes.set(bytes);
  removeLater(`id:${segment.id}`);
  return `id:${segment.id}`;
}

const python = (script: string, input: Uint8Array): string =>
  spawnSync("python3", ["-c", script], { encoding: "utf8", input }).stdout;

/** What hexdump -C prints: it is not on every machine. */
const HEXDUMP = `
import sys
data = sys.stdin.buffer.read()
last = None
starred = False
for at in range(0, len(data), 16):
    line = data[at:at + 16]
    if line == last and len(line) == 16:
        if not starred: print("*")
        starred = True
        continue
    last, starred = line, False
    left = " ".join("%02x" % b for b in line[:8])
    right = " ".join("%02x" % b for b in line[8:])
    text = "".join(chr(b) if 32 <= b < 127 else "." for b in line)
    print("%08x  %-23s  %-23s  |%s|" % (at, left, right, text))
print("%08x" % len(data))
`;

describe("shm dump", () => {
  testWith([PYTHON], "prints what hexdump -C does", () => {
    for (const byteLength of [1, 15, 16, 17, 5000, 300_001]) {
      const { name, bytes } = createSample(byteLength);
      const expected = python(HEXDUMP, bytes);
      expect(shmOk(["dump", name])).toBe(expected);
    }
    const target = createSystemV(sampleBytes(1000));
    expect(shmOk(["dump", target])).toBe(python(HEXDUMP, sampleBytes(1000)));
  });

  test("squeezes repeated lines, unless --all", () => {
    const name = uniqueName();
    shmOk(["create", name, "-s", "100"]);
    const zeros = `${" 00".repeat(8)} ${" 00".repeat(8)}  |${".".repeat(16)}|`;
    const last = `${" 00".repeat(4)}${" ".repeat(39)}`;
    expect(shmOk(["dump", name])).toBe(
      `00000000 ${zeros}\n*\n00000060 ${last.slice(0, 48)}   |....|\n00000064\n`,
    );
    expect(shmOk(["dump", name, "--all"]).split("\n").length).toBe(9);
  });

  test("shows a range, in as many columns as asked for", () => {
    const { name, bytes } = createSample(5000);
    const shown = shmOk(["dump", name, "-s", "0x10", "-n", "4", "-c", "2"]);
    const hex = (at: number) => (bytes[at] as number).toString(16).padStart(2, "0");
    const ascii = (at: number) => {
      const byte = bytes[at] as number;
      return byte >= 32 && byte < 127 ? String.fromCharCode(byte) : ".";
    };
    expect(shown).toBe(
      `00000010  ${hex(16)} ${hex(17)}  |${ascii(16)}${ascii(17)}|\n` +
        `00000012  ${hex(18)} ${hex(19)}  |${ascii(18)}${ascii(19)}|\n00000014\n`,
    );
    expect(shmOk(["dump", name, "-s", "4990", "-n", "1G"]).split("\n").at(-2)).toBe("00001388");
    expect(shm(["dump", name, "-s", "5001"])).toMatchObject({ code: 1, stdout: "" });
    expect(shmOk(["dump", name, "-s", "5000"])).toBe("00001388\n");
  });

  const types: [type: string, code: string][] = [
    ["u8", "B"],
    ["i8", "b"],
    ["u16", "H"],
    ["i16", "h"],
    ["u32", "I"],
    ["i32", "i"],
    ["u64", "Q"],
    ["i64", "q"],
    ["f16", "e"],
    ["f32", "f"],
    ["f64", "d"],
  ];
  for (const [type, code] of types) {
    testWith([PYTHON], `shows ${type} exactly`, () => {
      const { name, bytes } = createSample(4001);
      const script = `
import struct, sys
data = sys.stdin.buffer.read()
size = struct.calcsize("${code}")
for at in range(0, len(data) - size + 1, size):
    print(struct.unpack_from("<${code}", data, at)[0])
`;
      const expected = python(script, bytes).trimEnd().split("\n");
      const shown = shmOk(["dump", name, "--type", type, "--columns", "1", "--all"]).trimEnd()
        .split("\n");
      const numbers = shown.slice(0, expected.length).map((line) => line.slice(8).trim());
      const isFloat = type.startsWith("f");
      for (const [index, number] of numbers.entries()) {
        const wanted = expected[index] as string;
        if (isFloat) expect(Object.is(toFloat(number, type), toFloat(wanted, type))).toBe(true);
        else expect(number).toBe(wanted);
      }
      const json = shmJson<{ values: unknown[]; rest: string; length: number }>([
        "dump",
        name,
        "-t",
        type,
      ]);
      expect(json.values.length).toBe(expected.length);
      expect(json.values.map(String).join()).toBe(numbers.join());
      expect(json.rest.length / 2).toBe(4001 % (Number(type.slice(1)) / 8));
    });
  }

  const toHalf = (value: number): number =>
    (Math as Math & { f16round(value: number): number }).f16round(value);

  /** Python writes `nan` and `inf`. */
  function toFloat(text: string, type: string): number {
    const value = Number(text.replace(/^(-?)inf$/i, "$1Infinity").replace(/^-?nan$/, "NaN"));
    // Python writes half precision as double; both have the digits that tell it from its neighbours.
    return type === "f16" ? toHalf(value) : type === "f32" ? Math.fround(value) : value;
  }

  test("as f32 has no more digits than tell the number", () => {
    const name = uniqueName();
    using segment = SharedSegment.create(name, { size: 32 });
    segment.view(Float32Array).set([
      0.1,
      1 / 3,
      3.4028234663852886e38,
      -0,
      NaN,
      -Infinity,
      1e-45,
      16777216,
    ]);
    expect(
      shmOk(["dump", name, "-t", "f32", "-c", "8"]).split("\n")[0]?.trim().split(/ +/).slice(1),
    ).toEqual(
      ["0.1", "0.33333334", "3.4028235e+38", "-0", "NaN", "-Infinity", "1e-45", "16777216"],
    );
  });

  test("as JSON is one document, with the bytes in hexadecimal", () => {
    const { name, bytes } = createSample(300_001);
    const json = shmJson<{ target: string; size: number; bytes: string; length: number }>([
      "dump",
      name,
    ]);
    expect(json).toMatchObject({ target: name, size: 300_001, length: 300_001 });
    expect(json.bytes === Buffer.from(bytes).toString("hex")).toBe(true);
  });

  test("of a semaphore shows its file", () => {
    const name = uniqueName();
    shmOk(["create", `sem:${name}`, "--value", "9"]);
    expect(shmJson<{ values: number[] }>(["dump", `sem:${name}`, "-t", "u8"]).values[0]).toBe(9);
  });

  test("refuses what is no regular file", () => {
    const name = uniqueName();
    spawnSync("mkfifo", [`/dev/shm/${name}`]);
    for (const verb of ["dump", "stat", "ps"]) {
      const { code, stderr } = shm([verb, name]);
      expect(code).toBe(1);
      expect(stderr).toMatch(/^shm: Cannot \w+ segment .* the name belongs to a FIFO\./);
    }
  });
});

describe("shm cat", () => {
  test("writes the bytes as they are, or a range of them", () => {
    const { name, bytes } = createSample(1_000_003);
    expect(Buffer.compare(shm(["cat", name]).bytes, bytes)).toBe(0);
    const part = shm(["cat", name, "-s", "999999", "-n", "10"]).bytes;
    expect([...part]).toEqual([...bytes.subarray(999_999)]);
    const target = createSystemV(bytes.subarray(0, 5000));
    expect(Buffer.compare(shm(["cat", target]).bytes, bytes.subarray(0, 5000))).toBe(0);
  });

  test("ends with an error when the object is cut off meanwhile, and not by a signal", async () => {
    const name = uniqueName();
    SharedSegment.create(name, { size: 256 * 2 ** 20, reserve: false }).close();
    const script = `exec 3<&0; "$@" < /dev/null |
      { head -c 1 > /dev/null; echo started; read -r _ <&3; wc -c; }; exit \${PIPESTATUS[0]}`;
    await using reader = new Peer([...SHM, "cat", name], {
      wrapper: ["bash", "-c", script, "bash"],
    });
    expect(await reader.line()).toBe("started");
    truncateSync(`/dev/shm/${name}`, 4096);
    reader.send("go on");
    const { code, signal, stderr } = await reader.exit();
    expect({ code, signal }).toEqual({ code: 1, signal: null });
    expect(stderr).toMatch(
      /^shm: Cannot read segment ".*": it became shorter meanwhile: \d+ of 268435456 bytes/,
    );
  });
});

describe("shm write", () => {
  const content = (name: string) => [...readFileSync(`/dev/shm/${name}`)];

  test("takes standard input, text or hexadecimal digits", () => {
    const name = uniqueName();
    shmOk(["create", name, "-s", "12"]);
    expect(shmOk(["write", name], { input: "abc" })).toBe("");
    expect(shmOk(["write", name, "--text", "é", "-s", "4"])).toBe("");
    expect(shmOk(["write", name, "--hex", "ff 00fe", "--offset", "9"])).toBe("");
    expect(content(name)).toEqual([97, 98, 99, 0, 0xc3, 0xa9, 0, 0, 0, 0xff, 0, 0xfe]);
    expect(shmJson(["write", name, "--text", "x"])).toEqual({ target: name, offset: 0, length: 1 });
  });

  test("copies a large segment", () => {
    const { name, bytes } = createSample(1_000_003);
    const copy = uniqueName();
    shmOk(["create", copy, "-s", "1000003"]);
    shmOk(["write", copy], { input: bytes });
    expect(Buffer.compare(readFileSync(`/dev/shm/${copy}`), readFileSync(`/dev/shm/${name}`))).toBe(
      0,
    );
  });

  test("writes to a System V segment", () => {
    const target = createSystemV(new Uint8Array(4));
    shmOk(["write", target, "--hex", "0102", "-s", "2"]);
    expect(shmJson<{ bytes: string }>(["dump", target]).bytes).toBe("00000102");
  });

  test("reaches the end of a System V segment that is larger than a buffer can be", () => {
    const size = 2 ** 32 + 8192;
    const target = shmOk(["create", "--systemv", "--private", "-s", String(size)]).trim();
    removeLater(target);
    shmOk(["write", target, "--text", "the end", "-s", String(size - 7)]);
    expect(shm(["cat", target, "-s", String(size - 7)]).stdout).toBe("the end");
  });

  test("refuses what does not fit before anything is written", () => {
    const name = uniqueName();
    shmOk(["create", name, "-s", "4"]);
    for (
      const [args, input] of [[["--text", "abcde"], ""], [["--text", "ab", "-s", "3"], ""], [
        [],
        "abcde",
      ], [["--text", "a", "-s", "5"], ""]] as const
    ) {
      const { code, stderr } = shm(["write", name, ...args], { input });
      expect(code).toBe(1);
      expect(stderr).toMatch(
        /^shm: Cannot write to segment ".*": it has room for \d bytes? from offset \d, received (\d|more)\. Nothing was written\.\n$/,
      );
    }
    expect(content(name)).toEqual([0, 0, 0, 0]);
    shmOk(["write", name, "--text", "abcd"]);
  });

  test("does not read more than it needs to refuse", () => {
    const name = uniqueName();
    shmOk(["create", name, "-s", "1K"]);
    const script = `head -c 64M /dev/zero | "$@" write ${name}; echo "\${PIPESTATUS[@]}"`;
    const { stdout } = spawnSync("bash", ["-c", script, "bash", ...SHM], { encoding: "utf8" });
    expect(stdout).toBe("141 1\n"); // whoever wrote was told that nobody reads any more
  });

  test("is no way to break a semaphore", () => {
    expect(shm(["write", `sem:${uniqueName()}`, "--text", "a"])).toMatchObject({ code: 2 });
  });
});

describe("shm watch, without a terminal", () => {
  /** Starts it, changes bytes when it is at work, and gives its lines. */
  async function changes(
    name: string,
    args: string[],
    change: (bytes: Uint8Array) => void,
    lines: number,
  ): Promise<string[]> {
    await using watch = new Peer([...SHM, "watch", name, "--interval", "50ms", ...args]);
    using segment = SharedSegment.open(name);
    // Until it has had its first look, it has nothing to compare with.
    const knock = setInterval(() => segment.bytes[63] = (segment.bytes[63] as number) ^ 1, 20);
    await watch.line();
    clearInterval(knock);
    await new Promise((resolve) => setTimeout(resolve, 400));
    change(segment.bytes);
    const found: string[] = [];
    while (found.length < lines) {
      const line = await watch.line();
      if (!/0000003f|"offset":(63|56)\b|00000038/.test(line)) found.push(line);
    }
    // Deno's child.kill() would take the exit code for the signal.
    spawnSync("kill", ["-TERM", String(watch.pid)]);
    expect(await watch.exit()).toMatchObject({ code: 143, stderr: "" });
    return found;
  }

  test("prints a line for each change", async () => {
    const name = uniqueName();
    shmOk(["create", name, "-s", "64"]);
    const found = await changes(name, [], (bytes) => bytes.set([1, 2, 3, 0, 5], 16), 2);
    const texts = found.map((line) =>
      line.replace(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z {2}/, "")
    );
    expect(texts).toEqual(["00000010  00 00 00 -> 01 02 03", "00000014  00 -> 05"]);
  });

  test("prints numbers with --type, and JSON Lines with --json", async () => {
    const name = uniqueName();
    shmOk(["create", name, "-s", "64"]);
    const change = (bytes: Uint8Array) => new Float64Array(bytes.buffer).set([0.5, 2], 1);
    const found = await changes(name, ["--type", "f64", "--json"], change, 2);
    expect(found.map((line) => JSON.parse(line))).toMatchObject([
      { offset: 8, old: 0, new: 0.5 },
      { offset: 16, old: 0, new: 2 },
    ]);
  });

  test("tells of another size, and ends with an error when it is removed", async () => {
    const name = uniqueName();
    shmOk(["create", name, "-s", "64"]);
    await using watch = new Peer([...SHM, "watch", name, "--interval", "50ms"]);
    const grow = setInterval(
      () => truncateSync(`/dev/shm/${name}`, 64 + Math.ceil(Math.random() * 4096)),
      40,
    );
    expect(await watch.line()).toMatch(/ size {2}\d+ -> \d+$/);
    clearInterval(grow);
    SharedSegment.unlink(name);
    const { code, stderr } = await watch.exit();
    expect(code).toBe(1);
    expect(stderr).toMatch(/^shm: Cannot read segment .*it does not exist/);
  });

  test("ends after so many looks", () => {
    const name = uniqueName();
    shmOk(["create", name, "-s", "64"]);
    expect(shmOk(["watch", name, "--count", "2", "-i", "20ms"])).toBe("");
    const samples = shmOk(["top", name, "--count", "2", "-i", "20ms", "--json"]).trimEnd().split(
      "\n",
    );
    expect(samples.map((line) => JSON.parse(line).objects[0].target)).toEqual([name, name]);
    expect(shmOk(["top", name, "--count", "1"])).toContain(`  ${name}\n`);
  });
});
