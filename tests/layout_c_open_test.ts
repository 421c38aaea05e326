/**
 * How a program in C or C++ opens an object by the header of its layout: what is written here by hand
 * is what an object consists of, byte by byte.
 */

import { describe, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { chmodSync, statSync, symlinkSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { lockByte } from "../ffi/mod.ts";
import { t } from "../layout/mod.ts";
import { LIFETIME_LOCK } from "../memory/objects/trailer.ts";
import { SharedObject, SharedSegment } from "../mod.ts";
import { compile, temporaryDirectory } from "./support/c.ts";
import { ARM64_COMPILER, C_COMPILER, CPP_COMPILER, testWith } from "./support/capabilities.ts";
import { cleanUpNames, uniqueName } from "./support/names.ts";
import { once, ownedBy } from "./support/packaging.ts";
import { Peer } from "./support/peers.ts";

const Player = t.struct("Player", {
  id: t.u32,
  position: t.array(t.f64, 3),
  team: t.enumeration(t.u8, { red: 0, blue: 1 }),
  hits: t.atomic(t.u32),
});
const PAGE = 4096;
const [PERSIST, LAST_DETACH] = [0, 2];

cleanUpNames();
const directory = temporaryDirectory();
const WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wcast-qual", "-Werror"];
const compileFor = (compiler: string, flags: readonly string[], source: string, output?: string) =>
  compile(compiler, [
    ...["-x", compiler.endsWith("g++") ? "c++" : "c", ...flags, ...WARNINGS],
    ...(output === undefined ? ["-fsyntax-only", "-"] : ["-o", output, "-", "-lrt"]),
  ], source);

/** What differs from an object as it should be. */
interface Changes {
  magic?: string;
  version?: number;
  kind?: number;
  lifetime?: number;
  payload?: number;
  fingerprint?: bigint;
  /** Bytes between the struct and the trailer. */
  tables?: number;
}

/** Makes an object with a trailer: whoever opens it finds player 7. */
function makeObject(changes: Changes = {}): SharedSegment {
  const { tables = 300 } = changes;
  const segment = SharedSegment.create(uniqueName(), { size: Player.size + tables + 64 });
  const bytes = segment.bytes;
  bytes.fill(0xcc, Player.size, Player.size + tables);
  if (tables >= 0) writePlayer(bytes);
  const trailer = bytes.subarray(Player.size + tables);
  const view = new DataView(trailer.buffer, trailer.byteOffset, 64);
  const magic = changes.magic ?? "\x89shmkit\n";
  trailer.set(Array.from(magic, (character) => character.charCodeAt(0)));
  view.setUint16(8, changes.version ?? 1, true);
  view.setUint16(10, changes.kind ?? 1, true);
  view.setUint16(12, changes.lifetime ?? PERSIST, true);
  view.setUint16(14, 64, true); // participants
  view.setBigUint64(16, BigInt(changes.payload ?? Player.size), true);
  [16, 8, 24, 100].forEach((length, at) => view.setUint32(24 + 4 * at, length, true));
  view.setBigUint64(40, changes.fingerprint ?? BigInt(`0x${Player.fingerprint}`), true);
  view.setBigUint64(48, 1_700_000_000_000n, true);
  view.setUint32(56, process.pid, true);
  view.setUint32(60, crc32(trailer), true);
  return segment;
}

/** Is attached to an object that goes with its last user. */
function hold({ name }: { readonly name: string }): SharedSegment {
  const segment = SharedSegment.open(name);
  expect(lockByte(segment.fd, "shared", LIFETIME_LOCK)).toBe(0);
  return segment;
}

/** Makes what another program makes of a struct: its bytes, and nothing else. */
function makeForeign(size: number): SharedSegment {
  const segment = SharedSegment.create(uniqueName(), { size });
  if (size >= Player.size) writePlayer(segment.bytes);
  return segment;
}

function writePlayer(bytes: Uint8Array<ArrayBuffer>): void {
  Player.write(bytes, { id: 7, position: [0, 0, 2.5], team: "blue", hits: 3 });
}

const fileOf = ({ name }: { readonly name: string }): string => `/dev/shm/${name}`;

const PROGRAM = `
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *nameOf(int error) {
  switch (error) {
    case 0: return "0";
    case EACCES: return "EACCES";
    case EAGAIN: return "EAGAIN";
    case EINVAL: return "EINVAL";
    case ELOOP: return "ELOOP";
    case ENOENT: return "ENOENT";
    case ENXIO: return "ENXIO";
    case EPROTO: return "EPROTO";
    default: return strerror(error);
  }
}

static void say(const char *what) {
  puts(what);
  fflush(stdout);
}

static void waitForLine(void) {
  char line[16];
  if (fgets(line, sizeof line, stdin) == NULL) exit(3);
}

static int show(const Player *player) {
  if (player == NULL) return puts(nameOf(errno)), 0;
  printf("%u %.1f %d %u\\n", player->id, player->position[2], player->team == Player_team_blue,
    (unsigned)player->hits);
  return Player_close(player);
}

int main(int argc, char **argv) {
  if (argc != 3) return 2;
  if (strcmp(argv[1], "read") == 0) {
    const Player *looker = Player_open_readonly(argv[2]);
    /* The system refuses this for what was opened for reading. */
    if (looker != NULL && mprotect((void *)(uintptr_t)looker, 1, PROT_WRITE) == 0) return 4;
    return show(looker);
  }
  Player *player = Player_open(argv[2]);
  if (strcmp(argv[1], "open") == 0) return show(player);
  if (player == NULL) return 1;
  if (strcmp(argv[1], "write") == 0) {
    player->id = 9;
    player->hits += 1;
    return Player_close(player);
  }
  say("open");
  waitForLine();
  if (Player_close(player) < 0) return 1;
  say("closed");
  waitForLine();
  return 0;
}
`;

/** Whether somebody is attached: whether the lock for oneself alone is to be had. */
const LOOK = `
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
int main(int argc, char **argv) {
  struct flock lock = { .l_type = F_WRLCK, .l_start = (off_t)1 << 52, .l_len = 1 };
  int fd = argc == 2 ? open(argv[1], O_RDWR) : -1;
  if (fd < 0) return 1;
  return puts(fcntl(fd, F_OFD_SETLK, &lock) == 0 ? "nobody" : "somebody") < 0;
}
`;

const look = once(() => {
  const output = join(directory, "look");
  compileFor("gcc", [], LOOK, output);
  return output;
});

/** Runs a program to its end, which it reaches. @returns The line that it prints. */
function run(program: string, ...args: string[]): string {
  const result = spawnSync(program, args, { encoding: "utf8", timeout: 20_000 });
  expect([result.status, result.signal, result.stderr]).toEqual([0, null, ""]);
  return result.stdout.trim();
}

const LANGUAGES = [
  { language: "C", compiler: "gcc", flags: ["-std=c11"], needs: C_COMPILER },
  { language: "C++", compiler: "g++", flags: ["-std=c++17"], needs: CPP_COMPILER },
];

for (const { language, compiler, flags, needs } of LANGUAGES) {
  const program = once(() => {
    const output = join(directory, `player-${compiler}`);
    compileFor(compiler, flags, Player.toC() + PROGRAM, output);
    return output;
  });
  const withCompiler = (title: string, body: () => void | Promise<void>) =>
    testWith([needs], title, body);

  /** Expects both ways of opening to find the same. */
  const expectOpening = (name: string, found: string): void => {
    expect(run(program(), "open", name)).toBe(found);
    expect(run(program(), "read", name)).toBe(found);
  };

  describe(`Player_open() in ${language} opens`, () => {
    withCompiler("an object, whose size stays as it is", () => {
      using object = makeObject();
      const before = object.bytes.slice();
      expectOpening(object.name, "7 2.5 1 3");
      expectOpening(`/${object.name}`, "7 2.5 1 3");
      run(program(), "write", object.name);
      expect(Player.read(object.bytes)).toMatchObject({ id: 9, hits: 4, team: "blue" });
      expect(statSync(fileOf(object)).size).toBe(before.length);
      expect(object.bytes.slice(Player.size)).toEqual(before.slice(Player.size));
    });

    withCompiler("an object of many pages", () => {
      using object = makeObject({ tables: 5 * PAGE });
      expectOpening(object.name, "7 2.5 1 3");
    });

    withCompiler("what another program made, of the struct's size or of whole pages", () => {
      for (const size of [Player.size, PAGE]) {
        using foreign = makeForeign(size);
        expectOpening(foreign.name, "7 2.5 1 3");
        run(program(), "write", foreign.name);
        expect(Player.view(foreign.bytes).hits.load()).toBe(4);
        expect(statSync(fileOf(foreign)).size).toBe(size);
      }
    });

    withCompiler("for reading only, what may only be read", () => {
      using object = makeObject({ lifetime: LAST_DETACH });
      using _holder = hold(object);
      chmodSync(fileOf(object), 0o444);
      expect(run(program(), "read", object.name)).toBe("7 2.5 1 3");
    });
  });

  describe(`Player_open() in ${language} refuses`, () => {
    for (
      const [what, changes] of Object.entries<Changes>({
        "another fingerprint": { fingerprint: BigInt(`0x${Player.fingerprint}`) ^ 1n },
        "a fingerprint that differs in its upper half": {
          fingerprint: BigInt(`0x${Player.fingerprint}`) ^ (1n << 63n),
        },
        "another size of the payload": { payload: Player.size + 8 },
        "a size of the payload that differs in its upper half": {
          payload: Player.size + 2 ** 32,
        },
        "another version": { version: 2 },
        "another kind": { kind: 2 },
        "another magic": { magic: "\x89shmkit\r" },
        "a trailer within the struct": { tables: -8 },
      })
    ) {
      withCompiler(`${what}, with EPROTO`, () => {
        using object = makeObject(changes);
        expectOpening(object.name, "EPROTO");
      });
    }

    withCompiler("what another program made of another struct, with EPROTO", () => {
      for (
        const size of [1, 63, 64, Player.size - 1, Player.size + 1, PAGE - 1, PAGE + 1, 2 * PAGE]
      ) {
        using foreign = makeForeign(size);
        expectOpening(foreign.name, "EPROTO");
      }
    });

    withCompiler("what is not there, with ENOENT, and makes nothing", () => {
      const name = uniqueName();
      expectOpening(name, "ENOENT");
      expect(SharedSegment.exists(name)).toBe(false);
    });

    withCompiler("what is not finished, with EAGAIN, and leaves it empty", () => {
      using object = makeObject();
      truncateSync(fileOf(object), 0);
      expectOpening(object.name, "EAGAIN");
      expect(statSync(fileOf(object)).size).toBe(0);
    });

    withCompiler("a FIFO, without waiting for its other end", () => {
      const name = uniqueName();
      spawnSync("mkfifo", [fileOf({ name })]);
      expectOpening(name, "EINVAL");
    });

    withCompiler("a symbolic link, with ELOOP", () => {
      using object = makeObject();
      const name = uniqueName();
      symlinkSync(fileOf(object), fileOf({ name }));
      expectOpening(name, "ELOOP");
    });
  });

  describe(`an object that goes with its last user, in ${language}`, () => {
    const withBoth = (title: string, body: () => void | Promise<void>) =>
      testWith([C_COMPILER, needs], title, body);

    withBoth("has one from Player_open() to Player_close()", async () => {
      using object = makeObject({ lifetime: LAST_DETACH });
      const holder = hold(object);
      await using peer = new Peer([program(), "hold", object.name]);
      expect(await peer.line()).toBe("open");
      holder.close();
      expect(run(look(), fileOf(object))).toBe("somebody");
      expect(run(program(), "open", object.name)).toBe("7 2.5 1 3");
      expect(run(look(), fileOf(object))).toBe("somebody");
      peer.send("close");
      expect(await peer.line()).toBe("closed");
      expect(run(look(), fileOf(object))).toBe("nobody");
    });

    withCompiler("is kept for it by SharedObject, too, which made it", async () => {
      const initial = { id: 7, position: [0, 0, 2.5], team: "blue", hits: 3 } as const;
      const last = { lifetime: "lastDetach" } as const;
      using object = SharedObject.create(uniqueName(), Player, initial, last);
      const { name } = object;
      expectOpening(name, "7 2.5 1 3");
      await using peer = new Peer([program(), "hold", name]);
      expect(await peer.line()).toBe("open");
      object.close();
      SharedObject.open(name, Player).close();
      expect(SharedObject.exists(name)).toBe(true);
      peer.send("close");
      expect(await peer.line()).toBe("closed");
      // It does not remove the name: whoever comes next finds it free.
      using next = SharedObject.openOrCreate(name, Player, {}, last);
      expect([next.created, next.value.id]).toEqual([true, 0]);
    });

    withBoth("is not there any more when all who had it have died", () => {
      using object = makeObject({ lifetime: LAST_DETACH });
      expect(run(look(), fileOf(object))).toBe("nobody");
      expectOpening(object.name, "ENOENT");
    });

    withBoth("has one until the process is killed", async () => {
      using object = makeObject({ lifetime: LAST_DETACH });
      const holder = hold(object);
      await using peer = new Peer([program(), "hold", object.name]);
      expect(await peer.line()).toBe("open");
      holder.close();
      expect(run(look(), fileOf(object))).toBe("somebody");
      peer.kill();
      await peer.exit();
      expect(run(look(), fileOf(object))).toBe("nobody");
    });

    withBoth("is told from one that stays", async () => {
      using object = makeObject({ lifetime: PERSIST });
      await using peer = new Peer([program(), "hold", object.name]);
      expect(await peer.line()).toBe("open");
      expect(run(look(), fileOf(object))).toBe("nobody");
    });
  });
}

/** Stands between Player_open() and the system. What happens is said by the first argument. */
const HOOKS = `
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *scene, *label;
static int other = -1, pauses, reads;

static int lockOther(short type) {
  struct flock lock = { .l_type = type, .l_start = (off_t)1 << 52, .l_len = 1 };
  return fcntl(other, F_OFD_SETLK, &lock);
}
static int onPoll(void) {
  if (++pauses == 3 && strcmp(scene, "removed") == 0) shm_unlink(label);
  if (pauses == 3 && strcmp(scene, "released") == 0) lockOther(F_RDLCK);
  return 0;
}
static int onLock(int fd, int command, struct flock *lock) {
  if (strcmp(scene, "unlinked") == 0) shm_unlink(label);
  if (strcmp(scene, "unsupported") == 0) return errno = EINVAL, -1;
  return fcntl(fd, command, lock);
}
static ssize_t onRead(int fd, void *bytes, size_t count) {
  if (++reads % 2 == 0) return errno = EINTR, -1;
  return read(fd, bytes, count > 0 ? 1 : 0);
}
#define poll(files, count, time) onPoll()
#define fcntl(fd, command, lock) onLock(fd, command, lock)
#define read(fd, bytes, count) onRead(fd, bytes, count)
`;

const HOOKED = `
static int descriptors(void) {
  int count = 0;
  for (int fd = 0; fd < 300; fd++) count += (fcntl)(fd, F_GETFD) >= 0;
  return count;
}

int main(int argc, char **argv) {
  if (argc != 3) return 2;
  scene = argv[1];
  label = argv[2];
  other = shm_open(label, O_RDWR, 0);
  int removing = strcmp(scene, "removed") == 0 || strcmp(scene, "released") == 0 ||
    strcmp(scene, "stuck") == 0;
  lockOther(removing ? F_WRLCK : F_RDLCK);
  int before = descriptors();
  Player *player = Player_open(label);
  printf("%s %d %d\\n", player ? "open" : strerrorname_np(errno), pauses, reads);
  return descriptors() == before ? 0 : 3;
}
`;

// What the generated text does is the same whoever wrote the file.
ownedBy("node", () => {
  describe("while an object is being removed, Player_open()", () => {
    const program = once(() => {
      const output = join(directory, "hooked");
      compileFor("gcc", ["-std=gnu11"], HOOKS + Player.toC() + HOOKED, output);
      return output;
    });
    const scenes: readonly [scene: string, title: string, found: RegExp][] = [
      ["removed", "waits, and finds nothing", /^ENOENT 3 /],
      ["released", "waits, and opens what was not removed after all", /^open 3 /],
      ["stuck", "does not wait for ever", /^EAGAIN 100 /],
      ["unlinked", "does not take the lock for the object", /^ENOENT 1 /],
      ["unsupported", "says any other error of the lock", /^EINVAL 0 /],
      ["interrupted", "reads on when it was interrupted", /^open 0 127$/],
    ];
    for (const [scene, title, found] of scenes) {
      testWith([C_COMPILER], title, () => {
        using object = makeObject({ lifetime: LAST_DETACH });
        expect(run(program(), scene, object.name)).toMatch(found);
      });
    }
  });

  describe("the functions compile without a warning by", () => {
    const use = "int main(void) { return Player_close(Player_open_readonly(0)); }\n";
    for (const standard of ["c11", "gnu11", "c17", "gnu2x"]) {
      testWith([C_COMPILER], `gcc -std=${standard}`, () => {
        compileFor("gcc", [`-std=${standard}`], Player.toC() + use);
      });
      testWith([ARM64_COMPILER], `gcc -std=${standard} for 64-bit ARM`, () => {
        compileFor("aarch64-linux-gnu-gcc", [`-std=${standard}`], Player.toC() + use);
      });
    }
    for (const standard of ["c++17", "gnu++17", "c++20"]) {
      testWith([CPP_COMPILER], `g++ -std=${standard}`, () => {
        compileFor("g++", [`-std=${standard}`], Player.toC() + use);
      });
    }
  });

  describe("in a header", () => {
    const Inner = t.struct("Inner", { level: t.u8 });

    testWith([C_COMPILER], "the functions are of the whole layout, and once", () => {
      const Outer = t.struct("Outer", { inner: Inner });
      expect(Outer.toC()).not.toContain("Inner_open");
      compileFor("gcc", ["-std=c11"], Outer.toC() + Inner.toC() + Outer.toC() + Inner.toC());
    });

    testWith([C_COMPILER], "the functions can be left out", () => {
      const without = `#define SHMKIT_NO_OPEN\n${Player.toC()}`;
      compileFor("gcc", ["-std=c11"], `${without}int shm_open, Player_open, shmkit_open;`);
      expect(() => compileFor("gcc", ["-std=c11"], `${Player.toC()}int Player_open;`)).toThrow();
      const later = `${Inner.toC()}${without}`;
      compileFor("gcc", ["-std=c11"], `${later}int Player_open;`);
      // Another header of the same program may have them.
      const both = `${without}#undef SHMKIT_NO_OPEN\n${Inner.toC()}int Player_open;`;
      compileFor("gcc", ["-std=c11"], `${both} int main(void) { return !Inner_open("a"); }`);
    });

    testWith([C_COMPILER, CPP_COMPILER], "no name is given twice", () => {
      const Name = t.struct("name", { inner: t.struct("object", { a: t.u8 }), open: t.u8 });
      const Busy = t.struct("Busy", {
        open: t.enumeration(t.u8, { readonly: 1 }),
        other: t.struct("Busy_open", { a: t.u8 }),
        close: t.struct("Busy_close", { a: t.u8 }),
      });
      const Shm = t.struct("shm", { a: t.u8 });
      const header = Name.toC() + Busy.toC() + Shm.toC();
      for (const name of ["Busy_open_(", "Busy_open_readonly_(", "Busy_close_(", "shm_open_("]) {
        expect(header).toContain(name);
      }
      compileFor("gcc", ["-std=c11"], header);
      compileFor("g++", ["-std=c++17"], header);
    });
  });

  describe("of what the includes of a header say,", () => {
    const GNU = "-D_GNU_SOURCE";
    const COMPILERS = [
      { compiler: "gcc", standards: ["c11", "gnu11", "gnu2x"], needs: C_COMPILER },
      { compiler: "g++", standards: ["c++17", "gnu++17", "gnu++20"], needs: CPP_COMPILER },
      { compiler: "aarch64-linux-gnu-gcc", standards: ["gnu11"], needs: ARM64_COMPILER },
    ];
    const includes = (header: string) =>
      header.split("\n").filter((line) => /^#( *include|if|el|endif)/.test(line)).join("\n");

    /** What is left of the includes when they are preprocessed. */
    function preprocess(compiler: string, ...flags: string[]): string {
      const args = ["-x", compiler === "g++" ? "c++" : "c", ...flags, "-E", "-"];
      const input = includes(Player.toC());
      const { status, stdout, stderr } = spawnSync(compiler, args, { encoding: "utf8", input });
      expect([status, stderr]).toEqual([0, ""]);
      return stdout;
    }

    for (const { compiler, standards, needs } of COMPILERS) {
      testWith([needs], `no macro can be a member (${compiler})`, () => {
        const dialects = standards.flatMap((each) => [[`-std=${each}`], [`-std=${each}`, GNU]]);
        for (const dialect of dialects) {
          const text = preprocess(compiler, ...dialect, "-dM");
          const macros = [...text.matchAll(/^#define ([a-z]\w*)(?= |$)/gm)].map(([, name]) => name);
          expect(macros).toContain("errno");
          if (dialect.includes(GNU)) expect(macros).toContain("st_atime");
          const fields = Object.fromEntries(macros.map((name) => [name as string, t.u8]));
          const header = t.struct("Sample", fields).toC();
          for (const name of macros) expect(header).toContain(`  uint8_t ${name}_;`);
          compileFor(compiler, dialect, header);
        }
      });
    }

    testWith([C_COMPILER], "no declaration can be a type", () => {
      const words = preprocess("gcc", "-std=gnu11", GNU).match(/\b[a-z]\w*/g);
      const names = [...new Set(words)].filter((name) => name.length <= 64);
      expect(names.length).toBeGreaterThan(300);
      const headers = names.map((name) => t.struct(name, { a: t.u8 }).toC()).join("");
      compileFor("gcc", ["-std=gnu11", GNU], headers);
    });
  });
});

test("the functions neither make nor cut off anything, and know their layout", () => {
  const header = Player.toC();
  expect(header).toContain(`#define Player_FINGERPRINT UINT64_C(0x${Player.fingerprint})\n`);
  expect(header).toContain(`sizeof(Player), UINT64_C(0x${Player.fingerprint}))`);
  expect(header.match(/ftruncate|O_CREAT/)).toBe(null);
});
