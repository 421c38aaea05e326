/**
 * Who holds what, and who cannot be looked into.
 */

import { describe, expect, test } from "bun:test";
import { spawn, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname } from "node:path";
import process from "node:process";
import {
  type AttachedProcesses,
  attachedProcesses,
  listSegments,
  type SegmentInfo,
  type SegmentTarget,
  SharedSegment,
  ShmError,
  type ShmErrorCode,
  SystemVSegment,
} from "../mod.ts";
import { close, open } from "../ffi/mod.ts";
import { compileC, temporaryDirectory } from "./support/c.ts";
import {
  C_COMPILER,
  MOUNT_NAMESPACE,
  OTHER_USERS,
  PYTHON,
  testWith,
} from "./support/capabilities.ts";
import { expectError } from "./support/errors.ts";
import { holdInC } from "./support/hold.ts";
import { cleanUpNames, uniqueName } from "./support/names.ts";
import { Peer, type PeerOptions, runPeer, startPeer } from "./support/peers.ts";
import { HOST, OTHERS, type RuntimeCommand, RUNTIMES } from "./support/runtimes.ts";
import { cleanUpSegments, uniqueKey } from "./support/systemv.ts";

const NOBODY = 65534;
/** The group that `look.ts` is in as that user: another number, for the two not to be mistaken. */
const NOGROUP = NOBODY - 1;

cleanUpNames();
cleanUpSegments();

const pidsOf = (processes: AttachedProcesses): number[] => processes.map(({ pid }) => pid);
const sorted = (...peers: { pid: number }[]): number[] =>
  peers.map(({ pid }) => pid).sort((a, b) => a - b);

/** Opens a file without following what the runtime makes of descriptors. */
function openFile(path: string): { fd: number } & Disposable {
  const fd = open(path, 0, 0);
  if (fd < 0) throw new Error(`cannot open ${path}: ${fd}`);
  return { fd, [Symbol.dispose]: () => close(fd) };
}

/** What `look.ts` prints. */
interface Look {
  readonly processes: AttachedProcesses;
  readonly unreadable: AttachedProcesses["unreadable"];
  readonly hidden: boolean;
  readonly message?: string;
}

async function lookAs(
  uid: number,
  target: SegmentTarget,
  options: PeerOptions = {},
  runtime: RuntimeCommand = HOST,
): Promise<Look> {
  const args = [uid, "attached", JSON.stringify(target)];
  return JSON.parse(await runPeer(runtime, "look.ts", args, options));
}

/** Has a C program run as another user, who must be allowed to read it. */
function nobody(): PeerOptions {
  spawnSync("chmod", ["-R", "go+rX", dirname(compileC("hold.c"))]);
  return { wrapper: ["setpriv", `--reuid=${NOBODY}`, `--regid=${NOGROUP}`, "--clear-groups"] };
}

const ATTACH_IN_PYTHON = `
import ctypes, sys
libc = ctypes.CDLL(None)
libc.shmat.restype = ctypes.c_void_p
assert libc.shmat(int(sys.argv[1]), None, 0) != ctypes.c_void_p(-1).value
print("ready", flush=True)
sys.stdin.read()
`;

