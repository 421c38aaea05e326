/**
 * The rules of the library's code, asserted on its source. Each rule also has to find a violation
 * that is planted, so that a rule which has stopped looking is noticed.
 */

import { describe, expect, test } from "bun:test";
import ts from "typescript";
import {
  importsOf,
  nodesOf,
  parse,
  readSource,
  rootNames,
  type Source,
  sourcesOf,
} from "./support/source.ts";

/** The files and folders that a program imports. Those that do not exist yet count when they do. */
const LIBRARY = [
  "mod.ts",
  "errors.ts",
  "ffi",
  "memory",
  "layout",
  "sync",
  "object",
  "channels",
] as const;
const COMMAND = "cli";

const library = sourcesOf(...LIBRARY);
const everything = [...library, ...sourcesOf(COMMAND)];

/** What each folder may import, itself apart: one way, from the top to the bottom. */
const IMPORTS: Readonly<Record<string, readonly string[]>> = {
  "errors.ts": [],
  layout: [],
  ffi: ["errors.ts"],
  memory: ["errors.ts", "ffi"],
  sync: ["errors.ts", "ffi", "memory", "layout"],
  channels: ["errors.ts", "ffi", "memory", "layout", "sync"],
  object: ["errors.ts", "ffi", "memory", "layout", "sync"],
  "mod.ts": ["errors.ts", "memory", "layout", "sync", "object", "channels"],
  cli: ["errors.ts", "ffi", "memory", "layout", "sync", "object", "channels", "mod.ts"],
};

/** Names of runtimes and operating systems, and the files of `ffi/` whose business they are. */
const NAMES: readonly { what: string; pattern: RegExp; home: RegExp }[] = [
  { what: "Deno", pattern: /deno/i, home: /^ffi\/(select|runtimes\/deno)\.ts$/ },
  { what: "Bun", pattern: /\bbun\b|bun(Ffi|Runtime)/i, home: /^ffi\/(select|runtimes\/bun)\.ts$/ },
  {
    what: "Node",
    pattern: /\bNode\b|\bnode:|[nN]ode(Ffi|Runtime|JS)/,
    home: /^ffi\/(select|runtimes\/(node|process))\.ts$/,
  },
  {
    what: "an operating system",
    pattern: /linux|darwin|macos|win32|\bwindows\b/i,
    home: /^ffi\/(select|platforms\/linux(_\w+)?)\.ts$/,
  },
  {
    what: "a path of the operating system",
    pattern: /\/(dev|proc|sys|tmp)\b/,
    home: /^ffi\/platforms\/linux(_\w+)?\.ts$/,
  },
];

/** Globals that one runtime has and another lacks, or grants to nobody without a permission. */
const RUNTIME_GLOBALS = /^(Buffer|__dirname|__filename|global|process|require|setImmediate)$/;
const RUNTIME_GLOBALS_HOME = /^ffi\/(select|runtimes\/\w+)\.ts$/;

/** Members of `Runtime` that take or give an address. */
const ADDRESS_MEMBERS =
  /^(addressToNumber|backgroundThread|load|nullAddress|offsetAddress|viewMemory)$/;

const MAX_BYTE_LENGTH = 16 * 1024;

/** Violations that are known, and why they stay. One that is gone must leave this list. */
const EXCEPTIONS: Readonly<Record<string, string>> = {
  "errors.ts: names a path of the operating system: /dev": "advice to the user, in a message",
  "layout/c_names.ts: names an operating system: linux":
    "a macro that C compilers define, so that no member can have the name",
  "layout/c_open.ts: names an operating system: linux":
    "a macro by which generated C omits the functions where the objects cannot be",
  "object/shared_object.ts: has 16 KB or more":
    "the other class that users see: two thirds of it are what they read in their editor",
  "memory/shared_segment.ts: has 16 KB or more":
    "the class that users see most of: two thirds of it are what they read in their editor",
};

/** The folder that a file belongs to; the file itself at the root. */
const unitOf = (path: string): string => path.split("/")[0] as string;

/** A rule: gives what a file has against it. */
interface Rule {
  readonly title: string;
  /** What the rule holds for: the library when nothing is said. */
  readonly sources?: readonly Source[];
  check(source: Source): string[];
  /** Files that break it, with what must be found. */
  readonly planted: readonly (readonly [path: string, text: string, violation: string])[];
}

