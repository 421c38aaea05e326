/**
 * The `shm` command: its help, its errors, its exit codes, and its output.
 */

import { describe, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { SHM, shm, shmJson, shmOk } from "./support/cli.ts";
import { cleanUpNames, uniqueName } from "./support/names.ts";
import { HOST } from "./support/runtimes.ts";
import { readSource } from "./support/source.ts";

cleanUpNames();

const VERBS = [
  "ls",
  "stat",
  "ps",
  "dump",
  "layout",
  "cat",
  "watch",
  "top",
  "create",
  "write",
  "rm",
  "gc",
  "doctor",
];

describe("the help", () => {
  test("lists every verb, and every verb has a file", () => {
    const help = shmOk(["--help"]);
    for (const verb of VERBS) expect(help).toMatch(new RegExp(`^  ${verb} `, "m"));
    const files = readdirSync(new URL("../cli", import.meta.url));
    for (const verb of VERBS) expect(files).toContain(`${verb}.ts`);
    expect(help).toContain("Exit codes:");
  });

  for (const verb of VERBS) {
    test(`of ${verb} has examples and exit codes, and fits a terminal`, () => {
      const help = shmOk([verb, "--help"]);
      expect(help.startsWith(`Usage: shm ${verb}`)).toBe(true);
      expect(help).toMatch(/^Examples:\n {2}\S/m);
      expect(help).toMatch(/^Exit codes:\n {2}0/m);
      for (const line of help.split("\n")) expect(line.length).toBeLessThanOrEqual(100);
    });
  }

  test("is shown whatever else is said, but not for what follows --", () => {
    expect(shmOk(["dump", "--nonsense", "-h"]).startsWith("Usage: shm dump")).toBe(true);
    expect(shmOk(["help", "rm"])).toBe(shmOk(["rm", "--help"]));
    expect(shm(["rm", "--", "--help"]).stderr).toContain('segment "--help"');
  });

  test("tells the version that the packages have", () => {
    const { version } = JSON.parse(readSource("package.json"));
    expect(shmOk(["--version"])).toMatch(new RegExp(`^shm ${version} \\(\\w+ [\\d.]+\\)\n$`));
  });
});

describe("a command line that makes no sense", () => {
  const cases: [title: string, args: string[], message: string][] = [
    ["without a verb", [], "shm: name a verb. See shm --help"],
    [
      "with an unknown verb",
      ["lss"],
      'shm: there is no verb "lss"; did you mean ls? See shm --help',
    ],
    [
      "with an unknown verb unlike any",
      ["frobnicate"],
      'shm: there is no verb "frobnicate". See shm --help',
    ],
    [
      "with an unknown option",
      ["ls", "--jsno"],
      "shm ls: there is no option --jsno; did you mean --json? See shm ls --help",
    ],
    ["with an unknown letter", ["ls", "-Z"], "shm ls: there is no option -Z. See shm ls --help"],
    [
      "with a prototype's member",
      ["ls", "--constructor"],
      "shm ls: there is no option --constructor. See shm ls --help",
    ],
    [
      "without the value of an option",
      ["ls", "--sort"],
      "shm ls: --sort needs a value: --sort COLUMN. See shm ls --help",
    ],
    [
      "with an option in place of a value",
      ["ls", "--sort", "--bytes"],
      "shm ls: --sort needs a value: --sort COLUMN. See shm ls --help",
    ],
    [
      "with a value for a switch",
      ["ls", "--bytes=1"],
      "shm ls: --bytes takes no value. See shm ls --help",
    ],
    ["with an unknown column", ["ls", "--sort", "siz"], ""],
    ["with an unknown kind", ["ls", "--kind", "posix,x"], ""],
    ["with a bad size", ["dump", "a", "--offset", "-1"], ""],
    ["with a bad number type", ["dump", "a", "--type", "f16x"], ""],
    ["without a target", ["dump"], "shm dump: name an object. See shm dump --help"],
    [
      "with two targets for one",
      ["dump", "a", "b"],
      "shm dump: name one object, not 2. See shm dump --help",
    ],
    ["with a bad id", ["rm", "id:x"], ""],
    ["with the key 0", ["rm", "key:0"], ""],
    ["with a bad escape", ["rm", "a\\q"], ""],
    ["with a path", ["rm", "/a/b"], ""],
    [
      "without a size",
      ["create", "a"],
      "shm create: a segment needs a size: --size SIZE. See shm create --help",
    ],
    ["with an id to create", ["create", "id:3", "--size", "1"], ""],
    ["with a bad mode", ["create", "a", "--size", "1", "--mode", "999"], ""],
    ["with --text and --hex", ["write", "a", "--text", "a", "--hex", "00"], ""],
    ["with half a byte", ["write", "a", "--hex", "0"], ""],
    ["with a bad time", ["gc", "--min-age", "soon"], ""],
  ];
  for (const [title, args, message] of cases) {
    test(`${title} is one line and exit code 2`, () => {
      const { code, stdout, stderr } = shm(args);
      expect(stdout).toBe("");
      expect(code).toBe(2);
      if (message !== "") expect(stderr).toBe(`${message}\n`);
      expect(stderr).toMatch(/^shm( \w+)?: [^\n]+ See shm( \w+)? --help\n$/);
    });
  }

  test("is JSON with --json", () => {
    const { code, stderr } = shm(["ls", "--nope", "--json"]);
    expect(code).toBe(2);
    expect(JSON.parse(stderr)).toEqual({
      error: { code: "ERR_SHM_USAGE", message: "there is no option --nope. See shm ls --help" },
    });
  });
});

describe("what the system refuses", () => {
  test("is one line and exit code 1", () => {
    const name = uniqueName();
    const { code, stdout, stderr } = shm(["dump", name]);
    expect({ code, stdout, stderr }).toEqual({
      code: 1,
      stdout: "",
      stderr: `shm: Cannot read segment "${name}": it does not exist (ENOENT from shm_open). ` +
        "shm ls lists what there is.\n",
    });
  });

  test("is JSON with --json", () => {
    const name = uniqueName();
    const { code, stderr } = shm(["stat", name, "--json"]);
    expect(code).toBe(1);
    const { error } = JSON.parse(stderr);
    expect(error).toMatchObject({ code: "ENOENT", errno: -2, path: `/${name}` });
    expect(error.message).toContain("it does not exist");
  });

  test("does not stop the other targets", () => {
    const [first, second] = [uniqueName(), uniqueName()];
    shmOk(["create", first, second, "--size", "1"]);
    const { code, stderr } = shm(["rm", first, uniqueName(), second]);
    expect(code).toBe(1);
    expect(stderr.split("\n").length).toBe(2);
    expect(shmJson<unknown[]>(["ls", first, second])).toEqual([]);
  });
});

describe("output", () => {
  const shell = (script: string) => {
    const { status, stdout, stderr } = spawnSync("bash", ["-c", script, "bash", ...SHM], {
      encoding: "utf8",
      timeout: 30_000,
    });
    return { status, stdout, stderr };
  };

  test("to a pipe is complete and without colours, however long", () => {
    const name = uniqueName();
    shmOk(["create", name, "--size", "3M"]);
    const dump = shmOk(["dump", name, "--all"]);
    expect(dump.length).toBe(3 * 2 ** 16 * 79 + 9);
    expect(dump.endsWith("|\n00300000\n")).toBe(true);
    const late = shell(`"$@" dump ${name} --all | (sleep 1; wc -c)`);
    expect(late.stdout.trim()).toBe(String(dump.length));
    expect(shmOk(["ls"])).not.toContain("\x1b");
  });

  test("ends quietly when its reader has gone", () => {
    const name = uniqueName();
    shmOk(["create", name, "--size", "3M"]);
    const { stdout, stderr } = shell(
      `"$@" dump ${name} --all | head -n 1; echo \${PIPESTATUS[0]}`,
    );
    expect(stdout).toMatch(/^00000000 {2}00[^\n]*\n0\n$/);
    expect(stderr).toBe("");
  });

  test("that fails is an error", () => {
    const { status, stderr } = shell(`"$@" --help > /dev/full`);
    expect(status).toBe(1);
    expect(stderr).toMatch(/^shm: .*ENOSPC|^shm: .*[Nn]o space/);
    expect(stderr.split("\n").length).toBe(2);
  });
});

describe("a runtime", () => {
  test("that may not call native functions is exit code 3, in one line", () => {
    const refused: Record<string, readonly string[] | undefined> = {
      deno: SHM.filter((arg) => arg !== "--allow-ffi"),
      node: [SHM[0], "--permission", "--allow-fs-read=*", SHM.at(-1) as string],
      bun: undefined,
    };
    const command = refused[HOST.name];
    if (command === undefined) return; // Bun has no permissions
    const { code, stdout, stderr } = shm(["ls", "--json"], { command });
    expect({ code, stdout }).toEqual({ code: 3, stdout: "" });
    expect(JSON.parse(stderr).error.code).toBe("ERR_SHM_PERMISSION");
    expect(shm(["ls"], { command }).stderr).toMatch(/^shm: Cannot call native functions: .*\n$/);
  });

  test("says nothing of itself without flags", () => {
    const [program] = SHM;
    const script = SHM.at(-1) as string;
    const flags = HOST.name === "deno" ? ["run", "--allow-ffi", "--quiet"] : [];
    const { code, stderr } = shm(["ls"], { command: [program, ...flags, script] });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  });
});
