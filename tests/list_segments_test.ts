/**
 * What is listed, compared field by field with what the tools of the system print, and what is not
 * to be taken for a segment.
 */

import { describe, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import process from "node:process";
import {
  listSegments,
  NamedSemaphore,
  type SegmentInfo,
  type SegmentStat,
  SharedSegment,
  type SystemVStat,
} from "../mod.ts";
import { compileC, temporaryDirectory } from "./support/c.ts";
import { C_COMPILER, IPC_TOOLS, OTHER_USERS, PYTHON, testWith } from "./support/capabilities.ts";
import { expectError } from "./support/errors.ts";
import { holdInC } from "./support/hold.ts";
import { cleanUpNames, uniqueName } from "./support/names.ts";
import { Peer, runPeer, startPeer } from "./support/peers.ts";
import { HOST, OTHERS } from "./support/runtimes.ts";
import { cleanUpSegments, ownSegments, uniqueKey } from "./support/systemv.ts";

cleanUpNames();
cleanUpSegments();

const byName = (name: string): SegmentInfo | undefined =>
  listSegments().find((each) => each.kind !== "systemv" && each.name === name);
const byId = (id: number): SystemVStat | undefined =>
  listSegments().find((each): each is SystemVStat & SegmentInfo =>
    each.kind === "systemv" && each.id === id
  );

/** Runs a tool of the system. @returns What it prints. */
function run(program: string, ...args: string[]): string {
  const env = { ...process.env, LC_ALL: "C", TZ: "UTC" };
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: "utf8", env });
  if (status !== 0) throw new Error(`${program} failed: ${stderr}`);
  return stdout;
}

const POSIX_IN_PYTHON = `
import multiprocessing.shared_memory as shm, sys
segment = shm.SharedMemory(sys.argv[1], create=True, size=5000)
segment.buf[0] = 1
print("ready", flush=True)
sys.stdin.read()
`;

const SYSTEMV_IN_PYTHON = `
import ctypes, sys
libc = ctypes.CDLL(None)
libc.shmat.restype = ctypes.c_void_p
id = libc.shmget(int(sys.argv[1]), ctypes.c_size_t(5000), 0o1600)
assert id >= 0 and libc.shmat(id, None, 0)
print(id, flush=True)
sys.stdin.read()
`;

const iso = (timeMs: number) =>
  timeMs === 0 ? null : new Date(timeMs).toISOString().replace(".000Z", "+00:00");
const monthDay = (timeMs: number) =>
  timeMs === 0
    ? "Not set"
    : new Date(timeMs).toUTCString().replace(/^\w+, (\d+) (\w+) \d+ ([\d:]+) GMT$/, "$2 $1 $3");
const status = ({ removed, locked }: SystemVStat) =>
  [removed ? "dest" : "", locked ? "locked" : ""].filter(Boolean);
const hexKey = (key: number) => `0x${key.toString(16).padStart(8, "0")}`;

