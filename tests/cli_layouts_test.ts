/**
 * The verbs of `shm` that look at objects which carry their layout: what they show is compared with
 * what the library reads, and nothing that such an object says may harm them.
 */

import { describe, expect, test } from "bun:test";
import { chownSync, truncateSync } from "node:fs";
import fc from "fast-check";
import { SharedObject, SharedSegment, t } from "../mod.ts";
import type { Fields, Struct } from "../layout/mod.ts";
import { jsonOf, valuesOf } from "../cli/field_values.ts";
import type { ObjectKind } from "../memory/objects/kinds.ts";
import { countRows, rowsOf } from "../cli/rows.ts";
import { ADA, createPlayer, createWithSchema, overwrite, Player } from "./support/carried.ts";
import { MOUNT_NAMESPACE, OTHER_USERS, testWith } from "./support/capabilities.ts";
import { SHM, shm, shmJson, shmOk } from "./support/cli.ts";
import { SEED, someLayouts } from "./support/layouts.ts";
import { cleanUpNames, uniqueName } from "./support/names.ts";
import { createOfKind } from "./support/objects.ts";
import { startPeer } from "./support/peers.ts";
import { HOST } from "./support/runtimes.ts";

cleanUpNames();

interface Dump {
  readonly target: string;
  readonly layout: { readonly name: string; readonly [more: string]: unknown };
  readonly value: unknown;
}

/** The cells of the lines, behind the heading. */
function table(text: string): string[][] {
  return text.trimEnd().split("\n").slice(1).map((line) => line.trim().split(/ {2,}/));
}

function samplePlayer(): string {
  const name = uniqueName();
  createPlayer(name);
  return name;
}

