/**
 * What the two manifests say. The forms themselves are made and run by `packaging_node_test.ts`,
 * `packaging_bun_test.ts` and `packaging_deno_test.ts`.
 */

import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";

interface NpmManifest {
  readonly name: string;
  readonly version: string;
  readonly license: string;
  readonly exports: Readonly<Record<string, string | Readonly<Record<string, string>>>>;
  readonly [field: string]: unknown;
}

interface JsrManifest {
  readonly name: string;
  readonly version: string;
  readonly license: string;
  readonly exports: string | Readonly<Record<string, string>>;
  readonly imports: Readonly<Record<string, string>>;
}

const project = new URL("../", import.meta.url);
const read = (name: string) => JSON.parse(readFileSync(new URL(name, project), "utf8"));
const npm = read("package.json") as NpmManifest;
const jsr = read("deno.json") as JsrManifest;

/** The entry points by subpath. */
const entries = typeof jsr.exports === "string" ? { ".": jsr.exports } : jsr.exports;

describe("package.json and deno.json", () => {
  test("describe the same package", () => {
    expect(jsr.name).toBe(`@shmkit/${npm.name}`);
    expect(jsr.version).toBe(npm.version);
    expect(jsr.license).toBe(npm.license);
  });

  test("have the same subpaths, each with a source file", () => {
    const { "./package.json": manifest, ...exports } = npm.exports;
    expect(manifest).toBe("./package.json");
    // No condition per runtime: two copies of the library in one program must not meet.
    expect(exports).toEqual(Object.fromEntries(
      Object.entries(entries).map(([subpath, source]) => {
        const built = source.replace(/^\.\/(.*)\.ts$/, "./dist/$1");
        return [subpath, { types: `${built}.d.ts`, default: `${built}.js` }];
      }),
    ));
    for (const source of Object.values(entries)) {
      expect(existsSync(new URL(source, project))).toBe(true);
    }
  });

  test("have a command under two names, which no bundler takes for superfluous", () => {
    const command = (npm.exports["./cli"] as Readonly<Record<string, string>>)["default"];
    expect(npm["bin"]).toEqual({ shmkit: command, shm: command });
    expect(npm["sideEffects"]).toEqual([command]);
  });

  test("name nothing that is needed at run time", () => {
    const fields = Object.keys(npm).filter((field) => /dependencies$/i.test(field));
    expect(fields).toEqual(["devDependencies"]);
    for (const target of Object.values(jsr.imports)) expect(target).toMatch(/^\.\//);
  });
});