describe("listSegments() of System V segments", () => {
  testWith([C_COMPILER, PYTHON, IPC_TOOLS], "agrees with lsipc and ipcs", async () => {
    const key = uniqueKey();
    const { peer, lines } = await holdInC(
      `systemv:${key}:5000`,
      "systemv:0:4096",
      `systemv:${uniqueKey()}:12345`,
      `systemv:${0xfedc_0000 + process.pid % 0x10000}:1`,
    );
    await using _ = peer;
    const [keyed, removed, locked, negative] = lines as [string, string, string, string];
    await using other = (await holdInC(`attach:${keyed}`, `remove:${removed}`, `lock:${locked}`))
      .peer;
    await using python = new Peer(["python3", "-c", SYSTEMV_IN_PYTHON, String(uniqueKey())]);
    const ids = [...lines, await python.line()].map(Number);

    const listed = ids.map((id) => byId(id) as SystemVStat);
    const columns =
      "KEY,ID,PERMS,CUID,CGID,UID,GID,CTIME,SIZE,NATTCH,STATUS,ATTACH,DETACH,CPID,LPID";
    const lsipc = ["-m", "-J", "-b", "-P", "--time-format=iso", "-o", columns];
    const rows: Record<string, string | null>[] = JSON.parse(run("lsipc", ...lsipc)).sharedmemory;
    for (const stat of listed) {
      const row = rows.find(({ id }) => id === String(stat.id));
      expect(row).toEqual({
        key: hexKey(stat.key),
        id: String(stat.id),
        perms: `0${stat.mode.toString(8)}`,
        cuid: String(stat.creatorUid),
        cgid: String(stat.creatorGid),
        uid: String(stat.uid),
        gid: String(stat.gid),
        ctime: iso(stat.changeTimeMs),
        size: String(stat.size),
        nattch: String(stat.attached),
        status: status(stat).join(",") || null,
        attach: iso(stat.attachTimeMs),
        detach: iso(stat.detachTimeMs),
        cpid: String(stat.creatorPid),
        lpid: String(stat.lastPid),
      });
    }

    for (const stat of listed) {
      const { id, mode, size, attached, creatorPid, lastPid } = stat;
      const lineOf = (...options: string[]) =>
        run("ipcs", "-m", ...options).split("\n").find((line) =>
          line.replace(/^0x\w+ /, "").startsWith(`${id} `)
        )?.trim() as string;
      const [listedKey, , , ...facts] = lineOf().split(/\s+/);
      expect(listedKey).toBe(hexKey(stat.key));
      expect(facts).toEqual([mode.toString(8), String(size), String(attached), ...status(stat)]);
      const pids = lineOf("-p").split(/\s+/).slice(2);
      expect(pids).toEqual([creatorPid, lastPid].map(String));
      // Behind a number of ten digits there is one blank.
      const times = lineOf("-t").replace(/^\S+\s+\S+\s+/, "").split(/\s{2,}/);
      expect(times).toEqual(
        [stat.attachTimeMs, stat.detachTimeMs, stat.changeTimeMs].map(monthDay),
      );
      expect(run("ipcs", "-m", "-i", String(id))).toContain(
        `uid=${stat.uid}\tgid=${stat.gid}\tcuid=${stat.creatorUid}\tcgid=${stat.creatorGid}\n`,
      );
    }

    // What is told of each, beyond what the tools have printed.
    const [a, b, c, d, e] = listed;
    expect(a).toMatchObject({ key, attached: 3, lastPid: other.pid, creatorPid: peer.pid });
    expect(b).toMatchObject({ key: 0, removed: true, locked: false, attached: 1 });
    expect(c).toMatchObject({ locked: true, removed: false, residentBytes: 4096 });
    expect(d?.id).toBe(Number(negative));
    expect(d?.key).toBe(0xfedc_0000 + process.pid % 0x10000); // more than 2^31
    expect(e).toMatchObject({ size: 5000, mode: 0o600, residentBytes: 0, creatorPid: python.pid });
    for (const id of [a, c, d, e].map((each) => each?.id)) run("ipcrm", "-m", String(id));
  });

  testWith([C_COMPILER, IPC_TOOLS], "has the totals of ipcs -m -u", async () => {
    const { peer, lines } = await holdInC("systemv:0:5000", "systemv:0:70000");
    await using _ = peer;
    for (let attempt = 0;; attempt++) {
      const before = listSegments({ kinds: ["systemv"], processes: false }) as SystemVStat[];
      const totals = run("ipcs", "-m", "-u");
      const after = listSegments({ kinds: ["systemv"], processes: false });
      if (JSON.stringify(before) !== JSON.stringify(after) && attempt < 100) continue; // somebody's
      const sum = (count: (stat: SystemVStat) => number) =>
        before.reduce((total, stat) => total + count(stat), 0);
      expect(totals).toContain(`segments allocated ${before.length}\n`);
      expect(totals).toContain(
        `pages allocated ${sum(({ size }) => Math.ceil(size / 4096))}\n`,
      );
      expect(totals).toContain(
        `pages resident  ${sum(({ residentBytes }) => residentBytes / 4096)}\n`,
      );
      break;
    }
    for (const id of lines) run("ipcrm", "-m", id);
    await peer.exit();
    expect(ownSegments()).toEqual([]);
  });
});

