/**
 * Nothing that a program does with the bytes ends it or reaches another segment. Each case runs in
 * a process of its own: the fault it looks for is a fatal signal.
 */

import { describe, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { closeSync, openSync, write } from "node:fs";
import { SharedSegment, ShmError } from "../mod.ts";
import { expectError } from "./support/errors.ts";
import { cleanUpNames, ownFiles, uniqueName } from "./support/names.ts";
import { cleanUpSegments, ownSegments } from "./support/systemv.ts";
import { runPeer } from "./support/peers.ts";
import { HOST_WITH_FILES } from "./support/runtimes.ts";

cleanUpNames();
cleanUpSegments();

describe("after close()", () => {
  const cases = {
    views: "every access through views and methods is an error or undefined",
    transferred: "a buffer that was transferred away before is harmless",
    cloned: "a buffer that was moved by structuredClone before is harmless",
    byob: "a buffer that a BYOB reader had taken is harmless",
    zlib: "an asynchronous native that reads goes on harmlessly",
    randomFill: "an asynchronous native that writes goes on harmlessly",
    scrypt: "an asynchronous native that holds the memory alone goes on harmlessly",
    fsRead: "a pending fs.read writes into no later segment",
  };
  for (const [each, title] of Object.entries(cases)) {
    test(title, () => expectSurvived(each));
  }
});

for (
  const kind of [
    "memfd",
    "systemv",
    "window of memfd",
    "window of systemv",
    "resized memfd",
    "frozen memfd",
  ]
) {
  describe(`after the end of a ${kind}`, () => {
    const cases = {
      transferred: "a buffer that was transferred away before is harmless",
      zlib: "an asynchronous native that reads goes on harmlessly",
      randomFill: "an asynchronous native that writes goes on harmlessly",
      fsRead: "a pending fs.read writes into no later segment",
    };
    for (const [each, title] of Object.entries(cases)) {
      test(title, () => expectSurvived(each, kind));
    }
  });
}

async function expectSurvived(each: string, kind: string = "posix"): Promise<void> {
  const fifo = uniqueName();
  spawnSync("mkfifo", [`/dev/shm/${fifo}`]);
  const args = [each, uniqueName(), `/dev/shm/${fifo}`, kind];
  expect(await runPeer(HOST_WITH_FILES, "use_after_close.ts", args)).toBe("survived\n");
  expect(ownFiles()).toEqual([fifo]);
  expect(ownSegments()).toEqual([]);
}

describe("while an asynchronous native works on its bytes", () => {
  // Some engines do not detach the buffer then: it must not be taken for that of the new mapping.
  async function whileWriting(bytes: Uint8Array, body: () => void): Promise<void> {
    const fd = openSync("/dev/null", "r+");
    try {
      const written = new Promise<void>((resolve) => write(fd, bytes, () => resolve()));
      body();
      await written;
    } finally {
      closeSync(fd);
    }
  }

  test("a segment is mapped anew all the same", async () => {
    using writer = SharedSegment.anonymous({ size: 64 });
    using reader = SharedSegment.openFile(writer.path, { readonly: true });
    reader.getUint8(0);
    await whileWriting(reader.unsafeBytes, () => {
      writer.bytes[0] = 7;
      writer.resize(128);
      reader.refresh();
      expect([reader.getUint8(0), reader.copy().length]).toEqual([7, 128]);
    });
    await whileWriting(writer.bytes, () => {
      writer.resize(64);
      expect([writer.bytes.length, writer.bytes[0]]).toEqual([64, 7]);
      writer.bytes[0] = 8;
    });
    reader.refresh();
    expect(reader.getUint8(0)).toBe(8);
  });

  test("use of a closed one is an error all the same", async () => {
    const writer = SharedSegment.anonymous({ size: 64 });
    const reader = SharedSegment.openFile(writer.path, { readonly: true });
    reader.getUint8(0);
    await whileWriting(reader.unsafeBytes, () => {
      reader.close();
      expectError(() => reader.getUint8(0), ShmError, /this handle is closed/);
    });
    await whileWriting(writer.bytes, () => {
      writer.close();
      expectError(() => writer.bytes, ShmError, /this handle is closed/);
    });
  });
});
