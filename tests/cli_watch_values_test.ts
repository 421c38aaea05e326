/**
 * `shm watch` of objects that carry their layout: the fields that change, in lines, as JSON and on a
 * terminal.
 */

import { describe, expect, test } from "bun:test";
import { SharedObject, t } from "../mod.ts";
import { createPlayer, overwrite, Player } from "./support/carried.ts";
import { PYTHON, testWith } from "./support/capabilities.ts";
import { onTerminal, type Session, SHM, shm, shmOk, type Step } from "./support/cli.ts";
import { cleanUpNames, uniqueName } from "./support/names.ts";
import { Peer } from "./support/peers.ts";

cleanUpNames();

const layout = { Player: { name: "Player", fingerprint: Player.fingerprint } };

/** Starts to watch, and changes something until it has seen that. @returns It, and what it said. */
async function watching(name: string, ...args: string[]): Promise<{ peer: Peer; line: string }> {
  const peer = new Peer([...SHM, "watch", name, "-i", "20ms", ...args]);
  let isOver = false;
  const first = peer.line().finally(() => isOver = true);
  for (let id = 100; !isOver; id++) {
    overwrite(name, Player.offsetOf("id"), [id & 0xff]);
    await new Promise((resolve) => setTimeout(resolve, 40));
  }
  return { peer, line: await first };
}

/** Waits for what it says of the last change above. */
async function settled(name: string, ...args: string[]): Promise<Peer> {
  const { peer } = await watching(name, ...args);
  overwrite(name, Player.offsetOf("score"), [1]);
  while (!/score/.test(await peer.line()));
  return peer;
}

function samplePlayer(): string {
  const name = uniqueName();
  createPlayer(name);
  return name;
}

