/**
 * `interop/c/shmkit.h`: programs in C and C++ take part in the synchronisation of objects that the
 * library has made, among themselves, and are killed and stopped meanwhile.
 */

import { describe, expect } from "bun:test";
import {
  chmodSync,
  linkSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { decodeTrailer, placesOf, type Trailer } from "../memory/objects/trailer.ts";
import { SharedObject, SharedSegment, t } from "../mod.ts";
import { compile, temporaryDirectory } from "./support/c.ts";
import { C_COMPILER, type Capability, CPP_COMPILER, testWith } from "./support/capabilities.ts";
import { Locked } from "./support/locked.ts";
import { LockRecord } from "./support/lock_record.ts";
import { cleanUpNames, ownFiles, uniqueName } from "./support/names.ts";
import { once } from "./support/packaging.ts";
import { Peer, startPeer, succeed } from "./support/peers.ts";
import { HOST } from "./support/runtimes.ts";

cleanUpNames();
const directory = temporaryDirectory();
const path = (relative: string): string =>
  fileURLToPath(new URL(`../${relative}`, import.meta.url));
const WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Wcast-qual", "-Wshadow", "-Werror"];
const FLAGS = [...WARNINGS, `-I${path("interop/c")}`, `-I${path("tests/c")}`, "-pthread"];

/** The seed of the chaos. */
const SEED = Number(process.env["SHMKIT_SEED"] ?? Date.now() % 2 ** 31);

const PID_NAMESPACE: Capability = {
  name: "the right to make a PID namespace (root)",
  present: process.getuid?.() === 0,
};

const program = (name: string, compiler: string, ...args: string[]): () => string =>
  once(() => {
    const executable = join(directory, name);
    compile(compiler, [...args, ...FLAGS, "-o", executable]);
    return executable;
  });

const SCENARIOS = path("tests/c/participant.c");
/** How the scenarios are compiled. */
const BUILDS = {
  c: {
    needs: [C_COMPILER],
    make: program("participant", "cc", "-std=c11", "-O2", SCENARIOS),
  },
  cpp: {
    needs: [CPP_COMPILER],
    make: program("participant_cpp", "g++", "-x", "c++", "-std=c++11", "-O2", SCENARIOS),
  },
  sanitized: {
    needs: [C_COMPILER],
    make: program(
      "participant_sanitized",
      "cc",
      ...["-std=c11", "-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"],
      SCENARIOS,
    ),
  },
} as const;
const chaos = program("lock_chaos", "cc", "-std=c11", "-O2", path("tests/c/lock_chaos.c"));

/** The header's own file, as its users write it, and a program that only includes the header. */
const peer = once(() => {
  const implementation = join(directory, "shmkit.c");
  writeFileSync(implementation, '#define SHMKIT_IMPLEMENTATION\n#include "shmkit.h"\n');
  const executable = join(directory, "lock_peer");
  const sources = [path("tests/c/lock_peer.c"), implementation];
  compile("cc", ["-std=c11", "-O2", ...sources, ...FLAGS, "-o", executable]);
  return executable;
});

const Arena = t.struct("Arena", {
  lock: t.array(t.u32, 4),
  other: t.array(t.u32, 4),
  event: t.array(t.u32, 4),
  ping: t.array(t.u32, 4),
  pong: t.array(t.u32, 4),
  words: t.array(t.u32, 4),
  more: t.array(t.u32, 400),
});

function makeArena(participants = 64): string {
  const name = uniqueName();
  SharedObject.create(name, Arena, {}, { participants }).close();
  return name;
}

async function play(build: keyof typeof BUILDS, scenario: string, name: string): Promise<string> {
  const output = await succeed(new Peer([BUILDS[build].make(), scenario, name]));
  expect(output).toMatch(/\bok\n$/);
  return output;
}

/** Each scenario, by what has to come of it; and how many may take part. */
const STORIES: readonly { scenario: string; title: string; participants?: number }[] = [
  { scenario: "misuse", title: "a mistake is an error number, and no more" },
  { scenario: "many", title: "many mutexes are held at once" },
  { scenario: "full", title: "a full table refuses the next", participants: 100 },
  { scenario: "wrap", title: "generations wrap", participants: 1 },
  { scenario: "successor", title: "who got the slot of a dead owner is not it", participants: 2 },
  { scenario: "stopped_owner", title: "a stopped owner keeps its lock until it dies" },
  { scenario: "stopped_demander", title: "a stopped waiter holds up nobody" },
  { scenario: "killed_waiters", title: "killed waiters hold up nobody" },
  { scenario: "starvation", title: "a tight loop starves nobody" },
  { scenario: "demand", title: "who has waited for long is next" },
  { scenario: "thread", title: "a thread that ended without detaching is dead", participants: 2 },
  {
    scenario: "number_again",
    title: "a descriptor that a dead process had the number of is left alone",
    participants: 2,
  },
  { scenario: "copy", title: "a child made by fork() cannot act as its parent" },
  { scenario: "ping_pong", title: "no set of an automatic event is lost" },
  { scenario: "sets", title: "one set of an automatic event ends one wait" },
  { scenario: "gate", title: "a set that is reset at once ends every wait" },
  { scenario: "mail", title: "event loops get mail" },
];

describe("a participant in C", () => {
  for (const { scenario, title, participants } of STORIES) {
    testWith(BUILDS.c.needs, title, async () => {
      await play("c", scenario, makeArena(participants));
    });
  }

  testWith(BUILDS.cpp.needs, "is the same in C++", async () => {
    for (const scenario of ["misuse", "gate", "mail", "killed_waiters"]) {
      await play("cpp", scenario, makeArena());
    }
  });

  testWith(BUILDS.sanitized.needs, "does nothing that is undefined", async () => {
    for (const { scenario, participants } of STORIES) {
      // Those are long, and have the same code as others.
      if (!["ping_pong", "sets", "stopped_owner"].includes(scenario)) {
        await play("sanitized", scenario, makeArena(participants));
      }
    }
  });

  testWith(BUILDS.c.needs, "attaches to an object without a name", async () => {
    using object = SharedObject.anonymous(Arena);
    const wrapper = ["sh", "-c", 'exec "$@" < "$0"', `/proc/${process.pid}/fd/${object.fd}`];
    const peer = new Peer([BUILDS.c.make(), "descriptor", "none"], { wrapper });
    expect(await succeed(peer)).toBe("ok\n");
  });

  testWith(BUILDS.c.needs, "cleans the slot of a dead thread of another language", async () => {
    const name = uniqueName();
    using _object = SharedObject.create(name, Locked, undefined, { participants: 1 });
    await using dead = startPeer(HOST, "locked.ts", [name, "shareAndAwait"]);
    expect(await dead.line()).toBe("waiting");
    dead.kill();
    await dead.exit();
    const left = () => {
      const bytes = new Uint8Array(readFileSync(fileOf(name)));
      const { slots, waiters } = placesOf(decodeTrailer(bytes.slice(-64), bytes.length) as Trailer);
      const mailbox = Buffer.from(bytes.subarray(slots + 32, slots + 48)).swap32().toString("hex");
      return { bits: [bytes[waiters], bytes[waiters + 128]], mailbox: `shmkit-mailbox-${mailbox}` };
    };
    const { bits, mailbox } = left();
    expect([bits, readdirSync("/dev/shm").includes(mailbox)]).toEqual([[1, 1], true]);
    expect(await attach(name)).toBe("0");
    expect(left()).toEqual({ bits: [0, 0], mailbox: `shmkit-mailbox-${"0".repeat(32)}` });
    expect(readdirSync("/dev/shm")).not.toContain(mailbox);
  });
});

/** What C says of a name. */
async function attach(name: string): Promise<string> {
  return (await play("c", "attach", name)).split(" ")[0] as string;
}

const fileOf = (name: string): string => `/dev/shm/${name}`;

describe("shmkit_participant_attach() refuses", () => {
  testWith(BUILDS.c.needs, "names that are none", async () => {
    const name = makeArena();
    expect(await attach(name)).toBe("0");
    expect(await attach(`/${name}`)).toBe("0");
    for (const wrong of ["", "/", "//", `//${name}`, `a/${name}`, "..", ".", "a".repeat(256)]) {
      expect(await attach(wrong)).toBe("EINVAL");
    }
    expect(await attach(uniqueName())).toBe("ENOENT");
  });

  testWith(BUILDS.c.needs, "what is no object, or not to be trusted", async () => {
    const plain = uniqueName();
    SharedSegment.create(plain, { size: 5000 }).close();
    expect(await attach(plain)).toBe("EPROTO");
    truncateSync(fileOf(plain), 0);
    expect(await attach(plain)).toBe("EAGAIN");

    const name = makeArena();
    chmodSync(fileOf(name), 0o602);
    expect(await attach(name)).toBe("EPERM");
    chmodSync(fileOf(name), 0o600);
    const second = uniqueName();
    linkSync(fileOf(name), fileOf(second));
    expect(await attach(name)).toBe("EPERM");
    rmSync(fileOf(second));
    expect(await attach(name)).toBe("0");
  });

  testWith(BUILDS.c.needs, "what is damaged, byte by byte of the trailer", async () => {
    const name = makeArena();
    const whole = readFileSync(fileOf(name));
    const end = whole.length - 64;
    const answers = new Map<string, number>();
    for (let at = end - 1; at < whole.length; at++) {
      const damaged = new Uint8Array(whole);
      damaged[at] = (damaged[at] as number) ^ 1;
      writeFileSync(fileOf(name), damaged);
      const answer = await attach(name);
      answers.set(answer, (answers.get(answer) ?? 0) + 1);
    }
    // One byte is padding of the schema, which says nothing; magic; version.
    expect(Object.fromEntries(answers)).toEqual({
      ...(answers.has("0") ? { "0": 1 } : {}),
      EPROTO: 8,
      EPROTONOSUPPORT: 2,
      EBADMSG: answers.has("0") ? 54 : 55,
    });
    writeFileSync(fileOf(name), whole);
    truncateSync(fileOf(name), whole.length - 1);
    expect(await attach(name)).toBe("EPROTO");
  });

  testWith(BUILDS.c.needs, "what all who were attached have left", async () => {
    const name = uniqueName();
    const object = SharedObject.create(name, Arena, {}, { lifetime: "lastDetach" });
    await using peer = new Peer([BUILDS.c.make(), "stay", name]);
    expect(await peer.line()).toBe("attached");
    object.close();
    expect(ownFiles()).toEqual([name]);
    expect(await attach(name)).toBe("0");
    expect(await peer.exit()).toMatchObject({ code: 0 });
    expect(await attach(name)).toBe("ENOENT");
    expect(SharedObject.exists(name)).toBe(true);
    expect(() => SharedObject.open(name, Arena)).toThrow("ENOENT");
    expect(ownFiles()).toEqual([]);
  });
});

/** A new object of the lock tests, and how peers in each language are started at it. */
function makeRecord() {
  const name = uniqueName();
  const object = SharedObject.create(name, LockRecord, {});
  const offsets = ["lock", "event", "count"].map((field) => String(LockRecord.offsetOf(field)));
  const script = path("tests/peers/lock_peer.ts");
  const inC = (rounds: number, holdUs: number) => [
    ...[peer(), name, ...offsets, `${rounds}`, `${holdUs}`],
  ];
  const here = (rounds: number, holdUs: number) => [
    ...[...HOST.command, script, name, `${rounds}`, `${holdUs}`],
  ];
  return { name, object, inC, here, offsets };
}

/** What an object is when all have left, and as many rounds as they say are done. */
function expectWhole(object: SharedObject<typeof LockRecord>, rounds?: number): void {
  const { count, check, witness, violations } = object.snapshot();
  expect({ violations, witness, difference: count - check }).toEqual({
    violations: 0,
    witness: 0,
    difference: 0n,
  });
  if (rounds !== undefined) expect(count).toBe(BigInt(rounds));
}

describe("the mutex in C", () => {
  testWith([C_COMPILER], "excludes, and counts exactly", async () => {
    const { object, inC } = makeRecord();
    using _ = object;
    const rounds = 100_000;
    const peers = [1, 2, 3].map((seed) => new Peer([...inC(rounds, 0), `${seed}`]));
    for (const each of peers) {
      expect(JSON.parse(await succeed(each))).toMatchObject({ rounds, died: 0 });
    }
    expectWhole(object, 3 * rounds);
    expect(object.value.reports.load()).toBe(0);
  });

  testWith([C_COMPILER], "is that of the library", async () => {
    const { object, inC, here } = makeRecord();
    using _ = object;
    const rounds = 5_000;
    const peers = [
      ...[1, 2].map((seed) => new Peer([...inC(rounds, 20), `${seed}`])),
      ...[3, 4].map((seed) => new Peer([...here(rounds, 20), `${seed}`])),
    ];
    for (const each of peers) {
      expect(JSON.parse(await succeed(each))).toMatchObject({ rounds, died: 0 });
    }
    expectWhole(object, 4 * rounds);
    expect(object.value.reports.load()).toBe(0);
  }, 60_000);

  for (
    const { title, needs, where, kills, pauseUs, killed, bystanders } of [
      {
        title: "survives kills",
        needs: [C_COMPILER],
        where: "shared",
        kills: 120,
        pauseUs: 6_000,
        killed: "inC",
        bystanders: [],
      },
      {
        title: "survives kills of processes that are all number 1",
        needs: [C_COMPILER, PID_NAMESPACE],
        where: "own",
        kills: 60,
        pauseUs: 6_000,
        killed: "inC",
        bystanders: [],
      },
      {
        title: "survives kills, and so does the library's",
        needs: [C_COMPILER],
        where: "shared",
        kills: 40,
        pauseUs: 10_000,
        killed: "inC",
        bystanders: ["here"],
      },
      {
        title: "survives kills of processes that use the library",
        needs: [C_COMPILER],
        where: "shared",
        kills: 10,
        pauseUs: 500_000,
        killed: "here",
        bystanders: ["inC"],
      },
    ] as const
  ) {
    testWith(needs, title, async () => {
      const peers = makeRecord();
      const { name, object, offsets: [lock, , record] } = peers;
      using _ = object;
      const others = bystanders.map((each) => new Peer([...peers[each](1e9, 200), "99"]));
      const figures = [killed === "here" ? 2 : 4, kills, pauseUs, SEED].map(String);
      const args = [name, lock as string, record as string, ...figures, where];
      const command = [chaos(), ...args, ...peers[killed](1e9, killed === "here" ? 5000 : 200)];
      const output = await succeed(new Peer(command, { timeoutMs: 100_000 }));
      for (const each of others) await succeed(each);
      const last = output.trim().split("\n").at(-1) as string;
      console.log(`SHMKIT_SEED=${SEED} ${title}: ${last}`);
      const { hits, randomKills, longestStallMs } = JSON.parse(last);
      expectWhole(object);
      const reports = object.value.reports.load();
      // Every death that was known to be an owner's was told; none was invented.
      if (kills > 100) expect(hits).toBeGreaterThan(0);
      expect(reports).toBeGreaterThanOrEqual(hits);
      expect(reports).toBeLessThanOrEqual(hits + randomKills);
      // A slice, and as much as a busy machine may take.
      expect(longestStallMs).toBeLessThan(5000);
    }, 120_000);
  }

  testWith([C_COMPILER], "wakes who awaits it in an event loop", async () => {
    const name = uniqueName();
    const layout = t.struct("Arena", { ...Arena.fields, lock: t.mutex });
    using object = SharedObject.create(name, layout, {});
    await using holder = new Peer([BUILDS.c.make(), "hold_until_told", name]);
    expect(await holder.line()).toBe("locked");
    expect(object.value.lock.tryLock()).toBe(null);
    const lock = object.value.lock.lockAsync({ timeout: 20_000 });
    holder.send("");
    using guard = await lock;
    expect(guard.ownerDied).toBe(false);
    expect(await holder.exit()).toMatchObject({ code: 0 });
  });
});

testWith([C_COMPILER, CPP_COMPILER], "the header of a layout and shmkit.h go together", () => {
  writeFileSync(join(directory, "arena.h"), Arena.toC());
  writeFileSync(join(directory, "lock.h"), LockRecord.toC());
  const use = `
    int attach(shmkit_participant *p);
    int attach(shmkit_participant *p) {
      return shmkit_participant_attach(p, "x", ${Arena.name}_FINGERPRINT, 0);
    }
  `;
  const sources = [
    `#include "arena.h"\n#include "lock.h"\n#include "shmkit.h"\n${use}`,
    `#define SHMKIT_IMPLEMENTATION\n#include "shmkit.h"\n#include "lock.h"\n#include "arena.h"\n${use}`,
  ];
  const languages = [["cc", "c", "c11"], ["g++", "c++", "c++11"], ["g++", "c++", "c++20"]] as const;
  for (const source of sources) {
    for (const [compiler, language, standard] of languages) {
      const flags = [...FLAGS, "-Wconversion", `-I${directory}`, "-fsyntax-only"];
      compile(compiler, [`-std=${standard}`, ...flags, "-x", language, "-"], source);
    }
  }
});

describe("docs/c.md", () => {
  const text = readFileSync(path("docs/c.md"), "utf8");
  const blocks = [...text.matchAll(/```(?:c|ts)\n\/\/ (\S+)\n([^]*?)```/g)];
  const sources = new Map(blocks.map(([, name, source]) => [name, source as string]));
  const name = uniqueName();
  const own = (file: string) => (sources.get(file) as string).replaceAll("doc-counter", name);

  testWith([C_COMPILER, CPP_COMPILER], "has a program that does what it says", async () => {
    expect([...sources.keys()]).toEqual(["create.ts", "shmkit.c", "counter.c"]);
    const library = JSON.stringify(new URL("../mod.ts", import.meta.url).href);
    const script = join(directory, "create.ts");
    const folder = temporaryDirectory();
    writeFileSync(script, own("create.ts").replaceAll('"@shmkit/shmkit"', library));
    const files = ["counter.c", "shmkit.c"].map((file) => {
      writeFileSync(join(folder, file), own(file));
      return join(folder, file);
    });
    const languages = [["cc", "c", "c11"], ["g++", "c++", "c++11"]] as const;
    await succeed(new Peer([...HOST.command, script]));
    const lines: string[] = [];
    for (const [compiler, language, standard] of languages) {
      const executable = join(folder, compiler);
      const args = [
        `-std=${standard}`,
        "-O2",
        ...FLAGS,
        "-o",
        executable,
        "-x",
        language,
        ...files,
      ];
      compile(compiler, args);
      lines.push(await succeed(new Peer([executable])));
    }
    expect(lines).toEqual(["42 21\n", "44 22\n"]);
    expect(text).toContain("./counter    # 42 21");
    expect(ownFiles()).toEqual([name]);
  });

  testWith([C_COMPILER], "has a header whose example compiles", () => {
    const header = readFileSync(path("interop/c/shmkit.h"), "utf8");
    const example = /\* EXAMPLE\n([^]*?)\n \*\n \*\n/.exec(header)?.[1] as string;
    const source = example.replace(/^ \* {0,5}/gm, "");
    expect(source).toContain("int main(void)");
    compile("cc", ["-std=c11", ...FLAGS, "-fsyntax-only", "-x", "c", "-"], source);
  });
});