describe("attachedProcesses() tells three processes, and two when one is killed, of", () => {
  testWith([C_COMPILER], "a POSIX segment", async () => {
    using segment = SharedSegment.create(uniqueName(), { size: 5000 });
    await using inC = (await holdInC(`map:${segment.name}`)).peer;
    await using peer = startPeer(OTHERS[0] as RuntimeCommand, "hold.ts", [segment.name]);
    await peer.line();
    const me = { pid: process.pid };
    for (const target of [segment.name, `/${segment.name}`, segment]) {
      expect(pidsOf(attachedProcesses(target))).toEqual(sorted(me, inC, peer));
    }
    const found = attachedProcesses(segment.name);
    expect(found.find(({ pid }) => pid === inC.pid)).toMatchObject({
      command: "hold",
      uid: process.getuid?.() as number,
      mappings: [{ byteLength: 4096, byteOffset: 0, access: "rw-s" }],
      descriptors: [],
    });
    const own = found.find(({ pid }) => pid === process.pid);
    expect(own).toMatchObject({ mappings: [{ byteLength: 8192 }], descriptors: [segment.fd] });

    // The addresses are those of that process: it has written a 1 to the first.
    const [mapping] = found.find(({ pid }) => pid === inC.pid)?.mappings ?? [];
    const line = readFileSync(`/proc/${inC.pid}/maps`, "utf8").split("\n")
      .find((each) => each.includes(segment.name)) as string;
    expect([mapping?.start, mapping?.end]).toEqual(
      line.split(" ")[0]?.split("-").map((address) => `0x${address}`) as string[],
    );

    inC.kill();
    await inC.exit();
    expect(pidsOf(attachedProcesses(segment.name))).toEqual(sorted(me, peer));
  });

  testWith([C_COMPILER, PYTHON], "a System V segment", async () => {
    const key = uniqueKey();
    const { peer: creator, lines: [id] } = await holdInC(`systemv:${key}:5000`);
    await using _ = creator;
    const target = { id: Number(id) };
    await using inC = (await holdInC(`attach:${id}`)).peer;
    await using python = new Peer(["python3", "-c", ATTACH_IN_PYTHON, id as string]);
    await python.line();
    expect(pidsOf(attachedProcesses({ key }))).toEqual(sorted(creator, inC, python));
    const found = attachedProcesses(target);
    expect(pidsOf(found)).toEqual(sorted(creator, inC, python));
    const twice = found.find(({ pid }) => pid === inC.pid);
    expect(twice?.descriptors).toEqual([]);
    expect(twice?.mappings.map(({ access, byteLength }) => [access, byteLength]).sort()).toEqual(
      [["r--s", 8192], ["rw-s", 8192]],
    );
    const listed = listSegments().find((each) => each.kind === "systemv" && each.id === target.id);
    expect(listed).toMatchObject({ attached: 4 });
    expect(JSON.stringify(listed?.processes)).toBe(JSON.stringify(found));
    inC.kill();
    await inC.exit();
    expect(pidsOf(attachedProcesses(target))).toEqual(sorted(creator, python));
  });

  testWith([C_COMPILER], "a memfd", async () => {
    const { peer: creator, lines: [fd] } = await holdInC("memfd:x:5000");
    await using _ = creator;
    const path = `/proc/${creator.pid}/fd/${fd}`;
    await using other = (await holdInC(`open:${path}`)).peer;
    await using third = (await holdInC(`open:${path}`, "memfd:x:5000")).peer; // and one of its own
    using file = openFile(path);
    const peers = [creator, other, third, { pid: process.pid }];
    expect(pidsOf(attachedProcesses(file))).toEqual(sorted(...peers));
    const first = attachedProcesses(file).find(({ pid }) => pid === creator.pid);
    expect(first).toMatchObject({ mappings: [{ byteLength: 8192 }], descriptors: [Number(fd)] });
    other.kill();
    await other.exit();
    expect(pidsOf(attachedProcesses(file))).toEqual(sorted(creator, third, { pid: process.pid }));
  });
});

