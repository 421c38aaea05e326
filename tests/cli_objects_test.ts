/**
 * The verbs of `shm` that list, make and remove: compared with the tools of the system.
 */

import { describe, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { closeSync, constants, openSync, readdirSync } from "node:fs";
import { NamedSemaphore, SharedSegment, type ShmError, SystemVSegment } from "../mod.ts";
import { IPC_TOOLS, MOUNT_NAMESPACE, OTHER_USERS, testWith } from "./support/capabilities.ts";
import { cleanUpSystemV, removeLater, SHM, shm, shmJson, shmOk } from "./support/cli.ts";
import { cleanUpNames, ownFiles, uniqueName } from "./support/names.ts";
import { startPeer } from "./support/peers.ts";
import { HOST } from "./support/runtimes.ts";

cleanUpNames();
cleanUpSystemV();

interface Record {
  readonly target: string;
  readonly kind: string;
  readonly size?: number;
  readonly mode: number;
  readonly uid: number;
  readonly key?: number;
  readonly id?: number;
  readonly value?: number;
  readonly attached?: number;
  readonly complete: boolean;
  readonly processes: readonly { readonly pid: number; readonly descriptors: readonly number[] }[];
}

const system = (command: string, ...args: string[]): string =>
  spawnSync(command, args, { encoding: "utf8", env: { ...process.env, LC_ALL: "C" } }).stdout;

/** Makes a private System V segment that goes after the test. @returns Its target. */
function createSystemV(size: string, ...args: string[]): string {
  const target = shmOk(["create", "--systemv", "--private", "--size", size, ...args]).trim();
  removeLater(target);
  return target;
}

describe("shm create", () => {
  test("makes POSIX segments with exactly that size and mode", () => {
    const names = [uniqueName(), uniqueName()];
    expect(shmOk(["create", ...names, "--size", "64K", "--mode", "642"])).toBe(
      `${names.join("\n")}\n`,
    );
    for (const name of names) {
      using segment = SharedSegment.open(name, { trust: "anyone" });
      expect(segment.stat()).toMatchObject({ size: 65536, residentBytes: 65536, mode: 0o642 });
    }
  });

  test("does not reserve memory with --no-reserve", () => {
    const name = uniqueName();
    shmOk(["create", name, "-s", "1M", "--no-reserve"]);
    const [record] = shmJson<[{ residentBytes: number }]>(["stat", name]);
    expect(record.residentBytes).toBe(0);
  });

  test("makes semaphores with their values", () => {
    const name = uniqueName();
    expect(shmOk(["create", `sem:${name}`, "--value", "7"])).toBe(`sem:${name}\n`);
    using semaphore = NamedSemaphore.open(name);
    expect(semaphore.value).toBe(7);
  });

  test("makes System V segments with a key and without", () => {
    const key = 0x5a000000 + (process.pid & 0xffffff);
    const [made] = shmJson<[Record & { key: string }]>([
      "create",
      `key:${key}`,
      "-s",
      "4097",
      "-m",
      "620",
    ]);
    const id = removeLater(made.target);
    expect(made).toMatchObject({ kind: "systemv", size: 4097, key, mode: 0o620 });
    const found = SystemVSegment.list().find((each) => each.id === id);
    expect(found).toMatchObject({ key, size: 4097, mode: 0o620 });

    const target = createSystemV("5000");
    const privateOne = SystemVSegment.list().find((each) => `id:${each.id}` === target);
    expect(privateOne).toMatchObject({ key: 0, size: 5000 });
  });

  test("refuses what exists, names that are reserved, and sizes of 0", () => {
    const name = uniqueName();
    shmOk(["create", name, "-s", "1"]);
    expect(shm(["create", name, "-s", "1"])).toMatchObject({
      code: 1,
      stderr: `shm: Cannot create segment "${name}": it exists already (EEXIST from linkat). ` +
        "Choose another name, or remove it first with shm rm.\n",
    });
    expect(shm(["create", "sem.x", "-s", "1"]).code).toBe(1);
    expect(shm(["create", "a b", "-s", "1"]).code).toBe(1);
    expect(shm(["create", uniqueName(), "-s", "0"]).code).toBe(1);
  });
});

describe("shm ls", () => {
  test("lists what the directory has, and what it says agrees with it", () => {
    const [first, second] = [uniqueName(), uniqueName()];
    shmOk(["create", first, "-s", "3M", "-m", "604"]);
    shmOk(["create", second, "-s", "5K"]);
    const lines = shmOk(["ls", `${first.replace(/\d+$/, "")}*`, "--sort", "size", "--bytes"])
      .trimEnd().split("\n").map((line) => line.split(/ +/));
    expect(lines[0]).toEqual(["KIND", "MODE", "OWNER", "HELD", "SIZE", "RESIDENT", "AGE", "NAME"]);
    const rows = lines.filter((line) => [first, second].includes(line.at(-1) as string));
    expect(rows.map((row) => [row[0], row[1], row[4], row[5], row[7]])).toEqual([
      ["posix", "604", String(3 * 2 ** 20), String(3 * 2 ** 20), first],
      ["posix", "600", "5120", "8192", second],
    ]);
    const listed = shmJson<Record[]>(["ls", "--kind", "posix"]).map(({ target }) => target);
    for (const name of ownFiles()) expect(listed).toContain(name);
    for (const name of listed) expect(name.startsWith("sem.")).toBe(false);
  });

  test("sorts, reverses, filters", () => {
    const names = [uniqueName(), uniqueName(), uniqueName()];
    for (const [index, name] of names.entries()) {
      shmOk(["create", name, "-s", `${(index * 7) % 3 + 1}K`]);
    }
    const list = (...args: string[]) =>
      shmOk(["ls", ...names, "--no-header", ...args]).trimEnd().split("\n")
        .map((line) => line.split(/ +/).at(-1));
    expect(list()).toEqual(names.toSorted());
    expect(list("--sort", "size")).toEqual([names[2], names[1], names[0]]);
    expect(list("--sort", "size", "-r")).toEqual([names[0], names[1], names[2]]);
    expect(list("--owner", String(process.getuid?.()))).toEqual(names.toSorted());
    expect(shmJson(["ls", ...names, "--owner", "nobody"])).toEqual([]);
    expect(shmOk(["ls", ...names, "--kind", "semaphore,systemv"])).toBe("");
    expect(
      shmJson<Record[]>(["ls", ...names, "--orphans"]).every(({ processes }) =>
        processes.length === 0
      ),
    ).toBe(true);
  });

  testWith([IPC_TOOLS], "lists the System V segments and semaphores that ipcs and lsipc do", () => {
    const target = createSystemV("12345", "-m", "640");
    const set = /\d+/.exec(system("ipcmk", "-S", "3"))?.[0] as string;
    try {
      const records = shmJson<Record[]>(["ls", "--kind", "systemv,semset"]);
      const mine = records.find((each) => each.target === target) as Record;
      const [, id, , perms, bytes, nattch] = system("ipcs", "-m").split("\n")
        .map((line) => line.split(/ +/)).find((line) => `id:${line[1]}` === target) as string[];
      expect(mine).toMatchObject({ id: Number(id), size: Number(bytes), attached: Number(nattch) });
      expect(mine.mode.toString(8)).toBe(perms as string);
      const ids = JSON.parse(system("lsipc", "-m", "-J", "-o", "ID")).sharedmemory
        .map((each: { id: unknown }) => `id:${each.id}`);
      expect(ids).toContain(target);
      expect(records.find((each) => each.target === `semid:${set}`)).toMatchObject({ count: 3 });
    } finally {
      shmOk(["rm", `semid:${set}`]);
    }
    expect(system("ipcs", "-s").split("\n").some((line) => line.split(/ +/)[1] === set)).toBe(
      false,
    );
  });

  test("shows semaphores with their values", () => {
    const name = uniqueName();
    using semaphore = NamedSemaphore.create(name, { initialValue: 5 });
    semaphore.post();
    const [record] = shmJson<[Record]>(["ls", `sem:${name}`]);
    expect(record).toMatchObject({ target: `sem:${name}`, kind: "semaphore", value: 6 });
    expect(record.processes.map(({ pid }) => pid)).toContain(process.pid);
    expect(shmOk(["ls", `sem:${name}`])).toContain(`sem:${name}  value 6\n`);
  });

  test("shows memory without a name on demand", () => {
    const name = uniqueName();
    using segment = SharedSegment.create(name, { size: 4096 });
    segment.unlink();
    expect(shmOk(["ls", "--no-header"])).not.toContain(name);
    const unnamed = shmJson<Record[]>(["ls", "--all"]).filter(({ target }) => target === null);
    const mine = unnamed.find(({ processes }) => processes.some(({ pid }) => pid === process.pid));
    expect(mine).toMatchObject({ kind: "posix", size: 4096 });
    expect(shmOk(["ls", "--all"])).toMatch(/^posix .* \(no name\)$/m);
  });
});

describe("shm stat", () => {
  test("tells what stat(1) does", () => {
    const name = uniqueName();
    shmOk(["create", name, "-s", "9000", "-m", "640"]);
    const text = shmOk(["stat", name]);
    const [size, mode, uid, gid] = system("stat", "-c", "%s %a %u %g", `/dev/shm/${name}`).trim()
      .split(" ");
    expect(text).toMatch(new RegExp(`^size +${size} \\(8\\.8 KiB\\)$`, "m"));
    expect(text).toMatch(new RegExp(`^mode +${mode} \\(rw-r-----\\)$`, "m"));
    expect(text).toMatch(new RegExp(`^owner .*\\(${uid}\\), group ${gid}$`, "m"));
    expect(text).toMatch(/^held by +nobody/m);
  });

  test("finds a System V segment by its key and by its id", () => {
    const key = 0x5b000000 + (process.pid & 0xffffff);
    const target = shmOk(["create", "--systemv", "--key", String(key), "-s", "100"]).trim();
    removeLater(target);
    const byKey = shmJson<[Record]>(["stat", `key:0x${key.toString(16)}`]);
    const byId = shmJson<[Record]>(["stat", target]);
    expect(byKey).toEqual(byId);
    expect(byKey[0]).toMatchObject({ key, size: 100, attached: 0 });
  });
});

describe("shm ps", () => {
  test("lists who has it mapped, and who has it open", () => {
    const name = uniqueName();
    using segment = SharedSegment.create(name, { size: 8192 });
    const [record] = shmJson<[Record]>(["ps", name]);
    const mine = record.processes.find(({ pid }) => pid === process.pid);
    expect(mine?.descriptors).toEqual([segment.fd]);
    const line = shm(["ps", name, "--no-header"]).stdout.trim().split(/ +/);
    expect(line[0]).toBe(String(process.pid));
    expect([line[2], line.slice(3, 5).join(" "), line[5]]).toEqual(["rw-", "8.0 KiB", "1"]);
    expect(line.at(-1)).toBe(name);
  });

  test("says when nobody does, and when there is no such object", () => {
    const name = uniqueName();
    shmOk(["create", name, "-s", "1"]);
    expect(shm(["ps", name]).stdout).toBe("");
    expect(shm(["ps", uniqueName()])).toMatchObject({ code: 1, stdout: "" });
  });
});

describe("shm rm", () => {
  test("removes segments and semaphores by every spelling", () => {
    const name = uniqueName();
    const key = 0x5c000000 + (process.pid & 0xffffff);
    shmOk(["create", name, "-s", "1"]);
    shmOk(["create", `sem:${name}`]);
    const systemV = createSystemV("1");
    removeLater(shmOk(["create", `key:${key}`, "-s", "1"]).trim());
    const removed = shmJson(["rm", `/${name}`, `sem:/${name}`, systemV, `key:${key}`]);
    expect(removed).toEqual([
      { target: name, removed: true },
      { target: `sem:${name}`, removed: true },
      { target: systemV, removed: true },
      { target: `key:0x${key.toString(16)}`, removed: true },
    ]);
    expect(ownFiles()).toEqual([]);
    expect(SystemVSegment.list().some((each) => each.key === key)).toBe(false);
  });

  test("fails for what does not exist, unless --force", () => {
    const targets = [uniqueName(), `sem:${uniqueName()}`, "id:2147483647", "key:0x7fffffff"];
    for (const target of targets) {
      const { code, stderr } = shm(["rm", target]);
      expect(code).toBe(1);
      expect(stderr).toMatch(/^shm: Cannot remove .* it does not exist/);
    }
    expect(shmOk(["rm", "--force", ...targets])).toBe("");
  });

  testWith([IPC_TOOLS], "is interchangeable with ipcrm", () => {
    const target = createSystemV("1");
    system("ipcrm", "-m", target.slice(3));
    expect(shm(["rm", target]).code).toBe(1);
    const made = /\d+/.exec(system("ipcmk", "-M", "4096"))?.[0] as string;
    removeLater(`id:${made}`);
    shmOk(["rm", `id:${made}`]);
    expect(system("ipcs", "-m")).not.toMatch(new RegExp(` ${made} `));
  });

  testWith([OTHER_USERS], "is refused for what belongs to somebody else", () => {
    const name = uniqueName();
    using _segment = SharedSegment.create(name, { size: 1, mode: 0o666 });
    const { code, stderr } = shm(["rm", name], { command: asNobody() });
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /^shm: Cannot unlink segment .*(EACCES|EPERM).* Run as its owner, or as root\.\n$/,
    );
    expect(SharedSegment.exists(name)).toBe(true);
  });
});

