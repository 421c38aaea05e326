/**
 * The example with image frames, run as its README says.
 */

import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { drawFrame } from "../examples/03_image_frames/camera.ts";
import { FrameReader, FrameWriter } from "../examples/03_image_frames/frames.ts";
import { decodePng, encodePng, type Picture } from "../examples/03_image_frames/png.ts";
import { SharedSegment } from "../mod.ts";
import { temporaryDirectory } from "./support/c.ts";
import { Example, interrupt } from "./support/examples.ts";
import { cleanUpNames, ownFiles, uniqueName } from "./support/names.ts";
import { type Peer, succeed } from "./support/peers.ts";
import { HOST, OTHERS, RUNTIMES } from "./support/runtimes.ts";

const example = new Example("03_image_frames");
const directory = temporaryDirectory();
const picture = decodePng(readFileSync(example.path("cat.png")));
const never = new AbortController().signal;

cleanUpNames();

/** What a reader has counted, from its last report. */
function reportOf(stdout: string): { received: number; dropped: number; torn: number } {
  const reports = [...stdout.matchAll(
    /^(\d+) frames in [\d.]+ s: [\d.]+ frames\/s, \d+ MB\/s, (\d+) dropped, (\d+) torn, /gm,
  )];
  const [, received, dropped, torn] = (reports.at(-1) ?? []).map(Number);
  return { received: received as number, dropped: dropped as number, torn: torn as number };
}

/** Starts a reader, and waits until it has seen frames. */
async function startReader(runtime: string, name: string, ...args: string[]): Promise<Peer> {
  const reader = example.start(runtime, "reader.ts", "--name", name, ...args);
  expect(await reader.line()).toMatch(/^looking at \d+ x \d+$/);
  return reader;
}

/** Starts a writer, and waits until it shows something. */
async function startWriter(runtime: string, name: string, ...args: string[]): Promise<Peer> {
  const writer = example.start(runtime, "writer.ts", "--name", name, ...args);
  expect(await writer.line()).toBe(`showing 640 x 480 as "${name}"`);
  return writer;
}

/** A frame as it has to look. */
function drawn(number: number, width: number, height: number): Picture {
  const frame = { width, height, pixels: new Uint32Array(width * height) };
  drawFrame(frame, picture, number);
  return frame;
}

describe("the picture", () => {
  test("is read as another program reads it", () => {
    const { width, height, pixels } = picture;
    expect([width, height]).toEqual([384, 256]);
    const rgb = new Uint8Array(pixels.buffer).filter((_, index) => index % 4 < 3);
    expect(crc32(rgb)).toBe(1039067287); // as Pillow 12.3 reads it
  });

  test("is written so that it can be read", () => {
    expect(decodePng(encodePng(picture))).toEqual(picture);
  });
});

describe("frames", () => {
  test("are handed over newest first, and in slots of their own", async () => {
    const name = uniqueName();
    using writer = FrameWriter.create(name, 32, 16);
    using reader = await FrameReader.open(name, never);
    const publish = (number: number) => {
      const frame = writer.back;
      drawFrame(frame, picture, number);
      frame.seal(number);
      return writer.publish();
    };
    expect([0, 1, 2].map(publish)).toEqual([true, false, false]);
    const frame = await reader.next(never);
    expect([3, 4, 5].map(publish)).toEqual([true, false, false]);
    expect(frame?.number).toBe(2); // as it was
    expect(frame?.isIntact()).toBe(true);
    expect((await reader.next(never))?.number).toBe(5);
  });

  test("are seen to the last when the writer ends", async () => {
    const name = uniqueName();
    const writer = FrameWriter.create(name, 32, 16);
    using reader = await FrameReader.open(name, never);
    writer.back.seal(7);
    writer.publish();
    writer[Symbol.dispose]();
    expect((await reader.next(never))?.number).toBe(7);
    expect(await reader.next(never)).toBe(undefined);
    expect(ownFiles()).toEqual([]);
  });

  test("are known for torn by any changed byte", async () => {
    const name = uniqueName();
    using writer = FrameWriter.create(name, 33, 15);
    using reader = await FrameReader.open(name, never);
    writer.back.seal(7);
    writer.publish();
    const frame = await reader.next(never);
    if (frame === undefined) throw new Error("there is a frame");
    for (const pixel of [0, 100, 33 * 15 - 1]) {
      frame.pixels[pixel] = 1;
      expect(frame.isIntact()).toBe(false);
      frame.pixels[pixel] = 0;
      expect(frame.isIntact()).toBe(true);
    }
  });
});