describe("listSegments() of POSIX segments", () => {
  testWith([C_COMPILER, PYTHON], "agrees with stat, whoever made them", async () => {
    const [own, inC, inPython, elsewhere] = Array.from({ length: 4 }, uniqueName) as string[];
    using _segment = SharedSegment.create(own as string, { size: 5000, mode: 0o604 });
    await using peer = (await holdInC(`create:${inC}:70000`)).peer;
    await using python = new Peer(["python3", "-c", POSIX_IN_PYTHON, inPython as string]);
    await python.line();
    await runPeer(OTHERS[0] as typeof HOST, "segment.ts", ["create", 1, `${elsewhere}:1`]);

    for (const name of [own, inC, inPython, elsewhere] as string[]) {
      const format = "%s %b %B %a %u %g %h %.9W %.9X %.9Y %.9Z";
      const facts = run("stat", "-c", format, `/dev/shm/${name}`).trim().split(" ");
      const [size, blocks, blockSize, mode, uid, gid, links, ...times] = facts;
      const timeMs = (time: string | undefined) => {
        const [seconds, nanoseconds] = (time as string).split(".").map(Number) as [number, number];
        return seconds * 1000 + nanoseconds / 1e6;
      };
      const { processes: _processes, ...stat } = byName(name) as SegmentInfo;
      expect(stat).toEqual({
        kind: "posix",
        name,
        size: Number(size),
        residentBytes: Number(blocks) * Number(blockSize),
        mode: Number.parseInt(mode as string, 8),
        uid: Number(uid),
        gid: Number(gid),
        linked: links === "1",
        birthTimeMs: timeMs(times[0]),
        accessTimeMs: timeMs(times[1]),
        modifyTimeMs: timeMs(times[2]),
        changeTimeMs: timeMs(times[3]),
      });
    }
    const [mode, links, , , size] = run("ls", "-ln", `/dev/shm/${inC}`).split(/\s+/);
    expect([mode, links, size]).toEqual(["-rw-r-----", "1", "70000"]);
    expect(byName(inC as string)?.processes.map(({ pid }) => pid)).toEqual([peer.pid]);
    expect(byName(inPython as string)?.processes.map(({ pid }) => pid)).toContain(python.pid);
    run("rm", `/dev/shm/${inPython}`);
  });

  test("leaves out what is none: semaphores, FIFOs, directories, links", () => {
    const names = Array.from({ length: 5 }, uniqueName) as [string, ...string[]];
    const [semaphore, fifo, directory, link, segment] = names;
    using _semaphore = NamedSemaphore.create(semaphore, { initialValue: 1 });
    run("mkfifo", `/dev/shm/${fifo}`);
    mkdirSync(`/dev/shm/${directory}`);
    writeFileSync(`/dev/shm/${directory}/inside`, "");
    writeFileSync(`/dev/shm/${segment}`, "");
    symlinkSync(`/dev/shm/${segment}`, `/dev/shm/${link}`);
    const listed = listSegments({ kinds: ["posix"], processes: false }) as SegmentStat[];
    const own = listed.map(({ name }) => name).filter((name) =>
      names.some((each) => name.includes(each))
    );
    expect(own).toEqual([segment as string]);
  });

  testWith([C_COMPILER], "leaves out what processes hold and is none", async () => {
    const [directory, inside] = [`/dev/shm/${uniqueName()}`, "x (deleted)"];
    mkdirSync(directory);
    writeFileSync(`${directory}/${inside}`, "text");
    const device = run("stat", "-c", "%Hd %Ld", "/dev/shm").trim().split(" ").map((number) =>
      Number(number).toString(16).padStart(2, "0")
    );
    const elsewhere = `${temporaryDirectory()}/ ${device.join(":")} 7 `; // as a table has it
    writeFileSync(elsewhere, "text");
    const fifo = `/dev/shm/${uniqueName()}`;
    run("mkfifo", fifo);
    const { peer } = await holdInC(
      `open:${fifo}`,
      `file:${directory}/${inside}`,
      `file:${elsewhere.replace(/:/g, "%3a")}`,
    );
    await using _ = peer;
    run("rm", elsewhere, fifo);
    expect(listSegments().flatMap(({ processes }) => processes.map(({ pid }) => pid)))
      .not.toContain(peer.pid);
  });

  testWith([C_COMPILER, OTHER_USERS], "has those once that look removed", async () => {
    const name = `${uniqueName()} (deleted)`;
    writeFileSync(`/dev/shm/${name}`, "text", { mode: 0o666 });
    run("chown", "65534:65533", `/dev/shm/${name}`);
    run("chmod", "-R", "go+rX", dirname(compileC("hold.c")));
    const wrapper = ["setpriv", "--reuid=65534", "--regid=65533", "--clear-groups"];
    await using peer = new Peer([compileC("hold.c"), `map:${name}`], { wrapper });
    await peer.line();
    const list = JSON.parse(await runPeer(HOST, "look.ts", [65534, "segments"]));
    const found = list.filter((each: { name?: string }) =>
      name.startsWith(each.name?.replace(" (deleted)", "") || "?")
    );
    expect(found).toMatchObject([{ name, linked: true, processes: [{ pid: peer.pid }] }]);
  });

  testWith([C_COMPILER], "leaves out a semaphore that was unlinked", async () => {
    const name = uniqueName();
    await using peer = (await holdInC(`semaphore:/${name}`)).peer;
    expect(byName(`sem.${name}`)).toBe(undefined);
    NamedSemaphore.unlink(name);
    expect(byName(`sem.${name}`)).toBe(undefined);
    expect(listSegments().flatMap(({ processes }) => processes.map(({ pid }) => pid)))
      .not.toContain(peer.pid);
  });
});

