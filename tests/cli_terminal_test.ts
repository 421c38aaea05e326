/**
 * The `shm` command on a terminal: what it draws, what keys do, and that it leaves the terminal as it
 * has found it.
 */

import { describe, expect } from "bun:test";
import { SharedSegment } from "../mod.ts";
import { PYTHON, testWith } from "./support/capabilities.ts";
import { onTerminal, type Session, SHM, shmOk, type Step } from "./support/cli.ts";
import { cleanUpNames, uniqueName } from "./support/names.ts";
import { HOST } from "./support/runtimes.ts";

cleanUpNames();

const ENTER = "\x1b[?1049h\x1b[?25l";
const LEAVE = "\x1b[?25h\x1b[?1049l";

/** What stood on the screen when it was drawn for the last time, without styles. */
function lastScreen({ output }: Session): string[] {
  const drawn = output.slice(0, output.lastIndexOf("\x1b[?7h")).split("\x1b[H").at(-1) as string;
  // deno-lint-ignore no-control-regex
  return drawn.replace(/\x1b\[[0-9;?]*[A-Za-z]/g, "").split(/\r+\n/);
}

function expectClean(session: Session, code: number): void {
  const { missing, restored, output } = session;
  expect({ missing, code: session.code, restored }).toEqual({
    missing: null,
    code,
    restored: true,
  });
  expect(output.startsWith(ENTER)).toBe(true);
  // Nothing comes behind what restores the screen and the cursor.
  expect(output.endsWith(LEAVE)).toBe(true);
  expect(output.split(ENTER).length).toBe(2);
}

/** The ways to end what fills the screen. */
const ENDINGS: readonly (readonly [title: string, steps: readonly Step[], code: number])[] = [
  ["q", [["send", "q"]], 0],
  ["Ctrl-C", [["send", "\x03"]], 130],
  ["SIGINT", [["signal", "SIGINT"]], 130],
  ["SIGTERM", [["signal", "SIGTERM"]], 143],
  ["SIGHUP", [["signal", "SIGHUP"]], 129],
];

function createSample(): string {
  const name = uniqueName();
  shmOk(["create", name, "-s", "4K"]);
  return name;
}

for (const verb of ["top", "watch"]) {
  describe(`shm ${verb} on a terminal`, () => {
    for (const [title, steps, code] of ENDINGS) {
      testWith([PYTHON], `is ended by ${title}, and restores it`, () => {
        const name = createSample();
        const session = onTerminal([verb, name], [["expect", name], ...steps]);
        expectClean(session, code);
      });
    }

    testWith([PYTHON], "ends by itself after so many looks", () => {
      const session = onTerminal([verb, createSample(), "--count", "2", "-i", "50ms"], []);
      expectClean(session, 0);
    });

    testWith([PYTHON], "fits any size, and follows when that changes", () => {
      const name = createSample();
      shmOk(["write", name, "--text", "resized"]);
      const tall = verb === "top" ? name : "00000170";
      const session = onTerminal([verb, name, "-i", "60s"], [
        ["expect", name],
        ["resize", 30, 120],
        ["expect", tall],
        ["expect", "\x1b[J"],
        ["resize", 2, 20],
        ["expect", "\x1b[J"],
        ["send", " "],
        ["expect", "\x1b[J"],
        ["send", "q"],
      ], { rows: 3, columns: 120 });
      expectClean(session, 0);
      const lines = lastScreen(session);
      expect(lines.length).toBe(2);
      for (const line of lines) expect(line.length).toBeLessThanOrEqual(20);
    });
  });
}

describe("shm top on a terminal", () => {
  testWith([PYTHON], "sorts by keys, and the other way round", () => {
    const prefix = uniqueName();
    const names = ["a", "b", "c"].map((each) => prefix + each) as [string, string, string];
    for (const [index, name] of names.entries()) {
      shmOk(["create", name, "-s", `${[8, 4, 12][index]}K`]);
    }
    const order = (...keys: string[]) => {
      const steps = keys.flatMap((key): Step[] => [["send", key], ["expect", "\x1b[J"]]);
      const session = onTerminal(["top", `${prefix}*`, "-i", "60s"], [
        ["expect", names[2]],
        ["expect", "\x1b[J"],
        ...steps,
        ["send", "q"],
      ]);
      expectClean(session, 0);
      return lastScreen(session).slice(2).map((line) =>
        names.indexOf(line.split(/ +/).at(-1) as string)
      );
    };
    expect(order("n")).toEqual([0, 1, 2]);
    expect(order("s")).toEqual([2, 0, 1]);
    expect(order("s", "R")).toEqual([1, 0, 2]);
    expect(order("n", "R")).toEqual([2, 1, 0]);
  });

  testWith([PYTHON], "shows what comes, goes and changes", () => {
    const name = uniqueName();
    const pattern = `${name}*`;
    using _segment = SharedSegment.create(name, { size: 4096 });
    const session = onTerminal(["top", pattern, "-i", "100ms", "--bytes"], [
      ["expect", "1 object"],
      ["run", `rm /dev/shm/${name}`],
      ["expect", "0 objects"],
      ["send", "q"],
    ]);
    expectClean(session, 0);
  });
});

describe("shm watch on a terminal", () => {
  testWith([PYTHON], "marks the bytes that change", () => {
    const name = createSample();
    const session = onTerminal(["watch", name, "-i", "200ms"], [
      ["expect", "00000000"],
      ["expect", "\x1b[J"],
      ["run", `printf '\\001Z' | dd of=/dev/shm/${name} bs=1 seek=20 conv=notrunc status=none`],
      ["expect", "\x1b[7m01\x1b[27m \x1b[7m5a\x1b[27m"],
      ["expect", "\x1b[7m.\x1b[27m\x1b[7mZ\x1b[27m"],
      ["expect", "0 bytes changed"],
      ["send", "q"],
    ]);
    expectClean(session, 0);
    expect(session.output).toContain("2 bytes changed in 200 ms");
  });

  testWith([PYTHON], "scrolls as far as there are bytes", () => {
    const name = createSample();
    const after = (...keys: string[]) => {
      const steps = keys.flatMap((key): Step[] => [["send", key], ["expect", "\x1b[J"]]);
      const session = onTerminal(["watch", name, "-i", "60s"], [
        ["expect", "00000000"],
        ["expect", "\x1b[J"],
        ...steps,
        ["send", "q"],
      ], { rows: 11 });
      expectClean(session, 0);
      return lastScreen(session)[1]?.slice(0, 8);
    };
    expect(after("\x1b[B")).toBe("00000010");
    expect(after("\x1b[6~", "\x1b[6~", "\x1b[A")).toBe("00000130");
    expect(after("\x1b[F")).toBe("00000f60");
    expect(after("\x1b[F", "\x1b[6~", "\x1b[H")).toBe("00000000");
  });

  testWith([PYTHON], "restores it when the object is removed, and says so", () => {
    const name = createSample();
    const session = onTerminal(["watch", name, "-i", "50ms"], [
      ["expect", "00000000"],
      ["run", `rm /dev/shm/${name}`],
    ]);
    const { code, restored, output } = session;
    expect({ code, restored }).toEqual({ code: 1, restored: true });
    expect(output.split(LEAVE)[1]).toMatch(
      /^shm: Cannot read segment .* it does not exist .*\r\n$/,
    );
  });
});

describe("on a terminal, shm", () => {
  testWith([PYTHON], "uses colours, unless NO_COLOR or TERM=dumb says not to", () => {
    const name = createSample();
    const plain = (env: Record<string, string>) => onTerminal(["ls", name], [], { env }).output;
    expect(plain({})).toContain("\x1b[1mKIND\x1b[22m");
    expect(plain({ NO_COLOR: "1" })).not.toContain("\x1b");
    expect(plain({ TERM: "dumb" })).not.toContain("\x1b");
    expect(plain({ NO_COLOR: "" })).toContain("\x1b[1m");
  });

  testWith([PYTHON], "does not let raw bytes out, unless --force", () => {
    const name = createSample();
    shmOk(["write", name, "--hex", "1b5b324a"]);
    const { code, output } = onTerminal(["cat", name], []);
    expect(code).toBe(2);
    expect(output).not.toContain("\x1b[2J");
    expect(onTerminal(["cat", name, "--force"], []).output).toContain("\x1b[2J");
    expect(onTerminal(["dump", name], []).output).not.toContain("\x1b");
  });

  testWith([PYTHON], "reads what is typed, up to Ctrl-D", () => {
    const name = createSample();
    const { code } = onTerminal(["write", name], [["send", "typed\n\x04"]]);
    expect(code).toBe(0);
    expect(shmOk(["dump", name, "-n", "6"])).toContain("|typed.|");
  });

  const verbs: [verb: string, ...args: string[]][] = [
    ["ls"],
    ["stat", "NAME"],
    ["ps"],
    ["dump", "NAME"],
    ["gc", "NAME"],
    ["doctor"],
    ["top", "--count", "1"],
    ["watch", "NAME", "--count", "1"],
    ["write", "NAME", "--text", "x"],
    ["create", "NAME2", "-s", "1"],
    ["rm", "NAME", "NAME2"],
    ["--version"],
    ["--help"],
  ];
  if (HOST.name === "deno") {
    testWith([PYTHON], "never asks for a permission, of which it has one", () => {
      const name = createSample();
      const command = SHM.filter((arg) => arg !== "--no-prompt" && !arg.startsWith("--v8-flags"));
      for (const verb of verbs) {
        const args = verb.map((arg) => arg.replace("NAME", name));
        const { code, output } = onTerminal(args, [], { command });
        expect({ verb, code }).toEqual({ verb, code: 0 });
        expect(output).not.toContain("requests");
      }
    });
  }
});