const RULES: readonly Rule[] = [
  {
    title: "imports go one way",
    sources: everything,
    check: (source) =>
      importsOf(source).flatMap(({ target }) => {
        const [from, to] = [unitOf(source.path), unitOf(target ?? "")];
        if (target === undefined || from === to) return [];
        return IMPORTS[from]?.includes(to) ? [] : [`imports ${target}`];
      }),
    planted: [
      ["ffi/x.ts", 'import { a } from "../memory/a.ts";', "imports memory/a.ts"],
      ["memory/x.ts", 'export * from "../sync/a.ts";', "imports sync/a.ts"],
      ["layout/x.ts", 'import type { A } from "../errors.ts";', "imports errors.ts"],
      ["errors.ts", 'const a: import("./ffi/mod.ts").A = b;', "imports ffi/mod.ts"],
      ["sync/x.ts", 'await import("../mod.ts");', "imports mod.ts"],
      ["mod.ts", 'export { a } from "./cli/a.ts";', "imports cli/a.ts"],
    ],
  },
  {
    title: "ffi/ is entered by its door",
    sources: everything,
    check: (source) =>
      importsOf(source).flatMap(({ target }) => {
        const enters = unitOf(target ?? "") === "ffi" && unitOf(source.path) !== "ffi";
        return enters && target !== "ffi/mod.ts" ? [`imports ${target}`] : [];
      }),
    planted: [
      ["sync/x.ts", 'import { a } from "../ffi/libc/a.ts";', "imports ffi/libc/a.ts"],
      ["mod.ts", 'export type { A } from "./ffi/errno.ts";', "imports ffi/errno.ts"],
    ],
  },
  {
    title: "what is imported is a file of the library, with its extension",
    check: (source) =>
      importsOf(source).flatMap(({ specifier, target }) =>
        target?.endsWith(".ts") ? [] : [`imports ${specifier}`]
      ),
    planted: [
      ["memory/x.ts", 'import { readFileSync } from "node:fs";', "imports node:fs"],
      ["ffi/runtimes/bun.ts", 'import "bun:ffi";', "imports bun:ffi"],
      ["sync/x.ts", 'import { a } from "a";', "imports a"],
      ["sync/x.ts", 'import { a } from "./a";', "imports ./a"],
      ["sync/x.ts", 'import { a } from "./a.js";', "imports ./a.js"],
      ["sync/x.ts", "const a = await import(name);", "imports name"],
      ["sync/x.ts", 'import fs = require("fs");', 'imports require("fs")'],
    ],
  },
  {
    title: "no file imports itself by way of others",
    check: (source) => {
      const cycle = cycleThrough(source);
      return cycle === undefined ? [] : [`imports itself by way of ${cycle}`];
    },
    planted: [[
      "errors.ts",
      'import type { A } from "./ffi/errno.ts"; import { b } from "./ffi/mapping.ts";',
      "imports itself by way of ffi/mapping.ts",
    ]],
  },
  {
    title: "runtimes and operating systems are named in their own files",
    sources: everything,
    check: ({ path, tree }) => {
      const found = new Set<string>();
      for (const node of nodesOf(tree, (each) => !isImportOrExport(each))) {
        if (!isNameOrText(node)) continue;
        for (const { what, pattern, home } of NAMES) {
          const [match] = pattern.exec(node.text) ?? [];
          if (match !== undefined && !home.test(path)) found.add(`names ${what}: ${match}`);
        }
      }
      return [...found];
    },
    planted: [
      ["memory/x.ts", 'if ("Deno" in globalThis) a();', "names Deno: Deno"],
      ["ffi/runtimes/bun.ts", "const denoOnly = 1;", "names Deno: deno"],
      ["sync/x.ts", "export const bunRuntime = 1;", "names Bun: bunRuntime"],
      ["sync/x.ts", "throw new Error(`Use Bun, ${a}`);", "names Bun: Bun"],
      ["ffi/mapping.ts", 'load("node:os");', "names Node: node:"],
      ["memory/x.ts", "throw new Error(`${a}: use Node`);", "names Node: Node"],
      ["memory/x.ts", "const isLinux = true;", "names an operating system: Linux"],
      ["ffi/platforms/platform.ts", 'a = "darwin";', "names an operating system: darwin"],
      ["sync/x.ts", 'open("/dev/shm");', "names a path of the operating system: /dev"],
      ["ffi/libc/x.ts", "open(`/proc/${a}/maps`);", "names a path of the operating system: /proc"],
    ],
  },
  {
    title: "globals that not every runtime has are used in ffi/runtimes/ only",
    sources: everything,
    check: ({ path, tree }) => {
      if (RUNTIME_GLOBALS_HOME.test(path)) return [];
      return [...nodesOf(tree)].flatMap((node) =>
        ts.isIdentifier(node) && RUNTIME_GLOBALS.test(node.text) ? [`uses ${node.text}`] : []
      );
    },
    planted: [
      ["memory/x.ts", "process.on('exit', a);", "uses process"],
      ["ffi/mapping.ts", "const { process } = globalThis;", "uses process"],
      ["sync/x.ts", "return Buffer.from(a);", "uses Buffer"],
    ],
  },
  {
    title: "no address leaves ffi/",
    sources: everything,
    check: (source) => {
      if (unitOf(source.path) === "ffi" && source.path !== "ffi/mod.ts") return [];
      const names = importsOf(source).flatMap(({ names }) => names)
        .filter((name) => name === "Address")
        .map(() => "imports Address");
      const members = [...nodesOf(source.tree)].flatMap((node) =>
        ts.isIdentifier(node) && ADDRESS_MEMBERS.test(node.text) && isMemberOfRuntime(node)
          ? [`uses ${node.text} of the runtime`]
          : []
      );
      return [...names, ...members];
    },
    planted: [
      ["memory/x.ts", 'import { type Address as A } from "../ffi/mod.ts";', "imports Address"],
      [
        "ffi/mod.ts",
        'export type { Address, Runtime } from "./runtimes/runtime.ts";',
        "imports Address",
      ],
      ["memory/x.ts", "runtime().viewMemory(a, 8);", "uses viewMemory of the runtime"],
      ["sync/x.ts", "const { nullAddress } = runtime();", "uses nullAddress of the runtime"],
    ],
  },
  {
    title: "nothing is awaited while a module is loaded",
    check: ({ tree }) => {
      // In a dependency, it can abort a thread that is terminated, and keeps it out of bundles.
      const isAwait = (node: ts.Node) =>
        ts.isAwaitExpression(node) ||
        ts.isForOfStatement(node) && node.awaitModifier !== undefined ||
        ts.isVariableDeclarationList(node) &&
          (node.flags & ts.NodeFlags.AwaitUsing) === ts.NodeFlags.AwaitUsing;
      const atTopLevel = nodesOf(tree, (node) => !ts.isFunctionLike(node));
      return [...atTopLevel].filter(isAwait).map(() => "awaits at the top level");
    },
    planted: [
      ["sync/x.ts", "const a = await b();", "awaits at the top level"],
      ["sync/x.ts", "if (a) { for await (const b of c) d(b); }", "awaits at the top level"],
      ["sync/x.ts", "await using a = b();", "awaits at the top level"],
      ["sync/x.ts", "class A { static b = await c(); }", "awaits at the top level"],
    ],
  },
  {
    title: "there is no any, and nothing that types leave behind at run time",
    sources: everything,
    check: ({ tree }) =>
      [...nodesOf(tree)].flatMap((node) => {
        if (node.kind === ts.SyntaxKind.AnyKeyword) return ["uses any"];
        if (ts.isEnumDeclaration(node)) return ["has an enum"];
        if (ts.isModuleDeclaration(node)) return ["has a namespace"];
        if (ts.isDecorator(node)) return ["has a decorator"];
        if (ts.isParameter(node) && (node.modifiers ?? []).some(ts.isModifier)) {
          return ["has a parameter property"];
        }
        return [];
      }),
    planted: [
      ["sync/x.ts", "const a = (b as any).c;", "uses any"],
      ["sync/x.ts", "function a(...b: any[]) {}", "uses any"],
      ["sync/x.ts", "const enum A { B }", "has an enum"],
      ["sync/x.ts", "namespace A { export const b = 1; }", "has a namespace"],
      ["sync/x.ts", "declare global { var a: number; }", "has a namespace"],
      ["sync/x.ts", "class A { constructor(readonly b: number) {} }", "has a parameter property"],
      ["sync/x.ts", "class A { @b c() {} }", "has a decorator"],
    ],
  },
  {
    title: "files stay small",
    sources: everything,
    check: ({ text }) =>
      new TextEncoder().encode(text).byteLength < MAX_BYTE_LENGTH ? [] : ["has 16 KB or more"],
    planted: [["sync/x.ts", " ".repeat(MAX_BYTE_LENGTH), "has 16 KB or more"]],
  },
];

