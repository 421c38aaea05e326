/**
 * Python programs share every kind of memory with this library, and docs/python.md is right.
 */

import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { ftok, SharedSegment, SystemVSegment } from "../mod.ts";
import { temporaryDirectory } from "./support/c.ts";
import { PYTHON, SYSV_IPC, testWith } from "./support/capabilities.ts";
import { cleanUpNames, ownFiles, uniqueName } from "./support/names.ts";
import { countMismatches, writePattern } from "./support/pattern.ts";
import { Peer, runPeer, succeed } from "./support/peers.ts";
import { type Python, PYTHONS } from "./support/pythons.ts";
import { HOST, HOST_WITH_FILES, RUNTIMES } from "./support/runtimes.ts";
import { cleanUpSegments, ownSegments, uniqueKey } from "./support/systemv.ts";

cleanUpNames();
cleanUpSegments();

const script = fileURLToPath(new URL("python/memory.py", import.meta.url));
const directory = temporaryDirectory();
const SIZE = 5001; // no multiple of anything

/** A Python process that has memory. */
class PythonPeer implements AsyncDisposable {
  readonly peer: Peer;
  size = 0;
  /** Its name, or what else it is found by. */
  name = "";

  private constructor(python: Python, args: readonly (string | number)[]) {
    this.peer = new Peer([python.program, script, ...args.map(String)]);
  }

  static async start(python: Python, ...args: readonly (string | number)[]): Promise<PythonPeer> {
    const started = new PythonPeer(python, args);
    const [, size, name] = /^(\d+) (.*)$/.exec(await started.peer.line()) ?? [];
    started.size = Number(size);
    started.name = name as string;
    return started;
  }

  async ask(command: string): Promise<string> {
    this.peer.send(command);
    return await this.peer.line();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.peer[Symbol.asyncDispose]();
  }
}

interface Memory {
  readonly bytes: Uint8Array;
  readonly size: number;
}

/** Each side writes, and the other sees all of it. */
async function expectShared(memory: Memory, peer: PythonPeer): Promise<void> {
  expect(memory.size).toBe(peer.size);
  expect(await peer.ask("fill 3")).toBe("filled");
  expect(countMismatches(memory.bytes, 3)).toBe(0);
  writePattern(memory.bytes, 4);
  expect(await peer.ask("check 4")).toBe("0");
}