describe("shm dump of an object with a layout", () => {
  test("shows each field: its offset, path, type and value", () => {
    const name = samplePlayer();
    const text = shmOk(["dump", name]);
    const [heading] = text.split("\n") as [string];
    expect(heading).toMatch(
      new RegExp(
        `^Player, ${Player.size} bytes, fingerprint ${Player.fingerprint}, lifetime persist, ` +
          `created \\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d [+-]\\d{4} by process ${process.pid}$`,
      ),
    );
    const at = (path: string) => String(Player.offsetOf(path));
    const points = Array.from({ length: 8 }, (_, index) => [
      [at(`path[${index}].x`), `path[${index}].x`, "f32", "0"],
      [at(`path[${index}].y`), `path[${index}].y`, "f32", "0"],
    ]).flat();
    expect(table(text)).toEqual([
      [at("id"), "id", "u32", "7"],
      [at("position"), "position", "f64[3]", "1.5 -0 NaN"],
      [at("name"), "name", "cstring(32)", '"a\\"d\\\\a\\n\\u202e"'],
      [at("team"), "team", "enumeration(u8)", "blue"],
      [at("flags"), "flags.alive", "u16:1", "true"],
      [at("flags"), "flags.level", "u16:3", "5"],
      [at("hits"), "hits", "atomic(u32)", "3"],
      [at("home.x"), "home.x", "f32", "0.1"],
      [at("home.y"), "home.y", "f32", "1e-45"],
      ...points,
      [at("path[8]"), "path[8]", "Point", "... and 2 more"],
      [at("score"), "score", "i64", "-9223372036854775808"],
      [at("any"), "any.whole", "u32", "0"],
      [at("any"), "any.real", "f32", "0"],
      [at("key"), "key", "bytes(5)", "00 01 fe ff 10"],
      [at("own"), "own", "atomic(u64)", "18446744073709551615"],
      [at("halves[0]"), "halves[0]", "f16[2]", "0.1 -Infinity"],
      [at("halves[1]"), "halves[1]", "f16[2]", "65500 6e-8"],
      [at("names[0]"), "names[0]", "cstring(4)", '"ab"'],
      [at("names[1]"), "names[1]", "cstring(4)", '"é"'],
      [at("teams"), "teams", "enumeration(i8)[2]", "none left"],
      [at("ok"), "ok", "bool", "true"],
    ]);
  });

  test("shows the rest of what is long with --all", () => {
    const name = uniqueName();
    const Long = t.struct("Long", {
      few: t.array(t.u16, 8),
      many: t.array(t.u16, 20),
      raw: t.bytes(40),
      text: t.cstring(300),
      rows: t.array(t.struct("Row", { a: t.u8 }), 9),
    });
    const many = Array.from({ length: 20 }, (_, index) => index);
    const text = "0123456789".repeat(25);
    SharedObject.create(name, Long, { many, text }).close();
    const values = (...args: string[]) =>
      table(shmOk(["dump", name, ...args])).map(([, path, , value]) => `${path} ${value}`);
    expect(values()).toEqual([
      "few 0 0 0 0 0 0 0 0",
      "many 0 1 2 3 4 5 6 7 ... and 12 more",
      `raw ${"00 ".repeat(32)}... and 8 more`,
      `text "${text.slice(0, 200)}" ... and 50 more`,
      ...many.slice(0, 8).map((index) => `rows[${index}].a 0`),
      "rows[8] ... and 1 more",
    ]);
    expect(values("--all")).toEqual([
      "few 0 0 0 0 0 0 0 0",
      "many[0] 0 1 2 3 4 5 6 7",
      "many[8] 8 9 10 11 12 13 14 15",
      "many[16] 16 17 18 19",
      `raw[0] ${"00 ".repeat(32).trim()}`,
      `raw[32] ${"00 ".repeat(8).trim()}`,
      `text "${text}"`,
      ...many.slice(0, 9).map((index) => `rows[${index}].a 0`),
    ]);
  });

  test("shows what no name has, and what is no text, as it is", () => {
    const name = samplePlayer();
    overwrite(name, Player.offsetOf("team"), [9]);
    overwrite(name, Player.offsetOf("teams"), [0xfe, 0]);
    overwrite(name, Player.offsetOf("name"), [0x1b, 0xff, 0x41, 0, 0x42]);
    overwrite(name, Player.offsetOf("names"), [0x61, 0x62, 0x63, 0x64]);
    const value = (path: string) =>
      table(shmOk(["dump", name])).find((row) => row[1] === path)?.[3];
    expect(value("team")).toBe("9 (no name)");
    expect(value("teams")).toBe("-2 (no name) left");
    expect(value("name")).toBe('"\\x1b\\xffA"');
    expect(value("names[0]")).toBe('"abcd"');
    const dump = shmOk(["dump", name, "--json"]);
    expect(dump).not.toContain("\x1b");
    expect((JSON.parse(dump) as Dump).value).toMatchObject({
      team: 9,
      teams: [-2, "left"],
      name: "\x1b\ufffdA",
    });
  });

  test("is the value as JSON, exactly, with --json", () => {
    const name = samplePlayer();
    const { target, layout, value } = shmJson<Dump>(["dump", name]);
    expect(target).toBe(name);
    expect(layout).toMatchObject({
      name: "Player",
      size: Player.size,
      fingerprint: Player.fingerprint,
      lifetime: "persist",
      participants: 64,
      creatorPid: process.pid,
    });
    const { path, ...rest } = value as { readonly path: unknown };
    expect(rest).toEqual({
      ...ADA,
      position: [1.5, "-0", "NaN"],
      home: { x: 0.1, y: 1e-45 },
      score: "-9223372036854775808",
      any: { whole: 0, real: 0 },
      key: "0001feff10",
      own: "18446744073709551615",
      halves: [[0.1, "-Infinity"], [65500, 6e-8]],
    });
    expect(path).toEqual(Array(10).fill({ x: 0, y: 0 }));
  });

  test("is one field with --field", () => {
    const name = samplePlayer();
    const paths = (field: string) =>
      table(shmOk(["dump", name, "--field", field])).map((row) => row[1]);
    expect(paths("position")).toEqual(["position"]);
    expect(paths("position[2]")).toEqual(["position[2]"]);
    expect(paths("path[9]")).toEqual(["path[9].x", "path[9].y"]);
    expect(paths("Player.flags")).toEqual(["flags.alive", "flags.level"]);
    expect(shmJson<Dump>(["dump", name, "-f", "flags.level"])).toMatchObject({
      field: "flags.level",
      value: 5,
    });
    expect(shmJson<Dump>(["dump", name, "-f", "key[2]"])).toMatchObject({ value: 254 });
    for (
      const field of ["positon", "id.x", "path[10]", "path.x", ".id", "id[0]", "flags.alive.x"]
    ) {
      const { code, stdout, stderr } = shm(["dump", name, "-f", field]);
      expect({ field, code, stdout }).toEqual({ field, code: 1, stdout: "" });
      expect(stderr).toMatch(/^shm: Player has no field "[^"]+"(; did you mean \w+\?)?\n$/);
    }
    const plain = uniqueName();
    shmOk(["create", plain, "-s", "100"]);
    expect(shm(["dump", plain, "-f", "id"]).stderr).toMatch(/^shm: Cannot read .* no layout\. /);
    expect(shm(["dump", name, "-f", "id", "--raw"]).code).toBe(2);
  });

  test("is bytes with --raw, and with whatever says which bytes", () => {
    const name = samplePlayer();
    const raw = shmOk(["dump", name, "--raw"]);
    expect(raw.split("\n")[0]).toMatch(/^00000000 {2}07 00 00 00 /);
    expect(shmOk(["dump", name, "-n", "16"])).toBe(`${raw.split("\n")[0]}\n00000010\n`);
    for (const option of [["-t", "u8"], ["-c", "4"], ["-s", "0"], ["-n", "4"]]) {
      expect(shmOk(["dump", name, ...option])).toMatch(/^00000000 {2}/);
    }
    expect(shmJson<{ bytes: string }>(["dump", name, "-r"]).bytes).toMatch(/^07000000/);
    expect(table(shmOk(["dump", name])).length).toBeGreaterThan(20);
  });

  test("agrees with the library, of layouts and bytes at random", () => {
    const random = fc.sample(fc.uint8Array({ minLength: 4096, maxLength: 4096 }), {
      numRuns: 40,
      seed: SEED,
    });
    for (const [index, layout] of someLayouts(120).entries()) {
      const bytes = new Uint8Array(layout.size);
      for (let at = 0; at < bytes.length; at++) {
        bytes[at] = random[index % random.length]?.[at % 4096] as number;
      }
      const reader = { at: (at: number, length: number) => bytes.subarray(at, at + length) };
      const place = { path: "", byteOffset: 0, field: layout };
      const json = JSON.parse([...jsonOf(place, reader)].join(""));
      expect(Object.keys(json)).toEqual(Object.keys(layout.fields));
      for (const all of [false, true]) {
        const rows = [...rowsOf(place, { all })];
        expect(rows.length).toBe(countRows(place, { all }));
        for (const row of rows) {
          const texts = valuesOf(row, reader).map(({ text }) => text);
          expect(texts.length).toBe(row.count);
          // deno-lint-ignore no-control-regex
          expect(texts.join()).not.toMatch(/[\x00-\x1f\x7f-\x9f]/);
          const path = row.path.replace(/\[\d+\]$/, "");
          if (row.bit === undefined && row.field.kind !== "bytes" && row.first === 0) {
            expect(layout.offsetOf(row.path)).toBe(row.byteOffset);
          } else {expect(layout.offsetOf(row.bit ? path.replace(/\.\w+$/, "") : path))
              .toBeGreaterThan(-1);}
        }
        for (const skip of [1, Math.floor(rows.length / 2), rows.length - 1, rows.length]) {
          const rest = [...rowsOf(place, { all, skip })].map(({ path }) => path);
          expect(rest).toEqual(rows.slice(skip).map(({ path }) => path));
        }
      }
      const written = writable(layout, bytes);
      if (written === undefined) continue;
      expect(disagreement(json, written, layout.name)).toBe(undefined);
    }
  });

  /** The value as the library has it; undefined where it has none, for a number without a name. */
  function writable(layout: Struct<Fields>, bytes: Uint8Array<ArrayBuffer>) {
    try {
      return layout.read(bytes) as unknown;
    } catch {
      return undefined;
    }
  }

  /** Where JSON says something else than the library; of unions, that leaves members out. */
  function disagreement(json: unknown, value: unknown, path: string): string | undefined {
    if (value instanceof Uint8Array) {
      const hex = [...value].map((byte) => byte.toString(16).padStart(2, "0")).join("");
      return json === hex ? undefined : path;
    }
    if (typeof value === "object" && value !== null) {
      if (Array.isArray(value) && (json as unknown[]).length !== value.length) return path;
      return Object.entries(value).map(([name, each]) =>
        disagreement((json as Record<string, unknown>)[name], each, `${path}.${name}`)
      ).find((each) => each !== undefined);
    }
    if (typeof value !== "number" || !Number.isFinite(value) || Object.is(value, -0)) {
      const text = Object.is(value, -0) ? "-0" : String(value);
      return (typeof json === "boolean" ? String(json) : json) === text ? undefined : path;
    }
    // Half and single precision have the digits that tell them from their neighbours.
    const isNear = Math.abs(json as number - value) <= Math.abs(value) / 2048 + 2 ** -25;
    const isSame = json === value || Math.fround(json as number) === value;
    return isSame || isNear && Number.isInteger(value * 2 ** 24) ? undefined : path;
  }
});