/** Names that a program can give, as C has to be told of them and as they are listed. */
const ODD_NAMES: readonly [title: string, inC: string, listed: string][] = [
  ["a newline", "%0a", "\n"],
  ["a carriage return", "%0d", "\r"],
  ["a line separator", "\u2028", "\u2028"],
  ["what looks like an escaped newline", "\\012", "\\012"],
  ["both", "%0a\\012", "\n\\012"],
  ["what looks like a removed file", " (deleted)", " (deleted)"],
  ["what looks like a line of a table", " 00%3a01 7  x", " 00:01 7  x"],
  ["an escape sequence", "%1b[31m", "\x1b[31m"],
  ["bytes that are no UTF-8", "%ff%c3", "\udcff\udcc3"],
  ["a cut-off character", "%e2%82x", "\udce2\udc82x"],
  ["an encoded surrogate", "%ed%b2%80", "\udced\udcb2\udc80"],
  ["a byte order mark", "\ufeff", "\ufeff"],
  ["characters beyond 16 bits", "\u{1f600}", "\u{1f600}"],
  ["a byte that is none behind one", "\u{1f600}%98", "\u{1f600}\udc98"],
];

describe("listSegments() of odd names", () => {
  for (const [title, inC, listed] of ODD_NAMES) {
    testWith([C_COMPILER], `has ${title} as it is, linked, unlinked and of a memfd`, async () => {
      const [base, unlinked, label] = [uniqueName(), uniqueName(), uniqueName()];
      await using peer = (await holdInC(
        `create:${base}${inC}:4096`,
        `create:${unlinked}${inC}:4096`,
        `unlink:${unlinked}${inC}`,
        `memfd:${label}${inC}:4096`,
      )).peer;
      const found = listSegments().filter(({ processes }) =>
        processes.some(({ pid }) => pid === peer.pid)
      );
      expect(
        found.map((each) => each.kind === "systemv" ? [] : [each.kind, each.name, each.linked])
          .sort(),
      ).toEqual([
        ["memfd", label + listed, false],
        ["posix", base + listed, true],
        ["posix", unlinked + listed, false],
      ]);
      for (const each of found) {
        expect(each).toMatchObject({ size: 4096, residentBytes: 4096 });
        expect(
          each.processes.map(({ mappings, descriptors }) => [mappings.length, descriptors.length]),
        )
          .toEqual([[1, 1]]);
      }

      // It can be used by the name that was listed, and by no other that is shown alike.
      using segment = SharedSegment.open(base + listed);
      expect([segment.name, segment.bytes[0]]).toEqual([base + listed, 1]);
      expect(SharedSegment.unlink(base + listed)).toBe(true);
      expect(SharedSegment.exists(base + listed)).toBe(false);
    });
  }

  testWith([C_COMPILER], "has 255 bytes", async () => {
    const base = uniqueName();
    const name = base + "\udcff".repeat(255 - base.length);
    await using _ = (await holdInC(`create:${base}${"%ff".repeat(255 - base.length)}:64`)).peer;
    expect(byName(name)).toMatchObject({ name, size: 64 });
    expect(SharedSegment.unlink(name)).toBe(true);
    expectError(() => SharedSegment.exists(`${name}\udcff`), TypeError, /at most 255 bytes long/);
  });

  test("still refuses what stands for no bytes", () => {
    for (const name of ["\ud800", "\udc7f", "\udd00", "a\udbffb", "\udcff\ud800"]) {
      expectError(() => SharedSegment.exists(name), TypeError, /well-formed Unicode/);
    }
  });
});