describe("attachedProcesses()", () => {
  testWith([C_COMPILER], "does not take an earlier segment of the same name for it", async () => {
    const name = uniqueName();
    await using peer = (await holdInC(`create:${name}:4096`)).peer;
    using unlinked = openFile(`/dev/shm/${name}`);
    SharedSegment.unlink(name);
    using segment = SharedSegment.create(name, { size: 4096 });
    expect(pidsOf(attachedProcesses(segment.name))).toEqual([process.pid]);
    expect(pidsOf(attachedProcesses(unlinked))).toEqual(sorted(peer, { pid: process.pid }));
    const listed = listSegments({ kinds: ["posix"] }).filter((each) =>
      each.kind === "posix" && each.name === name
    );
    expect(listed.map((each) => "linked" in each && each.linked)).toEqual([true, false]);
    expect(pidsOf(listed[1]?.processes as AttachedProcesses)).toContain(peer.pid);
  });

  testWith([C_COMPILER], "sees a process whose first thread has ended", async () => {
    const name = uniqueName();
    const { peer } = await holdInC(`create:${name}:4096`, "thread");
    await using _ = peer;
    while (!/^State:\tZ/m.test(readFileSync(`/proc/${peer.pid}/status`, "utf8"))) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    const [found] = attachedProcesses(name);
    expect(found).toMatchObject({ pid: peer.pid, mappings: [{ byteLength: 4096 }] });
    expect(found?.descriptors.length).toBe(1);
  });

  testWith([C_COMPILER], "tells memfds, anonymous memory and System V segments apart", async () => {
    const label = uniqueName();
    const { peer, lines } = await holdInC(
      "anonymous:4096",
      "systemv:0:4096",
      `memfd:${label}:4096`,
      "memfd:/SYSV00000000:4096",
      `mapped:${label}-mapped:4096`,
      `huge:${label}-huge`,
    );
    await using _ = peer;
    spawnSync("ipcrm", ["-m", lines[1] as string]);
    const found = listSegments().filter(({ processes }) => pidsOf(processes).includes(peer.pid));
    expect(
      found.map((each) => [each.kind, each.kind === "systemv" ? each.id : each.name]).sort(),
    ).toEqual([
      ["memfd", "/SYSV00000000"],
      ["memfd", label],
      ["memfd", `${label}-huge`],
      ["memfd", `${label}-mapped`],
      ["systemv", Number(lines[1])],
    ]);
    for (const { processes } of found) expect(pidsOf(processes)).toEqual([peer.pid]);
  });

  test("lives with processes that come and go", async () => {
    using segment = SharedSegment.create(uniqueName(), { size: 64 });
    const loop = "while :; do /bin/true; done";
    const children = [1, 2, 3].map(() => spawn("sh", ["-c", loop], { stdio: "ignore" }));
    try {
      for (let scans = 0; scans < 300; scans++) {
        expect(pidsOf(attachedProcesses(segment))).toEqual([process.pid]);
        expect(listSegments().length).toBeGreaterThan(0);
        await new Promise((resolve) => setTimeout(resolve, 0));
      }
    } finally {
      for (const child of children) child.kill("SIGKILL");
    }
  });

  test("takes any segment of the library, and tells nobody once it is closed", () => {
    const path = `${temporaryDirectory()}/file`;
    const make: (() => SharedSegment | SystemVSegment)[] = [
      () => SharedSegment.create(uniqueName(), { size: 5000 }),
      () => SharedSegment.anonymous({ size: 5000 }),
      () => SharedSegment.openFile(path, { size: 5000, create: true }),
      () => SystemVSegment.create({ size: 5000 }),
      () => SystemVSegment.create({ key: uniqueKey(), size: 5000 }),
    ];
    for (const each of make) {
      using segment = each();
      segment.bytes[0] = 1;
      const found = attachedProcesses(segment);
      expect(pidsOf(found)).toEqual([process.pid]);
      expect(found[0]?.mappings.map(({ byteLength }) => byteLength)).toEqual([8192]);
      if (segment instanceof SystemVSegment) {
        const listed = listSegments().find((one) =>
          one.kind === "systemv" && one.id === segment.id
        );
        const { processes, ...stat } = listed as SegmentInfo;
        expect(stat).toEqual(segment.stat());
        expect(pidsOf(processes)).toEqual([process.pid]);
        segment.close();
        expect(pidsOf(attachedProcesses({ id: segment.id }))).toEqual([]);
        SystemVSegment.remove({ id: segment.id });
      } else {
        const { kind, name } = segment;
        const listed = listSegments().find((one) =>
          one.kind === kind && one.name === name && pidsOf(one.processes).includes(process.pid)
        );
        if (kind === "file") expect(listed).toBe(undefined);
        else expect({ ...listed, processes: 0 }).toEqual({ ...segment.stat(), processes: 0 });
        using kept = openFile(`/proc/self/fd/${segment.fd}`);
        segment.close();
        expect([...attachedProcesses(kept)]).toMatchObject([
          { pid: process.pid, mappings: [], descriptors: [kept.fd] },
        ]);
      }
    }
  });

  for (const runtime of RUNTIMES) {
    testWith(
      [C_COMPILER],
      `tells all or fails without descriptors in ${runtime.name}`,
      async () => {
        const name = uniqueName();
        await using _ = (await holdInC(`create:${name}:64`)).peer;
        const wrapper = ["bash", "-c", 'ulimit -n 400; exec "$@"', "bash"];
        const output = await runPeer(runtime, "look_exhausted.ts", [name], { wrapper });
        // The runtime takes a descriptor of its own now and then.
        const lines = output.trimEnd().split("\n");
        expect(lines.length).toBe(9);
        for (const line of lines) expect(line).toMatch(/^\d( (1|EMFILE)){2} (true|EMFILE)$/);
        expect(lines[0]).toContain("EMFILE");
        expect(lines.at(-1)).toBe("8 1 1 true");
      },
    );
  }

  test("refuses what is no target", () => {
    for (const target of [undefined, null, 5, {}, true] as unknown as SegmentTarget[]) {
      expectError(
        () => attachedProcesses(target),
        TypeError,
        /target must be a name, or an object/,
      );
    }
    const refuse = (target: unknown, type: typeof TypeError | typeof RangeError, rule: RegExp) =>
      expectError(() => attachedProcesses(target as SegmentTarget), type, rule);
    refuse("a/b", TypeError, /name must not contain/);
    refuse({ fd: "3" }, TypeError, /fd must be an integer/);
    refuse({ fd: -1 }, RangeError, /fd must be an integer from 0 to 2\^31 - 1, received -1/);
    refuse({ id: 1.5 }, RangeError, /id must be an integer/);
    refuse({ key: 2 ** 32 }, RangeError, /key must be an integer/);
    refuse({ key: 0 }, RangeError, /key must not be 0/);
  });

  test("says what is missing", () => {
    const name = uniqueName();
    const expectCode = (target: SegmentTarget, code: ShmErrorCode, message: RegExp) =>
      expect(expectError(() => attachedProcesses(target), ShmError, message).code).toBe(code);
    expectCode(name, "ENOENT", /Cannot find the processes of segment "shmkit-test/);
    expectCode({ key: 0xdeadbee5 }, "ENOENT", /No System V segment has the key 0xdeadbee5/);
    expectCode({ id: 2 ** 31 - 1 }, "EINVAL", /No System V segment has the id 2147483647/);
    expectCode({ fd: 2 ** 30 }, "EBADF", /Descriptor 1073741824 is not open in this process/);
    using directory = openFile("/dev/shm");
    expectCode(directory, "ERR_SHM_KIND", /it is a directory\. Only files/);
    const closed = SharedSegment.create(name, { size: 64, lifetime: "creator" });
    closed.close();
    expectCode(closed, "ERR_SHM_CLOSED", /this handle is closed/);
  });
});

describe("attachedProcesses() between users and namespaces", () => {
  for (const runtime of RUNTIMES) {
    testWith([C_COMPILER, OTHER_USERS], `tells whom it cannot see in ${runtime.name}`, async () => {
      using segment = SharedSegment.create(uniqueName(), { size: 64, mode: 0o666 });
      await using peer = (await holdInC(`map:${segment.name}`)).peer;
      const { processes, unreadable, hidden } = await lookAs(NOBODY, segment.name, {}, runtime);
      expect(processes).toEqual([] as never);
      const of = (pid: number) => unreadable.find((each) => each.pid === pid);
      expect(of(peer.pid)).toEqual({ pid: peer.pid, command: "hold", uid: 0, code: "EACCES" });
      expect(of(process.pid)?.code).toBe("EACCES");
      expect(hidden).toBe(false);
      // Threads of the kernel hold nothing. Its first one has the number 2 where there are any.
      expect(readFileSync("/proc/2/comm", "utf8") === "kthreadd\n" ? of(2) : undefined)
        .toBe(undefined);
      expect(pidsOf((await lookAs(0, segment.name, {}, runtime)).processes)).toEqual(
        sorted(peer, { pid: process.pid }),
      );
    });
  }

  testWith([C_COMPILER, OTHER_USERS], "knows of another user's own processes", async () => {
    const name = uniqueName();
    using _segment = SharedSegment.create(name, { size: 64, mode: 0o666 });
    const asNobody = nobody();
    await using readable = new Peer([compileC("hold.c"), `map:${name}`], asNobody);
    await readable.line();
    await using dark = new Peer([compileC("hold.c"), `map:${name}`, "undumpable"], asNobody);
    await dark.line();
    await dark.line();
    const { processes, unreadable } = await lookAs(NOBODY, name);
    expect(processes.map(({ pid, uid }) => [pid, uid])).toEqual([[readable.pid, NOBODY]]);
    const found = unreadable.find(({ pid }) => pid === dark.pid);
    expect(found).toEqual({ pid: dark.pid, command: "hold", uid: NOBODY, code: "EACCES" });
  });

  testWith([C_COMPILER, OTHER_USERS], "tells what it can of memory it may not open", async () => {
    const label = uniqueName();
    const asNobody = nobody();
    await using peer = new Peer([compileC("hold.c"), `mapped:${label}%0a:5000`], asNobody);
    await peer.line();
    const look = async (uid: number) => {
      const list = JSON.parse(await runPeer(HOST, "look.ts", [uid, "segments"]));
      return list.find(({ name }: { name?: string }) => name?.startsWith(label));
    };
    expect(await look(0)).toMatchObject({ kind: "memfd", name: `${label}\n`, size: 5000 });
    const seen = await look(NOBODY);
    expect(seen).toMatchObject({ kind: "memfd", name: `${label}\n`, linked: false });
    expect(seen.size).toBe(undefined);
    expect(seen.processes).toMatchObject([{ pid: peer.pid, mappings: [{ byteLength: 8192 }] }]);
  });

  testWith([C_COMPILER, MOUNT_NAMESPACE], "says when processes are hidden", async () => {
    using segment = SharedSegment.create(uniqueName(), { size: 64, mode: 0o666 });
    const hidepid = (level: string) => ({
      wrapper: [
        "unshare",
        "-m",
        "sh",
        "-c",
        `mount -t proc -o hidepid=${level} proc /proc && exec setpriv --clear-groups "$@"`,
        "sh",
      ],
    });
    const invisible = await lookAs(NOBODY, segment.name, hidepid("invisible"));
    expect(invisible).toEqual({ processes: [], unreadable: [], hidden: true } as never);
    const root = await lookAs(0, segment.name, hidepid("invisible"));
    expect([root.hidden, pidsOf(root.processes)]).toEqual([false, [process.pid]]);
    const byRight = await lookAs(0, segment.name, hidepid(`invisible,gid=${NOGROUP}`));
    expect([byRight.hidden, pidsOf(byRight.processes)]).toEqual([false, [process.pid]]);
    const group = await lookAs(NOBODY, segment.name, hidepid(`invisible,gid=${NOGROUP}`));
    expect([group.hidden, group.unreadable.some(({ pid }) => pid === process.pid)])
      .toEqual([false, true]);
    const closed = await lookAs(NOBODY, segment.name, hidepid("noaccess"));
    const me = closed.unreadable.find(({ pid }) => pid === process.pid);
    expect(me).toEqual({ pid: process.pid, code: "EPERM" } as never);
    expect(closed.hidden).toBe(false);
  });

  testWith([MOUNT_NAMESPACE], "says when there is no /proc", async () => {
    using segment = SharedSegment.create(uniqueName(), { size: 64 });
    // The runtimes themselves need it to start; so it goes when they have.
    const wrapper = ["unshare", "-m", "sh", "-c", 'mount -t tmpfs none /proc && exec "$@"', "sh"];
    for (const runtime of RUNTIMES) {
      const args = [0, "attached", JSON.stringify(segment.name)];
      const peer = startPeer(runtime, "look.ts", args, { wrapper });
      const { code, stdout } = await peer.exit();
      if (code !== 0) continue; // a runtime that does not start without it
      expect(JSON.parse(stdout).message).toMatch(/Mount the proc file system at \/proc/);
    }
  });

  testWith([C_COMPILER, MOUNT_NAMESPACE], "sees into PID namespaces below its own", async () => {
    using segment = SharedSegment.create(uniqueName(), { size: 64 });
    const command = [compileC("hold.c"), `map:${segment.name}`];
    const wrapper = ["unshare", "-p", "-f", "--kill-child"];
    await using peer = new Peer(command, { wrapper });
    await peer.line();
    const [child, ...others] = attachedProcesses(segment).filter(({ pid }) => pid !== process.pid);
    expect(others).toEqual([]);
    expect(child?.command).toBe("hold");
    expect(child?.pid).toBeGreaterThan(1);
  });

  testWith([C_COMPILER, MOUNT_NAMESPACE], "knows a file on layers of file systems", async () => {
    // A container's files are. Here, tables of mappings tell the device of the layer below.
    const script = `cd "$0" && mkdir low all && mount -t tmpfs tmpfs all && mkdir all/up all/work &&
      echo text > low/old && mount -t overlay -o lowerdir=low,upperdir=all/up,workdir=all/work \\
      overlay all && echo text > all/new && cd all && exec "$@"`;
    const command = [compileC("hold.c"), "file:old", "file:new"];
    const wrapper = ["unshare", "-m", "sh", "-c", script, temporaryDirectory()];
    await using peer = new Peer(command, { wrapper });
    for (const _ of command.slice(1)) await peer.line();
    for (const name of ["old", "new"]) {
      using file = openFile(`/proc/${peer.pid}/cwd/${name}`);
      const found = attachedProcesses(file);
      expect(pidsOf(found)).toEqual(sorted(peer, { pid: process.pid }));
      expect(found.find(({ pid }) => pid === peer.pid)?.mappings.length).toBe(1);
    }
  });

  testWith([C_COMPILER, MOUNT_NAMESPACE], "leaves out another /dev/shm", async () => {
    using segment = SharedSegment.create(uniqueName(), { size: 64 });
    const command = [compileC("hold.c"), `create:${segment.name}:64`];
    const script = 'mount -t tmpfs tmpfs /dev/shm && exec "$@"';
    await using peer = new Peer(command, { wrapper: ["unshare", "-m", "sh", "-c", script, "sh"] });
    await peer.line();
    expect(pidsOf(attachedProcesses(segment.name))).toEqual([process.pid]);
    const holders = listSegments().flatMap(({ processes }) => pidsOf(processes));
    expect(holders).not.toContain(peer.pid);
  });

  testWith([C_COMPILER, MOUNT_NAMESPACE], "knows an id from an inode of that number", async () => {
    await using peer = new Peer([compileC("hold.c"), "collide"], { wrapper: ["unshare", "-i"] });
    const id = Number(await peer.line());
    const wrapper = ["nsenter", "-i", "-t", String(peer.pid)];
    const { processes } = await lookAs(0, { id }, { wrapper });
    expect(processes.map(({ mappings }) => mappings.map(({ byteLength }) => byteLength))).toEqual(
      [[8192]],
    );
    using memfd = openFile(`/proc/${peer.pid}/fd/3`);
    const holder = attachedProcesses(memfd).find(({ pid }) => pid === peer.pid);
    expect(holder?.mappings.map(({ byteLength }) => byteLength)).toEqual([4096]);
    const list = listSegments().filter((each) => pidsOf(each.processes).includes(peer.pid));
    expect(list.map(({ kind, size }) => [kind, size])).toEqual([["memfd", 4096]]);
  });

  testWith([C_COMPILER, MOUNT_NAMESPACE], "leaves out System V ids elsewhere", async () => {
    const start = async () => {
      const command = [compileC("hold.c"), "systemv:77:4096"];
      const peer = new Peer(command, { wrapper: ["unshare", "-i"] });
      expect(await peer.line()).toBe("0"); // the first id of any namespace
      return peer;
    };
    await using first = await start();
    await using second = await start();
    for (const peer of [first, second]) {
      const wrapper = ["nsenter", "-i", "-t", String(peer.pid)];
      expect(pidsOf((await lookAs(0, { id: 0 }, { wrapper })).processes)).toEqual([peer.pid]);
      expect(pidsOf((await lookAs(0, { key: 77 }, { wrapper })).processes)).toEqual([peer.pid]);
    }
  });
});
