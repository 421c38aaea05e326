/**
 * Where the text comes from: a file, or what is lying about on this machine.
 *
 * @module
 */

import {
  accessSync,
  closeSync,
  constants,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  statSync,
} from "node:fs";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { fileURLToPath } from "node:url";

/** A text that can be put somewhere. */
export interface Text {
  readonly description: string;
  readonly byteLength: number;
  /** Fills an array of that length. */
  copyInto(bytes: Uint8Array, signal: AbortSignal): Promise<void>;
}

const READ_BYTE_LENGTH = 16 * 1024 * 1024;

/** A file. It is read straight into the place where it is wanted. */
export function fileText(path: string): Text {
  const refuse = (reason: string) => new Error(`Cannot count ${JSON.stringify(path)}: ${reason}`);
  const status = statSync(path, { throwIfNoEntry: false });
  if (status === undefined) throw refuse("there is no such file");
  if (status.isDirectory()) throw refuse("it is a directory");
  if (!status.isFile()) throw refuse("it is not a regular file");
  if (status.size === 0) throw refuse("it is empty");
  try {
    accessSync(path, constants.R_OK);
  } catch {
    throw refuse("permission denied");
  }
  return {
    description: path,
    byteLength: status.size,
    async copyInto(bytes, signal) {
      using file = openFile(path);
      let position = 0;
      while (position < bytes.length) {
        const most = Math.min(READ_BYTE_LENGTH, bytes.length - position);
        const byteLength = readSync(file.fd, bytes, position, most, position);
        if (byteLength === 0) throw refuse("it has become shorter");
        position += byteLength;
        await setImmediate(); // for Ctrl-C
        signal.throwIfAborted();
      }
    },
  };
}

function openFile(path: string): { fd: number } & Disposable {
  const fd = openSync(path, "r");
  return { fd, [Symbol.dispose]: () => closeSync(fd) };
}

const NEWLINE = 0x0a;
const SAMPLE_BYTE_LENGTH = 5 * 1024 * 1024;

/** Folders with much to read, and at last the project itself, which is always there. */
const SAMPLE_FOLDERS = [
  "/usr/share/common-licenses",
  "/usr/share/doc",
  "/usr/share/perl",
  fileURLToPath(new URL("../../", import.meta.url)),
];

/** At least 5 MiB made of files of this machine, the same at every run. */
export function sampleText(): Text {
  const pieces: Uint8Array[] = [];
  let byteLength = 0;
  for (const piece of sampleFiles()) {
    pieces.push(piece);
    byteLength += piece.length;
    if (byteLength >= SAMPLE_BYTE_LENGTH) break;
  }
  const repetitions = Math.ceil(SAMPLE_BYTE_LENGTH / byteLength);
  const times = repetitions === 1 ? "" : `, ${repetitions} times over`;
  return {
    description: `${pieces.length} text files of this machine${times}`,
    byteLength: byteLength * repetitions,
    copyInto(bytes) {
      let position = 0;
      while (position < bytes.length) {
        for (const piece of pieces) {
          bytes.set(piece, position);
          position += piece.length;
        }
      }
      return Promise.resolve();
    },
  };
}

function* sampleFiles(): Generator<Uint8Array> {
  for (const folder of SAMPLE_FOLDERS) {
    for (const path of filesUnder(folder)) {
      const bytes = tryRead(path);
      // Long files are lists rather than prose, and zeros are not text. Without a newline at its
      // end, a file would be glued to the next one.
      if (bytes.length <= 128 * 1024 && !bytes.includes(0) && bytes.at(-1) === NEWLINE) yield bytes;
    }
  }
}

/** Names of what was written to be read: LICENSE, copyright, guide.md. */
const READABLE_FILE = /^[A-Z]|^copyright$|\.(md|pod|ts|txt)$/;
const SKIPPED_FOLDER = /^(\.|node_modules$|dist$)/;

/** The files of a folder in the order of their names; links are not followed. */
function* filesUnder(folder: string): Generator<string> {
  for (const entry of entriesOf(folder)) {
    const path = join(folder, entry.name);
    if (entry.isFile() && READABLE_FILE.test(entry.name)) yield path;
    if (entry.isDirectory() && !SKIPPED_FOLDER.test(entry.name)) yield* filesUnder(path);
  }
}

function tryRead(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch {
    return new Uint8Array(); // not ours to read: there are others
  }
}

function entriesOf(folder: string) {
  try {
    const entries = readdirSync(folder, { withFileTypes: true });
    return entries.sort((one, other) => (one.name < other.name ? -1 : 1));
  } catch {
    return []; // it does not exist here
  }
}
