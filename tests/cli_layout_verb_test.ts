/**
 * `shm layout`: the layouts of objects and of modules, for other languages, and compared.
 */

import { describe, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { difference, fromDescription } from "../layout/mod.ts";
import { SharedObject, t } from "../mod.ts";
import { compile, temporaryDirectory } from "./support/c.ts";
import { createPlayer, Player } from "./support/carried.ts";
import { C_COMPILER, PYTHON, testWith } from "./support/capabilities.ts";
import { type Run, SHM, shm, shmOk } from "./support/cli.ts";
import { cleanUpNames, uniqueName } from "./support/names.ts";
import { HOST, RUNTIMES } from "./support/runtimes.ts";

cleanUpNames();

const root = fileURLToPath(new URL("../", import.meta.url));
const directory = temporaryDirectory();
const library = JSON.stringify(new URL("../mod.ts", import.meta.url).href);

/** The command with the right to read modules, where a runtime has rights. */
const READING = SHM.flatMap((arg) => arg === "--allow-ffi" ? [arg, "--allow-read"] : [arg]);

/** The command in a directory. */
const inside = (path: string, command: readonly string[] = READING) =>
  ["env", "-C", path, ...command] as const;

const layout = (args: readonly string[], command: readonly string[] = inside(directory)): Run =>
  shm(["layout", ...args], { command });

function writeModule(name: string, text: string): string {
  const path = join(directory, name);
  writeFileSync(path, `import { t } from ${library};\n${text}\n`);
  return path;
}

const POINT = 'export const Point = t.struct("Point", { x: t.f32, y: t.f32 });';
writeModule(
  "one.ts",
  'const size: number = 3; export default t.struct("One", { a: t.u8, b: t.array(t.u32, size) });',
);
writeModule(
  "two.ts",
  `${POINT} export const Line = t.struct("Line", { from: Point, to: Point });
   export default Line; export const more = { kind: "struct" };`,
);
writeModule("none.mjs", "export const a = t.u32; export const b = null; export default 3;");
const One = t.struct("One", { a: t.u8, b: t.array(t.u32, 3) });

describe("shm layout of an object", () => {
  test("is a table with offsets, sizes and holes", () => {
    const name = uniqueName();
    const Inner = t.struct("Inner", { level: t.u8, score: t.i64 });
    const Sample = t.struct("Sample", {
      id: t.u8,
      items: t.array(Inner, 2),
      team: t.enumeration(t.i16, { none: -1, red: 0 }),
      flags: t.bits(t.u8, { alive: 1, level: 3 }),
      either: t.union({ number: t.u32, inner: Inner }),
      alone: t.cacheLine(t.atomic(t.u32)),
      matrix: t.array(t.array(t.f64, 2), 3),
    });
    SharedObject.create(name, Sample).close();
    const lines = shmOk(["layout", name]).trimEnd().split("\n");
    expect(lines[0]).toBe(
      `Sample, ${Sample.size} bytes, aligned to 128, fingerprint ${Sample.fingerprint}`,
    );
    expect(lines.slice(1).map((line) => line.trim().split(/ {2,}/))).toEqual([
      ["OFFSET", "SIZE", "TYPE", "FIELD"],
      ["0", "1", "u8", "id"],
      ["1", "7", "(padding)"],
      ["8", "32", "Inner[2]", "items"],
      ["8", "1", "u8", "items[].level"],
      ["9", "7", "(padding)"],
      ["16", "8", "i64", "items[].score"],
      ["40", "2", "enumeration(i16)", "team", "none = -1, red = 0"],
      ["42", "1", "bits(u8)", "flags"],
      ["42", "1", "u8:1", "flags.alive", "bit 0"],
      ["42", "1", "u8:3", "flags.level", "bits 1 to 3"],
      ["43", "5", "(padding)"],
      ["48", "16", "union", "either"],
      ["48", "4", "u32", "either.number"],
      ["48", "16", "Inner", "either.inner"],
      ["48", "1", "u8", "either.inner.level"],
      ["49", "7", "(padding)"],
      ["56", "8", "i64", "either.inner.score"],
      ["64", "64", "(padding)"],
      ["128", "4", "cacheLine(atomic(u32))", "alone"],
      ["132", "124", "(padding)"],
      ["256", "48", "f64[3][2]", "matrix"],
      ["304", "80", "(padding)"],
    ]);
  });

  test("is what the library writes, for each language", () => {
    const name = uniqueName();
    createPlayer(name);
    expect(shmOk(["layout", name, "-l", "c"])).toBe(Player.toC());
    expect(shmOk(["layout", name, "--lang", "rust"])).toBe(Player.toRust());
    expect(shmOk(["layout", name, "-l", "python"])).toBe(Player.toPython());
    for (const args of [["-l", "json"], ["--json"], ["--json", "-l", "json"]]) {
      const again = fromDescription(shmOk(["layout", name, ...args]));
      expect(again.fingerprint).toBe(Player.fingerprint);
    }
    expect(shmOk(["layout", `/${name}`, "-l", "text"])).toBe(shmOk(["layout", name]));
  });

  test("fails for what carries none", () => {
    const name = uniqueName();
    shmOk(["create", name, "-s", "4K"]);
    expect(shm(["layout", name])).toMatchObject({
      code: 1,
      stdout: "",
      stderr: `shm: Cannot read segment "${name}": it carries no layout. ` +
        "Only what SharedObject has made does; shm dump shows the bytes of any other.\n",
    });
    expect(shm(["layout", uniqueName()]).code).toBe(1);
  });
});

describe("shm layout of a module", () => {
  test("imports it by a path from the working directory, or by any other", () => {
    const expected = One.toC();
    mkdirSync(join(directory, "a b#%"));
    symlinkSync(join(directory, "one.ts"), join(directory, "a b#%", "linked.ts"));
    for (
      const path of ["one.ts", "./one.ts", join(directory, "one.ts"), "a b#%/../one.ts"].concat(
        `file://${directory}/one.ts`,
      )
    ) {
      expect(layout([path, "-l", "c"])).toMatchObject({ code: 0, stderr: "", stdout: expected });
    }
    expect(layout(["./linked.ts"], inside(join(directory, "a b#%")))).toMatchObject({ code: 0 });
  });

  test("has JavaScript as well as TypeScript", () => {
    writeModule("plain.mjs", POINT);
    writeModule("typed.mts", `type A = number; ${POINT}`);
    for (const path of ["plain.mjs", "typed.mts"]) {
      expect(layout([path]).stdout).toMatch(/^Point, 8 bytes, /);
    }
  });

  test("tells it from an object by slashes and endings", () => {
    const name = `${uniqueName()}.ts`;
    SharedObject.create(name, One).close();
    expect(shmOk(["layout", `/${name}`])).toMatch(/^One, 16 bytes/);
    expect(layout([name]).stderr).toBe(`shm: Cannot import "${name}": there is no such file\n`);
    expect(layout(["a/b"]).stderr).toBe('shm: Cannot import "a/b": there is no such file\n');
  });

  test("prints all that it exports where that makes sense, and one with --export", () => {
    const Point = t.struct("Point", { x: t.f32, y: t.f32 });
    const Line = t.struct("Line", { from: Point, to: Point });
    expect(layout(["two.ts"]).stdout).toMatch(/^Line, 16 bytes[^]*\n\nPoint, 8 bytes/);
    expect(layout(["two.ts", "-l", "c"]).stdout).toBe(`${Line.toC()}\n${Point.toC()}`);
    for (const lang of ["rust", "python", "json"]) {
      expect(layout(["two.ts", "-l", lang])).toMatchObject({
        code: 2,
        stdout: "",
        stderr: 'shm layout: "two.ts" exports several layouts; choose one by --export: ' +
          "Line, Point. See shm layout --help\n",
      });
    }
    expect(layout(["two.ts", "-l", "rust", "-e", "Line"]).stdout).toBe(Line.toRust());
    expect(layout(["two.ts", "-l", "python", "-e", "default"]).stdout).toBe(Line.toPython());
    const wrong = layout(["two.ts", "-e", "more"]);
    expect(wrong).toMatchObject({ code: 2, stdout: "" });
    expect(wrong.stderr).toContain('exports no layout "more", but Line, Point.');
  });

  testWith([C_COMPILER, PYTHON], "gives what compilers and interpreters take", () => {
    const header = join(directory, "two.h");
    writeFileSync(header, layout(["two.ts", "-l", "c"]).stdout);
    compile("cc", ["-fsyntax-only", "-x", "c", "-include", header, "-"], "int main(void) {}\n");
    const python = layout(["two.ts", "-l", "python", "-e", "Line"]).stdout;
    expect(spawnSync("python3", ["-"], { input: python }).status).toBe(0);
  });

  test("says in a line what is wrong with it", () => {
    writeModule("throws.ts", 'throw new Error("not today\\n\\u001b[2J");');
    writeModule("broken.ts", "const = ;");
    const cases: [file: string, message: RegExp][] = [
      [
        "none.mjs",
        /^shm: "none\.mjs" exports no layout: it has to export what t\.struct\(\) gives$/,
      ],
      ["throws.ts", /^shm: Cannot import "throws\.ts": not today \\x1b\[2J$/],
      ["broken.ts", /^shm: Cannot import "broken\.ts": .+$/],
      ["missing.ts", /^shm: Cannot import "missing\.ts": there is no such file$/],
    ];
    for (const [file, message] of cases) {
      const { code, stdout, stderr } = layout([file]);
      expect({ file, code, stdout }).toEqual({ file, code: 1, stdout: "" });
      expect(stderr.slice(0, -1)).toMatch(message);
      expect(JSON.parse(layout([file, "--json"]).stderr).error.message).toBeDefined();
    }
  });

  test("ends when it has printed, whatever the module has begun", () => {
    writeModule("endless.ts", `${POINT} setInterval(() => {}, 1000);`);
    expect(layout(["endless.ts"])).toMatchObject({ code: 0, stderr: "" });
    writeModule("endless_none.ts", "setInterval(() => {}, 1000);");
    expect(layout(["endless_none.ts"])).toMatchObject({ code: 1 });
  });

  test("is of whatever copy of the library", () => {
    const copy = join(directory, "copy");
    mkdirSync(copy);
    spawnSync("cp", ["-r", ...["layout", "mod.ts"].map((each) => join(root, each)), copy]);
    writeFileSync(
      join(directory, "other_copy.ts"),
      'import { struct, u32, u8, array } from "./copy/layout/mod.ts";\n' +
        'export const One = struct("One", { a: u8, b: array(u32, 3) });\n',
    );
    expect(layout(["other_copy.ts", "-l", "c"])).toMatchObject({ code: 0, stdout: One.toC() });
    expect(layout(["other_copy.ts"]).stdout).toBe(layout(["one.ts"]).stdout);
    expect(layout(["other_copy.ts", "--diff", "one.ts"])).toMatchObject({ code: 0, stdout: "" });
  });

  if (HOST.name === "deno") {
    test("needs the right to read it, and says so", () => {
      const { code, stdout, stderr } = layout(["one.ts"], inside(directory, SHM));
      expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
      expect(stderr).toMatch(/^shm: Cannot import "one\.ts": .*one\.ts".* --allow-read\b[^\n]*\n$/);
    });
  }

  // What is tested is child processes of certain runtimes: one host is enough.
  if (HOST.name === "node") {
    for (const name of ["bun", "deno"] as const) {
      test(`is imported by the ${name} that a Node without native calls finds`, () => {
        const bin = join(directory, `path-${name}`);
        mkdirSync(bin);
        symlinkSync(join(root, "node_modules", ".bin", name), join(bin, name));
        symlinkSync("/usr/bin/env", join(bin, "env"));
        const [node] = RUNTIMES.find((each) => each.name === "node")?.command as [string];
        const command = [node, "--no-experimental-ffi", SHM.at(-1) as string];
        const run = shm(["layout", "two.ts", "-e", "Point", "-l", "c"], {
          command: inside(directory, command),
          env: {
            PATH: [bin, "/usr/bin", "/bin"].join(delimiter),
            npm_config_user_agent: "",
            npm_execpath: "",
          },
        });
        expect(run).toMatchObject({ code: 0, stderr: "" });
        expect(run.stdout).toMatch(/^\/\* Point, layout /);
      });
    }
  }
});

describe("shm layout --diff", () => {
  const Old = t.struct("One", { a: t.u8, b: t.array(t.u32, 3), c: t.u8 });

  test("is silent about equal ones, and tells what differs", () => {
    const [same, old] = [uniqueName(), uniqueName()];
    SharedObject.create(same, One).close();
    SharedObject.create(old, Old).close();
    const silent = { code: 0, stdout: "", stderr: "" };
    expect(layout([same, "--diff", "./one.ts"])).toMatchObject(silent);
    expect(layout(["./one.ts", "-d", same])).toMatchObject(silent);
    expect(layout([same, "--diff", same])).toMatchObject(silent);
    expect(layout([old, "--diff", "./one.ts"])).toMatchObject({
      code: 1,
      stdout: difference(Old, One).map((line) => `${line}\n`).join(""),
      stderr: "",
    });
    expect(layout(["./one.ts", "--diff", old]).stdout).toContain("One.c: not here, u8 at 16 there");
    const { code, stdout } = layout([old, "--diff", "one.ts", "--json"]);
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toEqual({
      here: { name: "One", fingerprint: Old.fingerprint },
      there: { name: "One", fingerprint: One.fingerprint },
      differences: difference(Old, One),
    });
  });

  test("compares with the export of the same name, or the one that is named", () => {
    const name = uniqueName();
    SharedObject.create(name, t.struct("Point", { x: t.f32, y: t.f32 })).close();
    expect(layout([name, "--diff", "two.ts"])).toMatchObject({ code: 0, stdout: "" });
    expect(layout(["two.ts", "--diff", name])).toMatchObject({ code: 0, stdout: "" });
    expect(layout([name, "--diff", "two.ts", "-e", "Line"])).toMatchObject({ code: 1 });
    const other = uniqueName();
    SharedObject.create(other, One).close();
    expect(layout([other, "--diff", "two.ts"])).toMatchObject({ code: 2, stdout: "" });
    expect(layout(["two.ts", "--diff", "two.ts"])).toMatchObject({ code: 2, stdout: "" });
    expect(layout(["two.ts", "--diff", "two.ts", "-e", "Line"])).toMatchObject({ code: 0 });
  });

  test("refuses what makes no sense", () => {
    const cases = [
      [],
      ["a", "b"],
      ["a", "--lang", "cobol"],
      ["a", "--diff", "b", "--lang", "c"],
      ["a", "--json", "--lang", "c"],
      ["a", "--export", "B"],
      ["id:x"],
    ];
    for (const args of cases) {
      const { code, stderr } = layout(args);
      expect({ args, code }).toEqual({ args, code: 2 });
      if (args.includes("--json")) expect(JSON.parse(stderr).error.code).toBe("ERR_SHM_USAGE");
      else expect(stderr).toMatch(/^shm layout: [^\n]+ See shm layout --help\n$/);
    }
  });
});
