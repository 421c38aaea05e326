/**
 * The programs in `docs/` run, in this runtime, and print what their comments say.
 */

import { describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { temporaryDirectory } from "./support/c.ts";
import { cleanUpNames, ownFiles } from "./support/names.ts";
import { cleanUpSegments, ownSegments } from "./support/systemv.ts";
import { Peer, succeed } from "./support/peers.ts";
import { HOST } from "./support/runtimes.ts";

cleanUpNames();
cleanUpSegments();

const root = fileURLToPath(new URL("../", import.meta.url));
const documents = [
  ...["README.md", "CONTRIBUTING.md", "CHANGELOG.md"],
  ...["docs", "examples", "bench"].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
      .map((path) => join(folder, path))
  ),
].filter((path) => path.endsWith(".md"));

const directory = temporaryDirectory();

/** A program that imports the library from here. */
function withLibrary(source: string): string {
  const here = (path: string) => JSON.stringify(new URL(`../${path}`, import.meta.url).href);
  return source.replaceAll('"@shmkit/shmkit"', here("mod.ts"))
    .replaceAll('"@shmkit/shmkit/layout"', here("layout/mod.ts"))
    .replaceAll('"@shmkit/shmkit/sync"', here("sync/mod.ts"));
}

/** What the comments behind console.log() say, up to a colon: `// 7` is the line `7`. */
function expectedLines(source: string): string[] {
  return [...source.matchAll(/console\.log\(.*\); \/\/ ([^:\n]*)/g)].map(([, text]) =>
    text as string
  );
}

for (
  const [document, least] of [
    ["docs/kinds.md", 10],
    ["docs/layouts.md", 11],
    ["docs/locks.md", 7],
  ] as const
) {
  describe(`the programs in ${document}`, () => {
    const text = readFileSync(join(root, document), "utf8");
    const blocks = [...text.matchAll(/```ts\n\/\/ (\S+\.ts)\n([^]*?)```/g)];

    test("are all found", () => {
      expect(blocks.length).toBe(text.match(/```ts/g)?.length ?? 0);
      expect(blocks.length).toBeGreaterThanOrEqual(least);
    });

    for (const [, name, source] of blocks as unknown as [string, string, string][]) {
      test(`print what they say: ${name}`, async () => {
        const path = join(directory, name);
        const unique = source.replaceAll(/"doc-(\w+)"/g, `"shmkit-test-${process.pid}-$1"`);
        writeFileSync(path, withLibrary(unique));
        const output = await succeed(new Peer([...HOST.command, path]));
        const expected = expectedLines(source);
        expect(expected.length).toBeGreaterThan(0);
        expect(output).toBe(expected.map((line) => `${line}\n`).join(""));
        expect(ownSegments()).toEqual([]);
        expect(ownFiles()).toEqual([]);
      });
    }
  });
}

describe("the documents", () => {
  test("link to files that exist", () => {
    expect(documents.length).toBeGreaterThan(6);
    const broken = documents.flatMap((document) => {
      const text = readFileSync(join(root, document), "utf8").replace(/```[^]*?```/g, "");
      return [...text.matchAll(/\]\((?!https?:)([^)#]+)(#[^)]*)?\)/g)]
        .map(([, target]) => target as string)
        .filter((target) => !existsSync(join(root, dirname(document), target)))
        .map((target) => `${document}: ${target}`);
    });
    expect(broken).toEqual([]);
  });
});