describe("shm watch of an object with a layout", () => {
  test("prints a line for each value that changes, by value", async () => {
    const name = samplePlayer();
    await using peer = await settled(name);
    using object = SharedObject.open(name, Player);
    const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z {2}/;
    const lines = async (count: number) => {
      const found: string[] = [];
      for (let index = 0; index < count; index++) {
        const line = await peer.line();
        expect(line).toMatch(TIME);
        found.push(line.replace(TIME, ""));
      }
      return found;
    };
    object.assign({ position: [2.5, -0, NaN] });
    expect(await lines(1)).toEqual(["Player.position[0]  1.5 -> 2.5"]);
    object.assign({ position: [2.5, 0, NaN] });
    expect(await lines(1)).toEqual(["Player.position[1]  -0 -> 0"]);
    // Another NaN, what lies behind the end of a text, and padding are no changes.
    overwrite(name, Player.offsetOf("position[2]"), [1]);
    overwrite(name, Player.offsetOf("name") + 31, [1]);
    overwrite(name, Player.offsetOf("ok") + 1, [1]);
    object.assign({ name: "\u001b[2J" });
    expect(await lines(1)).toEqual(['Player.name  "a\\"d\\\\a\\n\\u202e" -> "\\x1b[2J"']);
    object.assign({ flags: { level: 2 } });
    expect(await lines(1)).toEqual(["Player.flags.level  5 -> 2"]);
    object.assign({ teams: ["left", "left"] });
    expect(await lines(1)).toEqual(["Player.teams[0]  none -> left"]);
    object.assign({ key: [0, 1, 2, 3, 4] });
    expect(await lines(1)).toEqual(["Player.key  00 01 fe ff 10 -> 00 01 02 03 04"]);
    overwrite(name, Player.offsetOf("path[9].y"), [0, 0, 0x80, 0x3f]);
    expect(await lines(1)).toEqual(["Player.path[9].y  0 -> 1"]);
    overwrite(name, Player.offsetOf("halves[1]") + 2, [0, 0x3c]);
    expect(await lines(1)).toEqual(["Player.halves[1][1]  6e-8 -> 1"]);
    overwrite(name, Player.offsetOf("team"), [77]);
    expect(await lines(1)).toEqual(["Player.team  blue -> 77 (no name)"]);
    overwrite(name, Player.offsetOf("any"), [0, 0, 0x80, 0x3f]);
    expect(await lines(2)).toEqual([
      "Player.any.whole  0 -> 1065353216",
      "Player.any.real  0 -> 1",
    ]);
  });

  test("prints a JSON object for each, and follows another layout", async () => {
    const name = samplePlayer();
    await using peer = await settled(name, "--json");
    const next = async () => {
      const { time, ...rest } = JSON.parse(await peer.line());
      expect(new Date(time).toISOString()).toBe(time);
      return rest;
    };
    using object = SharedObject.open(name, Player);
    object.assign({ own: 1n });
    expect(await next()).toEqual({
      field: "Player.own",
      old: "18446744073709551615",
      new: "1",
    });
    object.assign({ ok: false });
    expect(await next()).toEqual({ field: "Player.ok", old: true, new: false });

    const Other = t.struct("Other", { x: t.u8 });
    const made = uniqueName();
    SharedObject.create(made, Other).close();
    const renamed = new Peer(["mv", "-T", `/dev/shm/${made}`, `/dev/shm/${name}`]);
    expect((await renamed.exit()).code).toBe(0);
    expect(await next()).toEqual({
      layout: { old: layout.Player, new: { name: "Other", fingerprint: Other.fingerprint } },
    });
    overwrite(name, 0, [5]);
    expect(await next()).toEqual({ field: "Other.x", old: 0, new: 5 });

    overwrite(name, -4, [1, 2, 3, 4]);
    const { code, stderr } = await peer.exit();
    expect(code).toBe(1);
    expect(JSON.parse(stderr).error.code).toBe("ERR_SHM_CORRUPT");
  });

  test("shows one field with --field, and bytes with --raw", async () => {
    const name = samplePlayer();
    expect(shm(["watch", name, "-f", "nope", "--count", "1"]).stderr).toMatch(
      /^shm: Player has no /,
    );
    expect(shmOk(["watch", name, "-f", "position", "--count", "2", "-i", "20ms"])).toBe("");
    const { peer, line } = await watching(name, "--raw");
    await using _peer = peer;
    expect(line).toMatch(/Z {2}00000000 {2}[0-9a-f]{2} -> [0-9a-f]{2}$/);
  });

  test("is an error where the layout is damaged, and bytes where there is none", () => {
    const name = samplePlayer();
    overwrite(name, -4, [1, 2, 3, 4]);
    const { code, stdout, stderr } = shm(["watch", name, "--count", "1"]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toMatch(/^shm: Cannot read .* its checksum is wrong/);
    expect(shmOk(["watch", name, "--count", "1", "--raw"])).toBe("");
    const plain = uniqueName();
    shmOk(["create", plain, "-s", "4K"]);
    expect(shmOk(["watch", plain, "--count", "1"])).toBe("");
  });
});

/** What stood on the screen when it was drawn for the last time, without styles. */
function lastScreen({ output }: Session): string[] {
  const drawn = output.slice(0, output.lastIndexOf("\x1b[?7h")).split("\x1b[H").at(-1) as string;
  // deno-lint-ignore no-control-regex
  return drawn.replace(/\x1b\[[0-9;?]*[A-Za-z]/g, "").split(/\r+\n/);
}

describe("on a terminal, shm watch of an object with a layout", () => {
  testWith([PYTHON], "marks the values that change", () => {
    const name = uniqueName();
    const Small = t.struct("Small", { a: t.array(t.u16, 3), b: t.f32, c: t.cstring(8) });
    SharedObject.create(name, Small, { a: [1, 2, 3], b: NaN, c: "x" }).close();
    const poke = (at: number, bytes: string) =>
      `printf '${bytes}' | dd of=/dev/shm/${name} bs=1 seek=${at} conv=notrunc status=none`;
    const session = onTerminal(["watch", name, "-i", "200ms"], [
      ["expect", "Small"],
      ["expect", "\x1b[J"],
      ["run", poke(2, "\\007")],
      ["expect", "1 \x1b[7m7\x1b[27m 3"],
      ["expect", "0 values changed"],
      ["expect", "1 7 3"],
      ["run", poke(8, "\\002")], // another NaN
      ["expect", "\x1b[J"],
      ["expect", "\x1b[J"],
      ["run", poke(12, "\\033")],
      ["expect", '\x1b[7m"\\x1b"\x1b[27m'],
      ["send", "q"],
    ], { rows: 10 });
    expect(session).toMatchObject({ missing: null, code: 0, restored: true });
    expect(session.output).not.toContain("2 values changed");
    expect(session.output.match(/1 value changed in 200 ms/g)?.length).toBe(2);
    const lines = lastScreen(session);
    expect(lines[0]).toContain(`  ${name}  Small  `);
    expect(lines.slice(1).map((line) => line.trim())).toEqual([
      "0  a  u16[3]      1 7 3",
      "8  b  f32         NaN",
      '12  c  cstring(8)  "\\x1b"',
    ]);
  });

  testWith([PYTHON], "scrolls as far as there are fields", () => {
    const name = uniqueName();
    const Item = t.struct("Item", { id: t.u32, tags: t.array(t.u8, 20) });
    const Long = t.struct("Long", { items: t.array(Item, 100), end: t.bool });
    SharedObject.create(name, Long).close();
    const after = (...keys: string[]) => {
      const steps = keys.flatMap((key): Step[] => [["send", key], ["expect", "\x1b[J"]]);
      const session = onTerminal(["watch", name, "-i", "60s"], [
        ["expect", "Long"],
        ["expect", "\x1b[J"],
        ...steps,
        ["send", "q"],
      ], { rows: 7 });
      expect(session).toMatchObject({ missing: null, code: 0, restored: true });
      return lastScreen(session).slice(1).map((line) => line.trim().split(/ {2,}/)[1]);
    };
    expect(after()).toEqual([
      "items[0].id",
      "items[0].tags[0]",
      "items[0].tags[16]",
      "items[1].id",
      "items[1].tags[0]",
      "items[1].tags[16]",
    ]);
    expect(after("\x1b[B")[0]).toBe("items[0].tags[0]");
    expect(after("\x1b[6~", "\x1b[6~", "\x1b[A")[0]).toBe("items[3].tags[16]");
    expect(after("\x1b[F").at(-1)).toBe("end");
    expect(after("\x1b[F", "\x1b[6~").length).toBe(6);
    expect(after("\x1b[F", "\x1b[H")[0]).toBe("items[0].id");
  });

  testWith([PYTHON], "restores it when the layout is damaged, and says so", () => {
    const name = samplePlayer();
    const damage = `printf xxxx | dd of=/dev/shm/${name} bs=1 conv=notrunc status=none ` +
      `seek=$(($(stat -c %s /dev/shm/${name}) - 4))`;
    const { code, restored, output } = onTerminal(["watch", name, "-i", "50ms"], [
      ["expect", "Player"],
      ["run", damage],
    ]);
    expect({ code, restored }).toEqual({ code: 1, restored: true });
    expect(output).toMatch(/shm: Cannot read .* its checksum is wrong/);
  });

  testWith([PYTHON], "asks for no permission, as dump does not", () => {
    const name = samplePlayer();
    const command = SHM.filter((arg) => arg !== "--no-prompt" && !arg.startsWith("--v8-flags"));
    for (const args of [["dump", name], ["watch", name, "--count", "1"], ["layout", name]]) {
      const { code, output } = onTerminal(args, [], { command });
      expect({ args, code }).toEqual({ args, code: 0 });
      expect(output).not.toContain("requests");
      expect(output).toContain("Player");
    }
  });
});