/** The command as another user, who may read the sources. */
const asNobody = () => [
  "setpriv",
  "--reuid=65534",
  "--regid=65534",
  "--clear-groups",
  "env",
  "HOME=/nonexistent",
  "DENO_DIR=/nonexistent",
  ...SHM,
];

interface Verdict {
  readonly target: string;
  readonly verdict: string;
  readonly reason: string | null;
}

describe("shm gc", () => {
  const gc = (...args: string[]) => shmJson<Verdict[]>(["gc", "--min-age", "0", ...args]);
  const exists = (name: string) => SharedSegment.exists(name);

  test("removes nothing without --force, and nothing that is not named", () => {
    const [named, other] = [uniqueName(), uniqueName()];
    shmOk(["create", named, other, "-s", "4K"]);
    expect(gc(named)).toEqual([
      { target: named, verdict: "would remove", reason: null, size: 4096 } as Verdict,
    ]);
    expect([exists(named), exists(other)]).toEqual([true, true]);
    expect(gc(named, "--force")).toMatchObject([{ target: named, verdict: "removed" }]);
    expect([exists(named), exists(other)]).toEqual([false, true]);
    // Without a pattern, what has just been left stays: it may be what another test looks at.
    const left = shmJson<Verdict[]>(["gc", "--force"]);
    expect(left.map(({ target }) => target)).not.toContain(other);
    expect(exists(other)).toBe(true);
    const { stdout, stderr } = shm(["gc"]);
    expect(stdout).toBe("");
    expect(stderr).toMatch(
      /^shm: not named, and therefore left alone: \d+ orphans? of .* see shm ls --orphans\n$/,
    );
  });

  test("keeps what is mapped, what is open, and what is read", () => {
    const [mapped, open, read, semaphore] = [1, 2, 3, 4].map(uniqueName) as [
      string,
      string,
      string,
      string,
    ];
    using _mapped = SharedSegment.create(mapped, { size: 1 });
    SharedSegment.create(open, { size: 1 }).close();
    SharedSegment.create(read, { size: 1 }).close();
    using _readonly = SharedSegment.open(read, { readonly: true });
    using _semaphore = NamedSemaphore.create(semaphore, { initialValue: 0 });
    const fd = openSync(`/dev/shm/${open}`, constants.O_RDONLY);
    try {
      const verdicts = gc(mapped, open, read, `sem:${semaphore}`, "--force");
      expect(verdicts.map(({ verdict }) => verdict)).toEqual(["kept", "kept", "kept", "kept"]);
      for (const { reason } of verdicts) expect(reason).toBe("1 process holds it");
      expect([mapped, open, read].map(exists)).toEqual([true, true, true]);
    } finally {
      closeSync(fd);
    }
    expect(gc(open, "--force")).toMatchObject([{ verdict: "removed" }]);
  });

  test("spares what is young", () => {
    const name = uniqueName();
    shmOk(["create", name, "-s", "1"]);
    const [verdict] = shmJson<[Verdict]>(["gc", name, "--force"]);
    expect(verdict.verdict).toBe("kept");
    expect(verdict.reason).toMatch(/^it is \d+s old only$/);
    expect(exists(name)).toBe(true);
  });

  test("goes by the kernel's count for System V segments", () => {
    const target = createSystemV("4K");
    const id = Number(target.slice(3));
    {
      using _attached = SystemVSegment.open({ id });
      expect(gc(target, "--force")).toMatchObject([{
        verdict: "kept",
        reason: "it is attached 1 time",
      }]);
    }
    expect(gc(target, "--force")).toMatchObject([{ verdict: "removed" }]);
    expect(SystemVSegment.exists({ id })).toBe(false);
  });

  test("takes patterns, of POSIX names and of semaphores", () => {
    const name = uniqueName();
    shmOk(["create", `${name}a`, `${name}b`, "-s", "1"]);
    shmOk(["create", `sem:${name}a`]);
    const targets = gc(`${name}?`, `sem:${name}*`, "--force").map(({ target }) => target);
    expect(targets).toEqual([`${name}a`, `${name}b`, `sem:${name}a`]);
    expect(ownFiles()).toEqual([]);
  });

  test("removes mailboxes whose owners are dead, and no others", () => {
    const [dead, alive] = ["dead", "alive"].map((each) =>
      `shmkit-mailbox-test-${process.pid}-${each}`
    ) as [string, string];
    system("mkfifo", `/dev/shm/${dead}`, `/dev/shm/${alive}`);
    const fd = openSync(`/dev/shm/${alive}`, constants.O_RDWR | constants.O_NONBLOCK);
    try {
      const verdicts = (...args: string[]) =>
        shmJson<Verdict[]>(["gc", ...args]).filter(({ target }) => [dead, alive].includes(target));
      expect(verdicts(alive)).toMatchObject([
        { target: alive, verdict: "kept", reason: "somebody has it open" },
        { target: dead, verdict: "would remove" },
      ]);
      expect(verdicts("--force")).toMatchObject([{ target: dead, verdict: "removed" }]);
      expect(readdirSync("/dev/shm").filter((each) => [dead, alive].includes(each))).toEqual([
        alive,
      ]);
    } finally {
      closeSync(fd);
      system("rm", "-f", `/dev/shm/${dead}`, `/dev/shm/${alive}`);
    }
  });

  test("asks the kernel without harm to itself or to whoever opens the object meanwhile", async () => {
    const name = uniqueName();
    SharedSegment.create(name, { size: 4096 }).close();
    await using asking = startPeer(HOST, "open_elsewhere.ts", [name, 1500]);
    expect(await asking.line()).toBe("asking");
    let waited = 0;
    for (let round = 0; round < 200; round++) {
      try {
        SharedSegment.open(name).close();
      } catch (error) {
        // What does not wait is told so; it can try again.
        expect((error as ShmError).code).toBe("EAGAIN");
        waited++;
      }
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    expect(waited).toBeLessThan(200);
    const counts = JSON.parse(await asking.line());
    expect(counts.free).toBeGreaterThan(0);
    expect(counts.failed).toBe(0);
    expect(await asking.exit()).toMatchObject({ code: 0, signal: null });
  });

  testWith([MOUNT_NAMESPACE], "keeps what a process holds that cannot be seen", () => {
    const name = uniqueName();
    using _segment = SharedSegment.create(name, { size: 1 });
    const command = ["unshare", "--pid", "--fork", "--mount-proc", ...SHM];
    const [verdict] = shmJson<[Verdict]>(["gc", name, "--force", "--min-age", "0"], { command });
    expect(verdict).toMatchObject({
      verdict: "kept",
      reason: "a process that cannot be seen from here holds it",
    });
    expect(exists(name)).toBe(true);
  });

  testWith([OTHER_USERS], "keeps what belongs to somebody else", () => {
    const name = uniqueName();
    SharedSegment.create(name, { size: 1, mode: 0o666 }).close();
    const args = ["gc", name, "--force", "--min-age", "0"];
    const [verdict] = shmJson<[Verdict]>(args, { command: asNobody() });
    expect(verdict).toMatchObject({ verdict: "kept", reason: "it belongs to root" });
    expect(exists(name)).toBe(true);
  });
});

describe("shm doctor", () => {
  interface Finding {
    readonly level: string;
    readonly topic: string;
    readonly what: string;
    readonly remedy?: string;
  }

  test("gives every finding a level, and what is not well a remedy", () => {
    const { code, stdout } = shm(["doctor", "--json"]);
    const findings = JSON.parse(stdout) as Finding[];
    expect(code).toBe(findings.some(({ level }) => level === "error") ? 1 : 0);
    for (const { level, what, remedy } of findings) {
      expect(["ok", "note", "warning", "error"]).toContain(level);
      expect(what).not.toBe("");
      if (level === "warning" || level === "error") expect(typeof remedy).toBe("string");
    }
    const topics = findings.map(({ topic }) => topic);
    for (const topic of ["runtime", "space", "kernel", "logout"]) expect(topics).toContain(topic);
    // The same as text; of what others do meanwhile, the two may tell differently.
    const lines = shm(["doctor"]).stdout.split("\n");
    for (const { topic, level, what } of findings) {
      if (["runtime", "logout"].includes(topic)) {
        expect(lines).toContain(`${level.padEnd(9)}${what}`);
      }
    }
    expect(lines.filter((line) => /^(ok|note|warning|error) /.test(line)).length)
      .toBeGreaterThan(4);
  });

  testWith(
    [MOUNT_NAMESPACE],
    "finds a directory that is small, full, of another kind or unusable",
    () => {
      const inside = (script: string): Finding[] => {
        const { stdout } = shm([], {
          command: [
            "unshare",
            "--mount",
            "sh",
            "-c",
            `${script}; exec "$@" doctor --json`,
            "sh",
            ...SHM,
          ],
        });
        return JSON.parse(stdout);
      };
      const worst = (findings: Finding[], topic: string) =>
        findings.filter((each) => each.topic === topic && each.level !== "ok").map((
          { level, what },
        ) => `${level}: ${what}`);
      const mount = (options: string) => `mount -t tmpfs -o ${options} tmpfs /dev/shm`;

      const small = inside(mount("mode=1777,size=64m"));
      expect(worst(small, "space")).toEqual([
        "warning: /dev/shm has 64.0 MiB, 0 B (0 %) used: that is little, as containers have it",
      ]);
      const full = inside(
        `${mount("mode=1777,size=1m")}; head -c 2m /dev/zero > /dev/shm/full 2>/dev/null`,
      );
      expect(worst(full, "space")).toEqual([
        "error: /dev/shm has 1.0 MiB, 1.0 MiB (100 %) used: it is full",
      ]);
      const open = inside(mount("mode=777,size=1g"));
      expect(worst(open, "directory")).toEqual([
        "warning: /dev/shm (mode 777) lets every user remove and replace objects of others",
      ]);
      const readonly = inside(mount("mode=1777,size=1g,ro"));
      expect(worst(readonly, "directory").join()).toMatch(
        /^error: \/dev\/shm \(mode 1777\) cannot be written/,
      );
      const plain = inside("while umount /dev/shm 2>/dev/null; do :; done");
      expect(worst(plain, "directory").join()).toMatch(/no mount of its own, not tmpfs/);
    },
  );

  testWith([MOUNT_NAMESPACE], "reads RemoveIPC as systemd does", () => {
    const script = [
      "mount -t tmpfs tmpfs /run && mkdir -p /run/systemd/system /run/systemd/logind.conf.d",
      'printf "[Login]\\n$CONFIG\\n" > /run/systemd/logind.conf.d/50-test.conf',
      'exec setpriv --reuid=12345 --clear-groups env HOME=/nonexistent DENO_DIR=/nonexistent "$@" doctor --json',
    ].join(" && ");
    const logout = (config: string) => {
      const { stdout } = shm([], {
        command: ["unshare", "--mount", "sh", "-c", script, "sh", ...SHM],
        env: { CONFIG: config },
      });
      return (JSON.parse(stdout) as Finding[]).find(({ topic }) => topic === "logout")?.level;
    };
    expect(logout("#RemoveIPC=no")).toBe("warning");
    expect(logout("RemoveIPC=no")).toBe("ok");
    expect(logout("RemoveIPC=no\\nRemoveIPC=yes")).toBe("warning");
  });
});