const needs = new WeakMap<Source, string[]>();

/** What has to be loaded before a file. */
function needsOf(source: Source | undefined): string[] {
  if (source === undefined) return [];
  const known = needs.get(source);
  if (known !== undefined) return known;
  const found = importsOf(source).flatMap(({ target, typeOnly }) =>
    target === undefined || typeOnly ? [] : [target]
  );
  needs.set(source, found);
  return found;
}

/** The file by way of which a file is needed to load itself; undefined for none. */
function cycleThrough(source: Source): string | undefined {
  const seen = new Set<string>();
  const leadsBack = (path: string): boolean => {
    if (path === source.path) return true;
    if (seen.has(path)) return false;
    seen.add(path);
    return needsOf(library.find((each) => each.path === path)).some(leadsBack);
  };
  return needsOf(source).find(leadsBack);
}

const isImportOrExport = (node: ts.Node): boolean =>
  ts.isImportDeclaration(node) || ts.isExportDeclaration(node);

function isNameOrText(
  node: ts.Node,
): node is ts.Identifier | ts.PrivateIdentifier | ts.LiteralLikeNode {
  return ts.isIdentifier(node) || ts.isPrivateIdentifier(node) ||
    ts.isStringLiteralLike(node) || ts.isTemplateLiteralToken(node) ||
    ts.isRegularExpressionLiteral(node);
}