describe("listSegments()", () => {
  test("lists by kind, and without processes if told to", async () => {
    using segment = SharedSegment.create(uniqueName(), { size: 64 });
    const kindsOf = (list: readonly { kind: string }[]) => new Set(list.map(({ kind }) => kind));
    expect(kindsOf(listSegments({ kinds: ["posix"] }))).toEqual(new Set(["posix"]));
    expect(listSegments({ kinds: [] })).toEqual([]);
    const without = listSegments({ processes: false });
    expect(without.every((each) => !("processes" in each))).toBe(true);
    expect(without.some((each) => each.kind === "posix" && each.name === segment.name)).toBe(true);
    expect(kindsOf(without).has("memfd")).toBe(false);
    for (const runtime of OTHERS) {
      await using peer = startPeer(runtime, "hold.ts", [segment.name]);
      await peer.line();
      expect(byName(segment.name)?.processes.map(({ pid }) => pid)).toEqual(
        [process.pid, peer.pid].sort((a, b) => a - b),
      );
    }
  });

  test("needs no permission but for native calls, in any runtime", async () => {
    using segment = SharedSegment.create(uniqueName(), { size: 64 });
    for (const runtime of [HOST, ...OTHERS]) {
      const list: SegmentInfo[] = JSON.parse(await runPeer(runtime, "look.ts", [0, "segments"]));
      const found = list.find((each) => each.kind === "posix" && each.name === segment.name);
      expect(found).toMatchObject({ size: 64, mode: 0o600 });
      expect(found?.processes.map(({ pid }) => pid)).toEqual([process.pid]);
    }
  });

  test("refuses bad options", () => {
    const refuse = (options: unknown, rule: RegExp) =>
      expectError(() => listSegments(options as { processes: false }), TypeError, rule);
    refuse(null, /options must be an object, received null/);
    refuse({ kinds: "posix" }, /kinds must be an array, received "posix"/);
    refuse({ kinds: ["file"] }, /each of kinds must be "posix" or "systemv" or "memfd"/);
    refuse({ processes: 1 }, /processes must be true or false, received 1/);
    refuse({ kinds: ["memfd"], processes: false }, /processes must be true to list memfds/);
  });
});
