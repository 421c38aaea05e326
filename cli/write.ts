/**
 * `shm write`: bytes into an object.
 *
 * @module
 */

import host from "node:process";
import { stateError } from "../errors.ts";
import { close, failure, platform, writeAt } from "../ffi/mod.ts";
import { readHeader } from "../memory/objects/header.ts";
import { SystemVSegment } from "../mod.ts";
import type { Arguments } from "./arguments.ts";
import { fromHex } from "./bytes.ts";
import { toJson } from "./escape.ts";
import { DONE, UsageError } from "./exit_codes.ts";
import { print } from "./output.ts";
import { openObject } from "./read.ts";
import { actionOn, formatTarget, parseOneTarget, type Target } from "./target.ts";
import { count } from "./units.ts";
import type { Verb } from "./verb.ts";

/** An object that is written to. */
interface Sink extends Disposable {
  readonly size: number;
  /**
   * Where what belongs to the library starts, of an object that carries its layout.
   *
   * @throws {ShmError} `ERR_SHM_CORRUPT` when nobody knows any more.
   */
  end(): number;
  write(bytes: Uint8Array, byteOffset: number): void;
}

function openSink(target: Target): Sink {
  if (target.kind === "semaphore" || target.kind === "semset") {
    throw new UsageError("a semaphore is no place for bytes");
  }
  if (target.kind === "systemv") {
    const which = target.id === undefined ? { key: target.key } : { id: target.id };
    const segment = SystemVSegment.open(which, { trust: "anyone" });
    return {
      size: segment.size,
      end: () => segment.size,
      write(bytes, byteOffset) {
        if (bytes.length === 0) return;
        using window = segment.window(byteOffset, bytes.length);
        window.bytes.set(bytes);
      },
      [Symbol.dispose]: () => segment.close(),
    };
  }
  // Through the descriptor: a lack of memory is an error then, and being cut off is none.
  const { fd, size } = openObject(target, "write to", platform().constants.O_RDWR);
  return {
    size,
    end: () => readHeader(actionOn("write to", target), fd, size)?.payloadByteLength ?? size,
    write(bytes, byteOffset) {
      const result = writeAt(fd, byteOffset, bytes);
      if (result < 0) throw failure(actionOn("write to", target), result, "pwrite");
    },
    [Symbol.dispose]: () => close(fd),
  };
}

/** The verb. */
export const write: Verb = {
  name: "write",
  summary: "write bytes into an object",
  operands: "TARGET",
  description:
    `The bytes come from standard input, or from an option. What does not fit is refused before
anything is written. Bytes behind the last one written stay as they are. Of an object that
carries its layout, only the value is written: what lies behind is the library's own.`,
  options: {
    offset: { short: "s", value: "SIZE", help: "where to start" },
    text: { value: "TEXT", help: "this text, in UTF-8, in place of standard input" },
    hex: { value: "DIGITS", help: "these bytes, in hexadecimal, in place of standard input" },
    raw: { short: "r", help: "also over what the library keeps behind a value" },
  },
  examples: [
    ["shm write frames < frames.raw", "load it"],
    ["shm write frames --text hello -s 64", "a word at an offset"],
    ["shm write id:3 --hex '0100 0000'", "four bytes of a System V segment"],
  ],
  async run(args) {
    const target = parseOneTarget(args.positionals);
    const byteOffset = args.size("offset") ?? 0;
    const given = givenBytes(args);
    using sink = openSink(target);
    const end = args.has("raw") ? sink.size : sink.end();
    const room = Math.max(0, end - byteOffset);
    const parts = given === undefined ? await readInput(room) : [given];
    const byteLength = parts.reduce((sum, { length }) => sum + length, 0);
    if (byteLength > room || byteOffset > end) {
      const received = given === undefined ? "more" : String(byteLength);
      throw stateError(
        actionOn("write to", target),
        "ERR_SHM_SIZE",
        `it has room for ${count(room, "byte")} from offset ${byteOffset}, received ${received}`,
        end === sink.size
          ? "Nothing was written."
          : `Nothing was written: its value ends at ${end}, and what lies behind is the library's ` +
            "own. --raw writes there, too.",
      );
    }
    let at = byteOffset;
    for (const part of parts) {
      sink.write(part, at);
      at += part.length;
    }
    if (args.has("json")) {
      const record = { target: formatTarget(target), offset: byteOffset, length: byteLength };
      await print([toJson(record)]);
    }
    return DONE;
  },
};

function givenBytes(args: Arguments): Uint8Array | undefined {
  const [text, hex] = [args.text("text"), args.text("hex")];
  if (text !== undefined && hex !== undefined) {
    throw new UsageError("give --text or --hex, not both");
  }
  if (text !== undefined) return new TextEncoder().encode(text);
  if (hex === undefined) return undefined;
  const bytes = fromHex(hex);
  if (bytes === undefined) throw new UsageError("--hex must be pairs of hexadecimal digits");
  return bytes;
}

/** Reads standard input to its end, or until there is more than fits. */
async function readInput(room: number): Promise<Uint8Array[]> {
  const parts: Uint8Array[] = [];
  let total = 0;
  for await (const part of host.stdin as AsyncIterable<Uint8Array>) {
    parts.push(part);
    total += part.length;
    if (total > room) break;
  }
  return parts;
}