/** Whether an identifier is taken from `runtime()`, by a dot or by destructuring. */
function isMemberOfRuntime({ parent }: ts.Identifier): boolean {
  const owner = ts.isPropertyAccessExpression(parent)
    ? parent.expression
    : ts.isBindingElement(parent) && ts.isVariableDeclaration(parent.parent.parent)
    ? parent.parent.parent.initializer
    : undefined;
  return owner !== undefined && /\bruntime\b/i.test(owner.getText());
}

describe("in the source of the library", () => {
  const used = new Set<string>();

  for (const { title, sources = library, check, planted } of RULES) {
    test(title, () => {
      for (const [path, text, violation] of planted) {
        expect(check(parse(path, text))).toContain(violation);
      }
      const found = sources.flatMap((source) =>
        check(source).map((violation) => `${source.path}: ${violation}`)
      );
      for (const violation of found) used.add(violation);
      expect(found.filter((violation) => EXCEPTIONS[violation] === undefined)).toEqual([]);
    });
  }

  test("no exception is listed that has become unnecessary", () => {
    expect(Object.keys(EXCEPTIONS).filter((exception) => !used.has(exception))).toEqual([]);
  });

  test("there are files to look at", () => {
    for (const path of ["mod.ts", "errors.ts", "ffi/select.ts", "memory/names.ts"]) {
      expect(library.map((source) => source.path)).toContain(path);
    }
  });
});

describe("the packages", () => {
  const npm = JSON.parse(readSource("package.json"));
  const jsr = JSON.parse(readSource("deno.json"));

  test("need no other package at run time", () => {
    for (const kind of ["dependencies", "optionalDependencies", "peerDependencies"]) {
      expect(npm[kind]).toBe(undefined);
    }
  });

  test("have one version, and the licence", () => {
    expect(jsr.version).toBe(npm.version);
    expect(jsr.license).toBe(npm.license);
  });

  test("hold all of the library", () => {
    const present = [...LIBRARY, COMMAND].filter((name) => rootNames().includes(name));
    expect(jsr.publish.include).toEqual(expect.arrayContaining(present));
  });
});
