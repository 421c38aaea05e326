/**
 * `shm cat`: the bytes, as they are.
 *
 * @module
 */

import { DONE, UsageError } from "./exit_codes.ts";
import { isTerminal, write } from "./output.ts";
import { cutOff, openSource, pieces, rangeOf } from "./read.ts";
import { parseOneTarget } from "./target.ts";
import type { Verb } from "./verb.ts";

/** The verb. */
export const cat: Verb = {
  name: "cat",
  summary: "write the bytes of an object to standard output",
  operands: "TARGET",
  description:
    `The bytes are written as they are. To a terminal they are not: it might obey them. There,
use shm dump, or --force.`,
  options: {
    offset: { short: "s", value: "SIZE", help: "where to start" },
    length: { short: "n", value: "SIZE", help: "how many bytes; up to the end by default" },
    force: { short: "f", help: "even to a terminal" },
  },
  examples: [
    ["shm cat frames > frames.raw", "save it"],
    ["shm cat frames | shm write copy", "copy it into another one"],
    ["shm cat frames -s 128 -n 16 | od -t f4", "a part of it"],
  ],
  async run(args) {
    const target = parseOneTarget(args.positionals);
    const [offset, length] = [args.size("offset"), args.size("length")];
    if (isTerminal() && !args.has("force")) {
      throw new UsageError("standard output is a terminal; use shm dump, or --force");
    }
    using source = openSource(target);
    const range = rangeOf(target, source.size, offset, length);
    let read = 0;
    for (const piece of pieces(source, range)) {
      await write(piece);
      read += piece.length;
    }
    if (read < range.byteLength) throw cutOff(target, range, read);
    return DONE;
  },
};