describe("an object that is damaged, or made by an enemy,", () => {
  /** What is said of it, and that its bytes follow. */
  function expectBytes(name: string, errorCode: string = "ERR_SHM_CORRUPT"): string {
    const { code, stdout, stderr } = shm(["dump", name, "--all"]);
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringMatching(/^shm: [^\n]+\n$/) });
    expect(stdout).toMatch(/^00000000 {2}[0-9a-f]{2} /);
    const json = shm(["dump", name, "--json"]);
    expect(json.code).toBe(1);
    expect(JSON.parse(json.stdout)).toMatchObject({ type: "hex", offset: 0 });
    expect(JSON.parse(json.stderr).error.code).toBe(errorCode);
    expect(shmOk(["dump", name, "--raw", "--all"])).toBe(stdout);
    return stderr;
  }

  test("is shown as bytes, with an error that says why", () => {
    const parts: [at: number, bytes: number[], why: string][] = [
      [-56, [2, 0], "version 2"],
      [-54, [0xff], "checksum|kind"],
      [-52, [9], "sizes"],
      [-50, [0, 0], "sizes"],
      [-48, [255, 255, 255, 255, 255, 255, 255, 255], "sizes"],
      [-24, [1], "checksum"],
      [-8, [1, 2, 3, 4], "checksum"],
      [-4, [1, 2, 3, 4], "checksum"],
      [-90, [0x1b], "checksum"],
    ];
    for (const [at, bytes, why] of parts) {
      const name = samplePlayer();
      overwrite(name, at, bytes);
      const code = at === -56 ? "ERR_SHM_UNSUPPORTED" : "ERR_SHM_CORRUPT";
      expect(expectBytes(name, code)).toMatch(new RegExp(why));
      // A list looks at the sizes only, and passes over what is of another kind.
      if (at !== -54) expect(shmOk(["ls", name])).toMatch(/ layout (Player|unreadable)\n$/);
      expect(shm(["layout", name]).code).toBe(1); // 3 is for runtimes that cannot do anything
      expect(shmOk(["stat", name])).toMatch(/^layout +unreadable: Cannot read segment /m);
    }
  });

  test("is what it was when nobody can tell that it was an object", () => {
    const name = samplePlayer();
    overwrite(name, -64, [0]);
    expect(shmOk(["dump", name])).toMatch(/^00000000 {2}07 /);
    truncateSync(`/dev/shm/${name}`, 40);
    expect(shmOk(["dump", name])).toMatch(/^00000000 {2}07 /);
    expect(shmOk(["ls", name])).not.toContain("layout");
  });

  test("cannot have a layout that is none", () => {
    const struct = (name: string, fields: unknown[], size = 4) =>
      JSON.stringify({ kind: "struct", name, size, alignment: 4, fields });
    const field = { name: "a", offset: 0, type: "u32" };
    const deep = (depth: number): unknown =>
      depth === 0 ? "u32" : { kind: "array", element: deep(depth - 1), length: 1 };
    const schemas = [
      "",
      "null",
      "[".repeat(100_000),
      "\x1b[2J",
      struct("S\x1b[2J", [field]),
      struct("S", [{ ...field, name: "a\x1b]0;x\x07" }]),
      struct("S", [{ ...field, name: "__proto__" }]),
      struct("S", [{ ...field, name: "constructor" }]),
      struct("S", [{ ...field, offset: 2 ** 31 }]),
      struct("S", [{ ...field, type: "u128" }]),
      struct("S", [{ ...field, type: deep(40) }]),
      struct("S", [{ ...field, type: { kind: "array", element: "u8", length: 2 ** 31 } }]),
      struct("S", [field, field]),
      struct("S", []),
      struct("S", [field], 8),
    ];
    for (const schema of schemas) {
      const name = uniqueName();
      createWithSchema(name, schema, 4);
      const stderr = expectBytes(name);
      // deno-lint-ignore no-control-regex
      expect(stderr).not.toMatch(/[\x00-\x09\x0b-\x1f]/);
      // deno-lint-ignore no-control-regex
      expect(shmOk(["ls", name])).not.toMatch(/[\x00-\x09\x0b-\x1f]/);
    }
  });

  test("may be larger than what is read of it", () => {
    // A hundred million structs, of which the machine has no memory.
    const Element = t.struct("Element", { a: t.u8, b: t.array(t.u8, 3) });
    const Huge = t.struct("Huge", {
      rows: t.array(t.array(Element, 2 ** 12), 2 ** 15),
      text: t.cstring(2 ** 28),
      last: t.u32,
    });
    const name = uniqueName();
    const { fingerprint } = Huge;
    createWithSchema(name, JSON.stringify(Huge.describe()), Huge.size, { fingerprint });
    const rows = table(shmOk(["dump", name]));
    expect(rows.length).toBe(8 * 17 + 1 + 2);
    expect(rows.at(-1)).toEqual([String(Huge.offsetOf("last")), "last", "u32", "0"]);
    expect(rows.at(-3)?.slice(1)).toEqual(["rows[8]", "Element[4096]", "... and 32760 more"]);
    expect(shmJson<Dump>(["dump", name, "-f", "rows[32767][4095].b"]).value).toEqual([0, 0, 0]);
    expect(shmOk(["ls", name])).toContain("layout Huge\n");
    expect(shmOk(["stat", name])).toMatch(/^layout +Huge, /m);
    expect(shmJson(["stat", name])).toMatchObject([{ residentBytes: 4096 }]);
  });

  test("may have been made at a moment that no calendar has", () => {
    const One = t.struct("One", { a: t.u32 });
    const name = uniqueName();
    createWithSchema(name, JSON.stringify(One.describe()), 4, {
      fingerprint: One.fingerprint,
      creationTimeMs: 2 ** 63,
    });
    expect(shmOk(["dump", name])).toContain("created at no time that there is by process 1\n");
  });

  test("is bytes when it is something else of this library", () => {
    const name = uniqueName();
    createWithSchema(name, "whatever", 4, { kind: 77 });
    expect(shmOk(["dump", name])).toMatch(/^00000000 /);
    expect(shmOk(["ls", name])).not.toContain("layout");
  });
});

