/**
 * What layouts say in other languages is what compilers of these languages find: size, alignment and
 * every offset, of 1000 layouts at random. The figures stand in the generated source as assertions.
 */

import { describe, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Field, t } from "../layout/mod.ts";
import { spellingOfWords } from "../sync/spelling.ts";
import { compile, temporaryDirectory } from "./support/c.ts";
import {
  ARM64_COMPILER,
  C_COMPILER,
  CPP_COMPILER,
  PYTHON,
  RUST_COMPILER,
  testWith,
} from "./support/capabilities.ts";
import { someLayouts } from "./support/layouts.ts";
import { ownedBy } from "./support/packaging.ts";

const directory = temporaryDirectory();
const C = ["-x", "c", "-std=c11", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", "-"];
const CPP = ["-x", "c++", "-std=c++17", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", "-"];
const PEDANTIC = ["-Wpedantic", "-Wconversion", "-Wshadow"];

function compileRust(source: string): void {
  const path = join(directory, "layout.rs");
  writeFileSync(path, source);
  const output = join(directory, "layout.rmeta");
  compile("rustc", ["--edition=2021", "--crate-type=lib", "--emit=metadata", "-o", output, path]);
}

function runPython(source: string): void {
  const { status, stderr } = spawnSync("python3", ["-"], { encoding: "utf8", input: source });
  if (status !== 0) throw new Error(`python3 failed: ${stderr}`);
}

const Inner = t.struct("Inner", { level: t.u8, score: t.i64 });
const Sample = t.struct("Sample", {
  id: t.u32,
  matrix: t.array(t.array(t.f64, 2), 3),
  name: t.cstring(32),
  team: t.enumeration(t.i32, { least: -(2 ** 31), none: 0, most: 2 ** 31 - 1 }),
  flags: t.bits(t.u16, { alive: 1, level: 3 }),
  hits: t.atomic(t.u32),
  inner: Inner,
  items: t.array(Inner, 2),
  either: t.union({ number: t.u32, float: t.f32, inner: Inner, hits: t.atomic(t.u64) }),
  lonely: t.cacheLine(t.u32),
  lines: t.array(t.cacheLine(t.atomic(t.u64)), 2),
  aligned: t.align(64, t.u8),
  half: t.f16,
  raw: t.bytes(5),
  yes: t.bool,
});

/** A field that synchronises, of a number of words. */
function wordsField(name: string, words: number): Field {
  return {
    kind: name,
    size: 4 * words,
    alignment: 4,
    assignable: false,
    plain: false,
    describe: () => ({ kind: name, words }),
    attach: () => undefined,
    load: () => undefined,
    check: () => undefined,
    store: () => undefined,
    spelling: spellingOfWords(name, words),
  };
}

const mutex = wordsField("mutex", 4);
const fewPermits = wordsField("semaphore_3", 7);
const Locked = t.struct("Locked", { level: t.u8, mutex, last: t.u8 });
const Locks = t.struct("Locks", {
  small: t.u8,
  mutex,
  many: t.array(mutex, 3),
  grid: t.array(t.array(fewPermits, 2), 2),
  wide: t.u64,
  locked: Locked,
  others: t.array(Locked, 2),
  own: t.cacheLine(mutex),
  lines: t.array(t.cacheLine(mutex), 2),
  few: t.cacheLine(t.array(fewPermits, 5)),
  aligned: t.align(64, mutex),
  near: t.u16,
  structs: t.cacheLine(Locked),
  // Called like types that are defined for the fields above and below.
  shmkit_mutex: mutex,
  ShmkitMutex: t.array(mutex, 2),
  shmkit_semaphore_3: t.u8,
  end: mutex,
});

// Compilers find the same in whichever runtime they are started: one is enough.
ownedBy("node", () => {
  const layouts = someLayouts(1000);

  describe("of 1000 layouts at random, size, alignment and every offset are those of", () => {
    const headers = layouts.map((layout) => layout.toC()).join("");

    test("(which are many)", () => {
      expect(headers.match(/SHMKIT_ASSERT\(offsetof/g)?.length).toBeGreaterThan(5000);
    });

    testWith([C_COMPILER], "gcc", () => compile("gcc", C, headers));
    testWith([ARM64_COMPILER], "gcc for 64-bit ARM", () => {
      compile("aarch64-linux-gnu-gcc", C, headers);
    });
    testWith([CPP_COMPILER], "g++", () => compile("g++", CPP, headers));
    testWith([RUST_COMPILER], "rustc", () => {
      compileRust(layouts.map((layout) => `mod m${layout.name} {${layout.toRust()}}`).join("\n"));
    });
    testWith([PYTHON], "ctypes", () => {
      runPython(layouts.map((layout) => layout.toPython()).join("\n"));
    });
  });

  describe("the assertions", () => {
    const size = Sample.size;

    testWith([C_COMPILER], "fail in C when a figure is wrong", () => {
      compile("gcc", C, Sample.toC());
      for (const what of [`sizeof(Sample) == ${size}`, "offsetof(Sample, items) == 120"]) {
        expect(Sample.toC()).toContain(what);
        const wrong = Sample.toC().replace(what, what.replace("== ", "== 1"));
        expect(() => compile("gcc", C, wrong)).toThrow("assertion failed");
      }
    });

    testWith([RUST_COMPILER], "fail in Rust when a figure is wrong", () => {
      compileRust(Sample.toRust());
      for (const what of [`<Sample>() == ${size}`, "offset_of!(Sample, items) == 120"]) {
        expect(Sample.toRust()).toContain(what);
        const wrong = Sample.toRust().replace(what, what.replace("== ", "== 1"));
        expect(() => compileRust(wrong)).toThrow("assert");
      }
    });

    testWith([PYTHON], "fail in Python when a figure is wrong", () => {
      runPython(Sample.toPython());
      for (const what of [`sizeof(Sample) == ${size}`, "Sample.items.offset == 120"]) {
        expect(Sample.toPython()).toContain(what);
        const wrong = Sample.toPython().replace(what, what.replace("== ", "== 1"));
        expect(() => runPython(wrong)).toThrow("AssertionError");
      }
    });
  });

  describe("a field may be called like", () => {
    const Named = t.struct("Named", {
      first: Inner,
      Inner: t.array(Inner, 2),
      Named: t.u8,
      either: t.union({ Inner: t.u8, inner: Inner }),
      last: Inner,
    });

    testWith([C_COMPILER], "a type, in C", () => compile("gcc", C, Named.toC()));
    testWith([CPP_COMPILER], "a type, in C++", () => compile("g++", CPP, Named.toC()));
    testWith([RUST_COMPILER], "a type, in Rust", () => compileRust(Named.toRust()));

    testWith([PYTHON], "what ctypes gives to every type", () => {
      runPython(`${Named.toPython()}Named.from_buffer(bytearray(${Named.size}))`);
      const names = ["from_buffer", "from_buffer_copy", "from_address", "from_param", "in_dll"];
      const Methods = t.struct(
        "Methods",
        Object.fromEntries(names.map((name) => [name, t.u8])),
      );
      runPython(`${Methods.toPython()}
value = Methods.from_buffer_copy(bytes([1, 2, 3, 4, 5]))
assert [${names.map((name) => `value.${name}_`).join(", ")}] == [1, 2, 3, 4, 5]
assert all(callable(getattr(Methods, name)) for name in ${JSON.stringify(names)})
`);
    });
  });

  testWith([C_COMPILER], "headers with a common struct can be included together, and twice", () => {
    const Other = t.struct("Other", { inner: Inner, count: t.u8 });
    compile("gcc", C, Sample.toC() + Other.toC() + Sample.toC());
  });
});

ownedBy("node", () => {
  describe("fields that synchronise are types of their own, wherever they stand, in", () => {
    const size = Locks.size;
    const useInC = `
static inline int locked(Locks *locks) {
  shmkit_mutex *mutexes[] = {&locks->mutex, &locks->many[2], &locks->locked.mutex,
    &locks->others[1].mutex, &locks->own, &locks->lines[1].value, &locks->aligned,
    &locks->shmkit_mutex, &locks->ShmkitMutex[1], &locks->end};
  return mutexes[0]->words[3] == 0 && locks->grid[1][1].words[6] == 0 && locks->few[4].words[0];
}
int use(Locks *locks);
int use(Locks *locks) { return locked(locks); }
`;
    /** What shmkit.h does, so that it goes together with headers of layouts. */
    const library = `
#ifndef SHMKIT_TYPE_struct_shmkit_mutex
#define SHMKIT_TYPE_struct_shmkit_mutex
#include <stdint.h>
typedef struct shmkit_mutex { uint32_t words[4]; } shmkit_mutex;
#endif
static inline uint32_t shmkit_owner(const shmkit_mutex *mutex) { return mutex->words[0]; }
`;
    const Other = t.struct("Other", { mutex, inner: Locked });
    const sources = {
      "alone": Locks.toC() + useInC,
      "twice, with another": Locks.toC() + Other.toC() + Locks.toC() + useInC,
      "behind shmkit.h": library + Locks.toC() + useInC,
      "before shmkit.h": Other.toC() + Locks.toC() + library + useInC,
    };
    for (const [title, source] of Object.entries(sources)) {
      testWith([C_COMPILER], `C, ${title}`, () => compile("gcc", [...PEDANTIC, ...C], source));
      testWith([CPP_COMPILER], `C++, ${title}`, () => {
        compile("g++", [...PEDANTIC, ...CPP], source);
      });
    }
    testWith([ARM64_COMPILER], "C for 64-bit ARM", () => {
      compile("aarch64-linux-gnu-gcc", C, sources.alone);
    });

    testWith([C_COMPILER], "C, with assertions that fail when a figure is wrong", () => {
      const last = `offsetof(Locks, end) == ${Locks.offsetOf("end")}`;
      for (const what of [`sizeof(Locks) == ${size}`, last, "sizeof(((Locks *)0)->mutex) == 16"]) {
        expect(Locks.toC()).toContain(what);
        const wrong = Locks.toC().replace(what, what.replace("== ", "== 1"));
        expect(() => compile("gcc", C, wrong)).toThrow("assertion failed");
      }
    });

    testWith([RUST_COMPILER], "Rust", () => {
      compileRust(`${Locks.toRust()}
pub fn owner(locks: &Locks) -> u32 {
  let mutexes: [&ShmkitMutex; 4] =
    [&locks.mutex, &locks.lines[1].value, &locks.others[1].mutex, &locks.ShmkitMutex[1]];
  mutexes[3].words[0].load(core::sync::atomic::Ordering::SeqCst)
}`);
    });

    testWith([PYTHON], "Python", () => {
      runPython(`${Locks.toPython()}
locks = Locks.from_buffer(bytearray(${size}))
locks.others[1].mutex.words[3] = 7
locks.lines[1].value.words[0] = 8
locks.end.words[0] = 9
data = bytes(locks)
for value, place in ((7, ${Locks.offsetOf("others[1].mutex") + 12}),
    (8, ${Locks.offsetOf("lines[1]")}), (9, ${Locks.offsetOf("end")})):
    assert int.from_bytes(data[place:place + 4], "little") == value
`);
    });

    test("each with one definition", () => {
      for (const text of [Locks.toC(), Locks.toRust(), Locks.toPython()]) {
        expect(text.match(/(?:typedef struct shmkit_|pub struct Shmkit|class shmkit_)/g)?.length)
          .toBe(2);
      }
    });

    const Shadow = t.struct("shmkit_mutex", { mutex });
    const Root = t.struct("Root", { shadow: Shadow, rust: t.struct("ShmkitMutex", { mutex }) });
    testWith([C_COMPILER], "C, where a struct is called like one", () => {
      compile("gcc", C, Root.toC());
    });
    testWith([CPP_COMPILER], "C++, where a struct is called like one", () => {
      compile("g++", CPP, Root.toC());
    });
    testWith([RUST_COMPILER], "Rust, where a struct is called like one", () => {
      compileRust(Root.toRust());
    });
    testWith([PYTHON], "Python, where a struct is called like one", () => {
      runPython(`${Root.toPython()}assert Root().rust.mutex.words[3] == 0\n`);
    });
  });
});

/** A program that reads a sample, prints what it finds, and writes other values over it. */
const PYTHON_PEER = `
import sys
data = bytearray(sys.stdin.buffer.read())
sample = Sample.from_buffer(data)
print(sample.id, sample.matrix[2][1], sample.name.decode(), sample.team, sample.flags.alive,
  sample.flags.level, sample.hits, sample.items[1].score, sample.either.float, sample.lonely,
  sample.lines[1].value, bytes(sample.raw).hex(), sample.yes, file=sys.stderr)
sample.id, sample.matrix[0][1], sample.name, sample.team = 9, -0.5, "été".encode(), Sample_team_least
sample.flags.level, sample.items[0].level, sample.lines[0].value = 7, 200, 2**64 - 1
sys.stdout.buffer.write(data)
`;

const C_PEER = `
#include <stdio.h>
#include <string.h>
int main(void) {
  static Sample sample;
  if (fread(&sample, sizeof sample, 1, stdin) != 1) return 1;
  fprintf(stderr, "%u %.1f %s %d %d %d %u %lld %.1f %u %llu %02x%02x%02x%02x%02x %s\\n", sample.id,
    sample.matrix[2][1], sample.name, sample.team, sample.flags.alive, sample.flags.level,
    (uint32_t)sample.hits, (long long)sample.items[1].score, sample.either._float, sample.lonely,
    (unsigned long long)(uint64_t)sample.lines[1].value, sample.raw[0], sample.raw[1], sample.raw[2],
    sample.raw[3], sample.raw[4], sample.yes ? "True" : "False");
  sample.id = 9;
  sample.matrix[0][1] = -0.5;
  strcpy(sample.name, "\\xc3\\xa9t\\xc3\\xa9");
  sample.team = Sample_team_least;
  sample.flags.level = 7;
  sample.items[0].level = 200;
  sample.lines[0].value = UINT64_MAX;
  return fwrite(&sample, sizeof sample, 1, stdout) != 1;
}
`.replace("._float", ".float_");

describe("a program in another language reads what a view wrote, and writes what it reads", () => {
  function exchange(program: string, args: readonly string[]): void {
    const bytes = new Uint8Array(Sample.size);
    const view = Sample.view(bytes);
    Sample.assign(bytes, {
      id: 7,
      matrix: [[0, 0], [0, 0], [0, 2.5]],
      name: "ada",
      team: "most",
      flags: { alive: true, level: 5 },
      hits: 3,
      items: [{ level: 1, score: 0n }, { level: 2, score: -5n }],
      either: { float: 1.5 },
      lonely: 4,
      lines: [0n, 6n],
      raw: [1, 2, 3, 4, 255],
      yes: true,
    });
    const { status, stdout, stderr } = spawnSync(program, args, { input: bytes });
    const line = stderr.toString().trim().replace(" True 5", " 1 5");
    expect(line).toBe("7 2.5 ada 2147483647 1 5 3 -5 1.5 4 6 01020304ff True");
    expect(status).toBe(0);
    bytes.set(stdout);
    expect(view.id).toBe(9);
    expect(view.matrix[0]?.[1]).toBe(-0.5);
    expect(view.name).toBe("été");
    expect(view.team).toBe("least");
    expect(view.flags).toEqual(view.flags);
    expect(view.flags.level).toBe(7);
    expect(view.flags.alive).toBe(true);
    expect(view.items[0]?.level).toBe(200);
    expect(view.lines[0]?.load()).toBe(2n ** 64n - 1n);
  }

  testWith([C_COMPILER], "C", () => {
    const executable = join(directory, "sample");
    compile("gcc", ["-x", "c", "-std=c11", "-Wall", "-o", executable, "-"], Sample.toC() + C_PEER);
    exchange(executable, []);
  });

  testWith([CPP_COMPILER], "C++", () => {
    const executable = join(directory, "sample-cpp");
    const source = Sample.toC() + C_PEER;
    compile("g++", ["-x", "c++", "-std=c++17", "-Wall", "-o", executable, "-"], source);
    exchange(executable, []);
  });

  testWith([PYTHON], "Python", () => {
    exchange("python3", ["-c", Sample.toPython() + PYTHON_PEER]);
  });

  test("the sample has every kind of field", () => {
    const kinds = new Set(JSON.stringify(Sample.describe()).match(/(?<="kind":")\w+/g));
    for (const kind of ["align", "array", "atomic", "bits", "bytes", "cacheLine", "cstring"]) {
      expect(kinds).toContain(kind);
    }
    for (const kind of ["enumeration", "struct", "union"]) expect(kinds).toContain(kind);
  });
});