/** Waits for what a resource tracker does some time after its Python has ended. */
async function untilGone(name: string): Promise<void> {
  const deadline = performance.now() + 15_000;
  while (SharedSegment.exists(name)) {
    if (performance.now() > deadline) throw new Error(`"${name}" is still there`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/**
 * A tracker that is going to remove a name does so after its Python has ended, when it has seen the
 * end of a pipe. One that is going to leave it alone gives no sign: another one, started later, has
 * done its work by then.
 */
async function untilTrackersHaveHadTheirTime(python: Python): Promise<void> {
  const name = uniqueName();
  using other = SharedSegment.create(name, { size: 1 });
  const peer = await PythonPeer.start(python, "attach", name);
  await peer.peer.exit();
  await untilGone(other.name);
}

/** The programs of docs/python.md, by their names. */
const text = readFileSync(new URL("../docs/python.md", import.meta.url), "utf8");
const programs = new Map(
  [...text.matchAll(/^```(?:python|ts)\n(?:#|\/\/) (\S+)\n([^]*?)^```$/gm)]
    .map(([, name, source]) => [name as string, source as string]),
);

/** Writes programs of docs/python.md to files, with a name of this test's. */
function write(name: string, ...files: string[]): string[] {
  return files.map((file) => {
    const source = programs.get(file);
    if (source === undefined) throw new Error(`docs/python.md has no ${file}`);
    const path = join(directory, `${name}-${file}`);
    const library = JSON.stringify(new URL("../mod.ts", import.meta.url).href);
    writeFileSync(
      path,
      source.replaceAll('"doc-python"', JSON.stringify(name))
        .replaceAll('"@shmkit/shmkit"', library),
    );
    return path;
  });
}

const runHost = (path: string) => succeed(new Peer([...HOST.command, path]));

/** Says that there is no Python at all, rather than nothing. */
testWith([PYTHON], "there is a Python to share memory with", () => {
  expect(PYTHONS.length).toBeGreaterThan(0);
});

for (const python of PYTHONS) {
  describe(`multiprocessing.shared_memory of Python ${python.version}`, () => {
    test("is opened here", async () => {
      const name = uniqueName();
      await using peer = await PythonPeer.start(python, "create", name, SIZE);
      using segment = SharedSegment.open(name);
      expect(segment.size).toBe(SIZE); // on Linux: to the byte
      await expectShared(segment, peer);
      using reader = SharedSegment.open(name, { readonly: true });
      expect(countMismatches(reader.copy(), 4)).toBe(0);
      using same = SharedSegment.openOrCreate(name, { size: peer.size });
      expect(same.created).toBe(false);
    });

    test("is opened here by the name that Python has made up", async () => {
      await using peer = await PythonPeer.start(python, "create", "-", SIZE);
      expect(peer.name).toMatch(/^psm_/);
      using segment = SharedSegment.open(peer.name);
      await expectShared(segment, peer);
      expect(await peer.ask("unlink")).toBe("removed");
      expect(segment.stat().linked).toBe(false);
    });

    test("opens what was made here", async () => {
      using segment = SharedSegment.create(uniqueName(), { size: SIZE });
      await using peer = await PythonPeer.start(python, "attach", segment.name);
      expect(peer.size).toBe(SIZE);
      await expectShared(segment, peer);
    });

    for (const end of ["ends", "is killed"]) {
      test(`takes the name away when it was attached and ${end}, and not the memory`, async () => {
        using segment = SharedSegment.create(uniqueName(), { size: SIZE });
        await using peer = await PythonPeer.start(python, "attach", segment.name);
        await expectShared(segment, peer);
        if (end === "is killed") peer.peer.kill();
        await peer.peer.exit();
        await untilGone(segment.name);
        expect(countMismatches(segment.bytes, 4)).toBe(0);
        expect(segment.stat().linked).toBe(false);
        // Others still get it by its path.
        using other = SharedSegment.openFile(`/proc/${process.pid}/fd/${segment.fd}`);
        expect(countMismatches(other.bytes, 4)).toBe(0);
      });
    }

    test("takes the name away when it has created it and ends, and not the memory", async () => {
      const name = uniqueName();
      await using peer = await PythonPeer.start(python, "create", name, SIZE);
      using segment = SharedSegment.open(name);
      await expectShared(segment, peer);
      await peer.peer.exit();
      await untilGone(name);
      expect(countMismatches(segment.bytes, 4)).toBe(0);
    });

    test("leaves the name alone when it attaches as docs/python.md says", async () => {
      const name = uniqueName();
      const [create, attach] = write(name, "create.ts", "attach.py") as [string, string];
      expect(await runHost(create)).toBe(""); // nobody has it any more
      for (let round = 0; round < 2; round++) {
        const { stdout, stderr } = await new Peer([python.program, attach]).exit();
        expect({ stdout, stderr }).toEqual({ stdout: `${5000} hello\n`, stderr: "" });
      }
      await untilTrackersHaveHadTheirTime(python);
      expect(SharedSegment.exists(name)).toBe(true);
    });

    test("is made and removed as docs/python.md says", async () => {
      const name = uniqueName();
      const [create, open] = write(name, "create.py", "open.ts") as [string, string];
      await using peer = new Peer([python.program, create]);
      expect(await peer.line()).toBe("ready");
      expect(await runHost(open)).toBe("5000 hello\n");
      expect(await runHost(open)).toBe("5000 hello\n"); // our end has removed nothing
      peer.send("");
      const { code, stderr } = await peer.exit();
      expect({ code, stderr, files: ownFiles() }).toEqual({ code: 0, stderr: "", files: [] });
    });
  });

  describe(`System V segments and Python ${python.version}`, () => {
    test("are shared both ways, and outlive each side", async () => {
      const key = uniqueKey();
      const maker = await PythonPeer.start(python, "systemv", key, SIZE);
      {
        using segment = SystemVSegment.open({ key });
        await expectShared(segment, maker);
        expect(await maker.ask("fill 5")).toBe("filled");
        expect((await maker.peer.exit()).code).toBe(0);
        expect(countMismatches(segment.bytes, 5)).toBe(0);
      }
      await using other = await PythonPeer.start(python, "systemv", key);
      expect(other.size).toBe(SIZE);
      expect(await other.ask("check 5")).toBe("0");
      using segment = SystemVSegment.open({ id: Number(other.name) });
      await expectShared(segment, other);
      expect(await other.ask("unlink")).toBe("removed");
      expect(segment.stat().removed).toBe(true);
    });
  });

  describe(`memory without a name and Python ${python.version}`, () => {
    test("is opened here when Python has made it", async () => {
      await using peer = await PythonPeer.start(python, "memfd", SIZE);
      using segment = SharedSegment.openFile(peer.name);
      await expectShared(segment, peer);
      await peer.peer.exit();
      expect(countMismatches(segment.bytes, 4)).toBe(0);
    });

    test("is opened by Python when it was made here", async () => {
      using segment = SharedSegment.anonymous({ size: SIZE, seal: ["shrink", "grow"] });
      await using peer = await PythonPeer.start(python, "file", segment.path);
      await expectShared(segment, peer);
    });

    test("is read by Python when it is frozen, and not written", async () => {
      const draft = SharedSegment.anonymous({ size: SIZE });
      writePattern(draft.bytes, 9);
      using frozen = draft.freeze();
      await using peer = await PythonPeer.start(python, "read", frozen.path);
      expect(await peer.ask("check 9")).toBe("0");
      const writer = await new Peer([python.program, script, "file", frozen.path]).exit();
      expect(writer.stderr).toContain("PermissionError");
      expect(countMismatches(frozen.copy(), 9)).toBe(0);
    });
  });

  test(`a file is mapped by Python ${python.version} and here`, async () => {
    const path = join(directory, `file-${python.version}`);
    using segment = SharedSegment.openFile(path, { create: true, size: SIZE });
    await using peer = await PythonPeer.start(python, "file", path);
    await expectShared(segment, peer);
    segment.flush();
    expect(countMismatches(readFileSync(path), 4)).toBe(0);
    expect(await peer.ask("unlink")).toBe("removed");
    expect(existsSync(path)).toBe(false);
  });
}

for (const runtime of RUNTIMES) {
  testWith([PYTHON], `Python finds what ${runtime.name} has left`, async () => {
    const python = PYTHONS[0] as Python;
    const name = uniqueName();
    await runPeer(runtime, "segment.ts", ["create", 6, `${name}:${SIZE}`]);
    await using peer = await PythonPeer.start(python, "attach", name);
    expect(await peer.ask("check 6")).toBe("0");
    expect(await peer.ask("fill 7")).toBe("filled");
    await runPeer(runtime, "segment.ts", ["verify", 7, `${name}:${SIZE}`]);
    expect(SharedSegment.exists(name)).toBe(true);
  });
}

testWith([PYTHON], "anonymous memory is handed to Python as docs/python.md says", async () => {
  const [anonymous, mapped] = write("doc", "anonymous.ts", "mapped.py") as [string, string];
  const source = readFileSync(anonymous, "utf8").replace('"mapped.py"', JSON.stringify(mapped));
  writeFileSync(anonymous, source);
  expect(await succeed(new Peer([...HOST_WITH_FILES.command, anonymous]))).toBe("hello\n");
});

describe("the module sysv_ipc", () => {
  const python = { program: SYSV_IPC.program, version: "of the system" };

  testWith([SYSV_IPC], "shares segments both ways", async () => {
    const key = uniqueKey();
    await using maker = await PythonPeer.start(python, "sysv_ipc", key, SIZE);
    {
      using segment = SystemVSegment.open({ key });
      await expectShared(segment, maker);
    }
    expect(await maker.ask("unlink")).toBe("removed");
    await maker.peer.exit();
    expect(SystemVSegment.exists({ key })).toBe(false);

    using segment = SystemVSegment.create({ key, size: SIZE, lifetime: "creator" });
    await using other = await PythonPeer.start(python, "sysv_ipc", key);
    await expectShared(segment, other);
  });

  testWith([SYSV_IPC], "reads as docs/python.md says, and makes the same keys", async () => {
    const key = ftok(script, 65);
    const theirs = "import sys, sysv_ipc; print(sysv_ipc.ftok(sys.argv[1], 65, True))";
    const made = await succeed(new Peer([python.program, "-c", theirs, script]));
    expect(Number(made) >>> 0).toBe(key);

    const own = uniqueKey();
    using segment = SystemVSegment.create({ key: own, size: 5000, lifetime: "creator" });
    segment.bytes.set(new TextEncoder().encode("hello"));
    const [program] = write("doc", "systemv.py") as [string];
    expect(await succeed(new Peer([python.program, program, String(own)]))).toBe("5000 hello\n");
    segment.close();
    expect(ownSegments()).toEqual([]);
  });
});

test("docs/python.md has no program that is not run", () => {
  expect([...programs.keys()].sort()).toEqual([
    "anonymous.ts",
    "attach.py",
    "create.py",
    "create.ts",
    "mapped.py",
    "open.ts",
    "systemv.py",
  ]);
  expect(text.match(/^```(python|ts)$/gm)?.length).toBe(programs.size);
});