describe("an object with a layout in shm", () => {
  test("ls shows the name of the layout, as in JSON", () => {
    const [name, plain] = [samplePlayer(), uniqueName()];
    shmOk(["create", plain, "-s", "5000"]);
    expect(shmOk(["ls", name])).toMatch(new RegExp(`^posix .* ${name}  layout Player$`, "m"));
    expect(shmOk(["ls", plain])).toMatch(new RegExp(` ${plain}$`, "m"));
    const [record, other] = shmJson<[{ layout: unknown }, { layout: unknown }]>([
      "ls",
      name,
      plain,
    ]);
    const { size } = shmJson<[{ size: number }]>(["stat", name])[0];
    expect(record.layout).toEqual({
      kind: "object",
      name: "Player",
      size: Player.size,
      fingerprint: Player.fingerprint,
      lifetime: "persist",
      participants: 64,
      creatorPid: process.pid,
      createdMs: expect.any(Number),
      bookkeeping: size - Player.size,
    });
    expect(other.layout).toBe(null);
  });

  test("stat shows what it says of itself", () => {
    const name = uniqueName();
    using object = SharedObject.create(name, Player, ADA, {
      lifetime: "lastDetach",
      participants: 3,
    });
    const facts = Object.fromEntries(
      shmOk(["stat", name]).trimEnd().split("\n").map((line) => line.split(/ {2,}/)),
    );
    const { size } = object.stat();
    expect(facts).toMatchObject({
      layout: `Player, fingerprint ${Player.fingerprint}`,
      value: `${Player.size} (${Player.size} B)`,
      bookkeeping: expect.stringContaining(`${size - Player.size} (`),
      lifetime: "lastDetach (somebody is attached)",
      participants: "up to 3",
      creator: expect.stringMatching(new RegExp(`^\\d{4}-.* by process ${process.pid}$`)),
    });
    const plain = uniqueName();
    shmOk(["create", plain, "-s", "5000"]);
    expect(shmOk(["stat", plain])).not.toMatch(/^(layout|lifetime|creator)/m);
  });

  test("ls, stat and dump tell what synchronises by its kind", () => {
    const Words = t.struct("Words", { words: t.array(t.u32, 4) });
    for (const [kind, noun] of [["rwlock", "read-write lock"], ["semaphore", "semaphore"]]) {
      const name = uniqueName();
      createOfKind(name, kind as ObjectKind, Words).close();
      expect(shmOk(["ls", name])).toMatch(new RegExp(`^posix .* ${name}  ${noun}$`, "m"));
      const [{ layout }] = shmJson<[{ layout: unknown }]>(["ls", name]);
      expect(layout).toMatchObject({ kind, name: "Words", size: 16 });
      expect(shmOk(["stat", name])).toMatch(new RegExp(`^object +${noun}\nlayout +Words, `, "m"));
      expect(shmOk(["dump", name])).toMatch(
        new RegExp(`^${noun} Words, 16 bytes, .*\n *0  words  u32\\[4\\]  0 0 0 0\n$`),
      );
      expect(shmJson<Dump>(["dump", name])).toMatchObject({
        layout: { kind },
        value: { words: [0, 0, 0, 0] },
      });
      expect(shmOk(["layout", name])).toContain("Words, 16 bytes");
      shmOk(["rm", name]);
    }
  });

  test("write changes the value, and what lies behind with --raw only", () => {
    const name = samplePlayer();
    const { size } = shmJson<[{ size: number }]>(["stat", name])[0];
    const before = shmOk(["dump", name, "--raw"]);
    const beyond: [offset: number, input: string][] = [
      [Player.size - 1, "xx"],
      [Player.size, "x"],
      [size - 1, "x"],
      [size, "x"],
      [0, "x".repeat(Player.size + 1)],
    ];
    for (const [offset, input] of beyond) {
      for (const text of [["--text", input], []]) {
        const { code, stderr } = shm(["write", name, "-s", String(offset), ...text], { input });
        expect(code).toBe(1);
        expect(stderr).toMatch(
          new RegExp(`^shm: Cannot write .* its value ends at ${Player.size}, and .*--raw .*\n$`),
        );
      }
    }
    expect(shmOk(["dump", name, "--raw"])).toBe(before);
    shmOk(["write", name, "--hex", "2a000000"]);
    expect(shmJson<Dump>(["dump", name, "-f", "id"]).value).toBe(42);
    shmOk(["write", name, "-s", String(size - 4), "--hex", "00000000", "--raw"]);
    const { code, stderr } = shm(["write", name, "--text", "x"]);
    expect(code).toBe(1);
    expect(stderr).toContain("its checksum is wrong");
    shmOk(["write", name, "--text", "x", "--raw"]);
    expect(shmOk(["cat", name]).length).toBeGreaterThan(Player.size);
    shmOk(["rm", name]);
  });
});

