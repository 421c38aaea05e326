/**
 * The example with a player, run as its README says: every owner works with every peer.
 */

import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Player } from "../examples/05_player/player.ts";
import { SharedObject, SharedSegment } from "../mod.ts";
import { compile, temporaryDirectory } from "./support/c.ts";
import { BOOST, type Capability, CPP_COMPILER, testWith } from "./support/capabilities.ts";
import { Example, interrupt } from "./support/examples.ts";
import { cleanUpNames, ownFiles, uniqueName } from "./support/names.ts";
import { Peer, succeed } from "./support/peers.ts";
import { HOST, RUNTIMES } from "./support/runtimes.ts";

const example = new Example("05_player");
const directory = temporaryDirectory();

cleanUpNames();

/** The executable of a program in C++. */
function compiled(program: string): string {
  const executable = join(directory, program);
  if (existsSync(executable)) return executable;
  const source = example.path(`${program}.cpp`);
  const warnings = ["-Wall", "-Wextra", "-Werror"];
  compile("g++", ["-std=c++17", "-O2", ...warnings, "-o", executable, source]);
  return executable;
}

/** Starts a program in a runtime, in C++, or in C++ with Boost. */
function start(program: "owner" | "peer", language: string, name: string): Peer {
  if (language === "cpp") return new Peer([compiled(program), name]);
  if (language === "boost") return new Peer([compiled(`${program}_boost`), name]);
  return example.start(language, `${program}.ts`, name);
}

const needs = (...languages: string[]): Capability[] => [
  ...languages.includes("cpp") ? [CPP_COMPILER] : [],
  ...languages.includes("boost") ? [BOOST] : [],
];

const by = (language: string): string =>
  language === "cpp" ? "C++" : language === "boost" ? "Boost" : "TypeScript";

const runtimes = RUNTIMES.map(({ name }) => name);
/** Every run of the tests has its own runtime as the owner; what C++ makes is opened in each. */
const pairs = [
  ...[...runtimes, "cpp", "boost"].map((to) => [HOST.name, to] as const),
  ["cpp", HOST.name] as const,
  ...(HOST.name === "node" ? [["cpp", "cpp"], ["cpp", "boost"]] as const : []),
];

/** Expects what an owner says while a peer hits. */
function expectOwner(stdout: string, name: string, peer: string): void {
  expect(stdout.split("\n")).toEqual([
    `ada walks as "${name}"`,
    ...[60, 20, 0].map((health, index) => `hit ${index + 1} by ${peer}: health ${health}`),
    "ada is out",
    "",
  ]);
}

/** Expects what a peer says while it hits. */
function expectPeer(stdout: string): void {
  const seen = [...stdout.matchAll(/^ada, team blue, at \((\S+), (\S+)\), health (\d+)$/gm)];
  expect(seen.map(([, , , health]) => Number(health))).toEqual([100, 60, 20]);
  for (const [line, x, y] of seen) {
    const distance = Math.hypot(Number(x), Number(y));
    expect([line, Math.abs(distance - 1) < 0.1]).toEqual([line, true]);
  }
  expect(new Set(seen.map(([, x]) => x)).size).toBe(3); // she walks
}

describe("the example with a player", () => {
  test("has the header that its layout gives", () => {
    expect(readFileSync(example.path("player.h"), "utf8")).toBe(Player.toC());
  });

  test("prints the header", async () => {
    const options = HOST.command.filter((each) => each !== "--allow-ffi"); // nothing is needed
    expect(await succeed(new Peer([...options, example.path("player.ts")]))).toBe(Player.toC());
  });

  for (const [from, to] of pairs) {
    testWith(needs(from, to), `lets ${to} hit the player of ${from}`, async () => {
      const name = uniqueName();
      await using owner = start("owner", from, name);
      const said = await succeed(start("peer", to, name));
      expectPeer(said);
      expectOwner(await succeed(owner), name, by(to));
      const isForeign = from === "cpp" && by(to) === "TypeScript";
      expect(said.includes("(made by another program")).toBe(isForeign);
      expect(ownFiles()).toEqual([]);
    });
  }

  for (const to of [HOST.name, "cpp", "boost"]) {
    testWith(needs(to), `lets a peer in ${to} wait, and leave the object as it is`, async () => {
      const name = uniqueName();
      await using peer = start("peer", to, name);
      await sleep(300);
      using object = SharedObject.create(name, Player, { name: "ada", team: "blue", health: 50 });
      const { size } = object.stat();
      let ended = false;
      const end = succeed(peer).finally(() => ended = true);
      while (!ended) {
        object.value.steps.add(1);
        await sleep(1);
      }
      expect(await end).toContain("ada, team blue, at (0.00, 0.00), health 50\n");
      expect(object.snapshot()).toMatchObject({ health: 0, hitBy: by(to), hits: 2 });
      // Nothing was cut off, and nothing written over.
      expect(object.stat().size).toBe(size);
      expect(SharedObject.layoutOf(name).fingerprint).toBe(Player.fingerprint);
    });
  }

  // Each of them waits five seconds: those in C++ do so in one run of the tests.
  for (const to of [HOST.name, ...(HOST.name === "node" ? ["cpp", "boost"] : [])]) {
    testWith(needs(to), `tells a peer in ${to} that the owner has gone`, async () => {
      const name = uniqueName();
      using object = SharedObject.create(name, Player, { team: "red" });
      expect(object.created).toBe(true);
      const { code, stderr } = await start("peer", to, name).exit();
      expect(code).toBe(1);
      expect(stderr).toContain("the player does not move: her owner has gone");
    });
  }

  for (const from of [HOST.name, ...(HOST.name === "node" ? ["cpp"] : [])]) {
    for (const [signal, code] of [["SIGINT", 130], ["SIGTERM", 143]] as const) {
      testWith(needs(from), `leaves nothing after ${signal} (${from})`, async () => {
        const name = uniqueName();
        await using owner = start("owner", from, name);
        await owner.line();
        expect(ownFiles()).toEqual([name]);
        interrupt(owner, signal);
        expect((await owner.exit()).code).toBe(code);
        expect(ownFiles()).toEqual([]);
      });
    }
  }

  testWith([CPP_COMPILER], "refuses a second owner, and what is too short", async () => {
    const name = uniqueName();
    using object = SharedObject.create(name, Player, { team: "red" });
    const owner = await start("owner", "cpp", name).exit();
    expect([owner.code, owner.stderr]).toEqual([1, `shm_open /${name}: File exists\n`]);
    expect(object.stat().linked).toBe(true); // it has not removed what is not its own

    const short = uniqueName();
    using segment = SharedSegment.create(short, { size: Player.size - 1 });
    const peer = await start("peer", "cpp", short).exit();
    expect([peer.code, peer.stderr]).toEqual([1, `attach to /${short}: Invalid argument\n`]);
    expect(segment.size).toBe(Player.size - 1);
  });

  testWith([CPP_COMPILER], "runs by one command", async () => {
    const name = uniqueName();
    const demo = example.demo(HOST.name, name);
    const said = (await succeed(demo)).split("\n");
    expectPeer(said.filter((line) => line.startsWith("ada, team")).join("\n"));
    expectOwner(said.filter((line) => !line.startsWith("ada, team")).join("\n"), name, "C++");
    expect(ownFiles()).toEqual([]);
  });
});