describe("the example with image frames", () => {
  const pairs = [
    ...RUNTIMES.map(({ name }) => [HOST.name, name] as const),
    ...OTHERS.map(({ name }) => [name, HOST.name] as const),
  ];
  for (const [from, to] of pairs) {
    test(`shows a film from ${from} to ${to}`, async () => {
      const name = uniqueName();
      const path = join(directory, `${from}-${to}.png`);
      const args = ["--name", name, "--frames", 60, "--save", path];
      await using reader = example.start(to, "reader.ts", ...args);
      await using writer = await startWriter(from, name);
      const stdout = await succeed(reader);
      expect(reportOf(stdout)).toMatchObject({ received: 60, torn: 0 });
      const number = Number(/^frame (\d+) is in (.*)$/m.exec(stdout)?.[1]);
      expect(decodePng(readFileSync(path))).toEqual(drawn(number, 640, 480));
      interrupt(writer);
      expect((await writer.exit()).code).toBe(130);
      expect(ownFiles()).toEqual([]);
    });

    test(`tears no frame at full speed from ${from} to ${to}`, async () => {
      const name = uniqueName();
      await using reader = example.start(to, "reader.ts", "--name", name, "--frames", 1000);
      const args = ["--name", name, "--fps", "0", "--size", "320x200"];
      await using writer = example.start(from, "writer.ts", ...args);
      expect(reportOf(await succeed(reader))).toMatchObject({ received: 1000, torn: 0 });
      interrupt(writer);
      await writer.exit();
      expect(ownFiles()).toEqual([]);
    });
  }

  test("ends after as many frames as it is told", async () => {
    const writer = example.start(HOST.name, "writer.ts", "--name", uniqueName(), "--frames", 5);
    expect(await succeed(writer)).toMatch(
      /^5 frames in [\d.]+ s: [\d.]+ frames\/s, \d+ MB\/s, 4 dropped$/m,
    );
    expect(ownFiles()).toEqual([]);
  });

  for (const { name: runtime } of RUNTIMES) {
    test(`leaves nothing after Ctrl-C (${runtime})`, async () => {
      const name = uniqueName();
      await using writer = await startWriter(runtime, name);
      const path = join(directory, `interrupted-${runtime}.png`);
      await using reader = await startReader(runtime, name, "--save", path);
      interrupt(reader);
      const looked = await reader.exit();
      expect(looked.code).toBe(130);
      expect(reportOf(looked.stdout).torn).toBe(0);
      await using second = await startReader(HOST.name, name);
      interrupt(writer);
      const drew = await writer.exit();
      expect(drew.code).toBe(130);
      expect(drew.stdout).toMatch(/^\d+ frames in /m);
      expect((await second.exit()).code).toBe(0); // it has noticed
      expect(ownFiles()).toEqual([]);
    });
  }

  test("interrupts a reader that waits for a writer", async () => {
    await using reader = example.start(HOST.name, "reader.ts", "--name", uniqueName());
    await new Promise((resolve) => setTimeout(resolve, 500));
    interrupt(reader);
    expect((await reader.exit()).code).toBe(130);
  });

  test("goes on when either of them was killed", async () => {
    const name = uniqueName();
    await using killedWriter = await startWriter(HOST.name, name, "--fps", "0");
    await using killedReader = await startReader(HOST.name, name);
    killedReader.kill();
    await killedReader.exit();
    const again = await succeed(await startReader(HOST.name, name, "--frames", "20"));
    expect(reportOf(again)).toMatchObject({ received: 20, torn: 0 });

    killedWriter.kill();
    await killedWriter.exit();
    expect(SharedSegment.exists(name)).toBe(true);
    await using writer = await startWriter(HOST.name, name);
    const anew = await succeed(await startReader(HOST.name, name, "--frames", "20"));
    expect(reportOf(anew)).toMatchObject({ received: 20, torn: 0 });
    interrupt(writer);
    await writer.exit();
    expect(ownFiles()).toEqual([]);
  });

  test("lets a second reader and a second writer take over", async () => {
    const name = uniqueName();
    await using writer = await startWriter(HOST.name, name);
    await using reader = await startReader(HOST.name, name);
    await using second = await startReader(HOST.name, name);
    const first = await reader.exit();
    expect(first.stdout).toContain("another reader has taken over\n");
    expect(reportOf(first.stdout).torn).toBe(0);

    await using secondWriter = await startWriter(HOST.name, name);
    expect((await writer.exit()).stdout).toContain("another writer has taken over\n");
    expect(reportOf((await second.exit()).stdout).torn).toBe(0);
    expect(existsSync(`/dev/shm/${name}`)).toBe(true); // the second writer's
    interrupt(secondWriter);
    await secondWriter.exit();
    expect(ownFiles()).toEqual([]);
  });
});