describe("shm gc of objects that go with the last", () => {
  interface Verdict {
    readonly target: string;
    readonly verdict: string;
    readonly reason: string | null;
  }
  const REASON = "the last who was attached to it has died";
  const gc = (name: string, ...args: string[]) =>
    shmJson<Verdict[]>(["gc", ...args]).filter(({ target }) => target === name);

  /** What stays when the only process that was attached is killed. */
  async function leave(lifetime: string = "lastDetach"): Promise<string> {
    const name = uniqueName();
    await using peer = startPeer(HOST, "hold_counter.ts", [name, lifetime]);
    const pid = Number(await peer.line());
    expect(gc(name, "--min-age", "0")).toEqual([]);
    process.kill(pid, "SIGKILL");
    await peer.exit();
    expect(SharedSegment.exists(name)).toBe(true);
    return name;
  }

  test("finds them without a pattern when all who were attached are dead", async () => {
    const name = await leave();
    expect(gc(name, "--min-age", "0")).toMatchObject([{ verdict: "would remove", reason: REASON }]);
    const [young] = gc(name, "--force");
    expect(young?.verdict).toBe("kept");
    expect(young?.reason).toMatch(/^it is \d+s old only$/);
    expect(SharedSegment.exists(name)).toBe(true);
    expect(gc(name, name, "--min-age", "0", "--force")).toMatchObject([
      { verdict: "removed", reason: REASON },
    ]);
    expect(SharedSegment.exists(name)).toBe(false);
  });

  // Without a pattern it may find those of other tests; so it gets a directory of its own.
  testWith([MOUNT_NAMESPACE], "removes them without a pattern, and nothing else", () => {
    const peer = new URL("./peers/hold_counter.ts", import.meta.url).pathname;
    const script = `
      mount -t tmpfs tmpfs /dev/shm
      for lifetime in lastDetach persist creator; do
        mkfifo /dev/shm/in
        ${HOST.command.join(" ")} ${peer} $lifetime $lifetime < /dev/shm/in > /dev/shm/out &
        exec 3> /dev/shm/in
        until grep -q '[0-9]' /dev/shm/out; do sleep 0.05; done
        kill -KILL $(cat /dev/shm/out)
        wait $!
        exec 3>&-
        rm /dev/shm/in /dev/shm/out
      done 2> /dev/null
      "$@" gc --min-age 0 --force 2>&1
      ls /dev/shm`;
    const { code, stdout } = shm([], {
      command: ["unshare", "--mount", "bash", "-c", script, "bash", ...SHM],
    });
    expect(code).toBe(0);
    const lines = stdout.trim().split("\n").map((line) => line.trim().split(/ {2,}/));
    expect(lines.slice(1)).toEqual([
      ["removed", expect.any(String), expect.any(String), "lastDetach", REASON],
      [expect.stringMatching(/^shm: not named, and therefore left alone: 2 orphans of /)],
      ["creator"],
      ["persist"],
    ]);
  });

  testWith([OTHER_USERS], "leaves those of others to them", async () => {
    const name = await leave();
    chownSync(`/dev/shm/${name}`, 65534, 65534);
    expect(gc(name, "--min-age", "0")).toEqual([]);
    expect(gc(name, name, "--min-age", "0", "--force")).toMatchObject([
      { verdict: "kept", reason: expect.stringMatching(/^it belongs to /) },
    ]);
  });

  test("keeps those that somebody is attached to, and those that stay", async () => {
    const name = uniqueName();
    using _object = SharedObject.create(name, Player, ADA, { lifetime: "lastDetach" });
    expect(gc(name, "--min-age", "0")).toEqual([]);
    expect(gc(name, name, "--min-age", "0", "--force")).toMatchObject([{ verdict: "kept" }]);
    for (const lifetime of ["persist", "creator"]) {
      const other = await leave(lifetime);
      expect(gc(other, "--min-age", "0")).toEqual([]);
    }
    const abandoned = await leave();
    overwrite(abandoned, -4, [1, 2, 3, 4]);
    expect(gc(abandoned, "--min-age", "0")).toEqual([]); // it does not say any more what it is
  });
});
