/**
 * Writing to standard output and standard error.
 *
 * Each write is awaited, so that a pipe gets all of it before the process ends, and so that a
 * reader that has gone is an error at a place that can be caught.
 *
 * @module
 */

import host from "node:process";
import { styleText } from "node:util";
import { environmentVariable } from "../ffi/mod.ts";
import { displayWidth } from "./escape.ts";

/** How a text stands out. */
export type Style = "bold" | "dim" | "red" | "green" | "yellow" | "cyan" | "inverse";

/** Thrown when whoever reads the output has gone. */
export class ReaderGone extends Error {}

/** What a write to a stream that is watched for errors ends with. */
const watched = new WeakSet<object>();

function writeTo(
  stream: typeof host.stdout | typeof host.stderr,
  data: string | Uint8Array,
): Promise<void> {
  if (!watched.has(stream)) {
    watched.add(stream);
    stream.on("error", () => {}); // the write that failed is told below
  }
  return new Promise<void>((resolve, reject) => {
    const settle = (error?: Error | null) => {
      if (error === undefined || error === null) resolve();
      else reject((error as { code?: string }).code === "EPIPE" ? new ReaderGone() : error);
    };
    try {
      stream.write(data, settle);
    } catch (error) {
      settle(error as Error);
    }
  });
}

/** Writes to standard output, as it is. Throws {@linkcode ReaderGone}. */
export function write(data: string | Uint8Array): Promise<void> {
  return data.length === 0 ? Promise.resolve() : writeTo(host.stdout, data);
}

/** Prints lines. */
export function print(lines: readonly string[]): Promise<void> {
  return write(lines.map((line) => `${line}\n`).join(""));
}

/** Prints a line on standard error. */
export async function complain(line: string): Promise<void> {
  await writeTo(host.stderr, `${line}\n`).catch(() => {}); // nobody is left to be told
}

/** Whether standard output is a terminal. */
export function isTerminal(): boolean {
  return host.stdout.isTTY === true;
}

/** The columns and rows of the terminal. */
export function terminalSize(): { readonly columns: number; readonly rows: number } {
  const { columns, rows } = host.stdout;
  return { columns: columns || 80, rows: rows || 24 };
}

let colors: boolean | undefined;

/** Makes a text stand out, on a terminal whose user has not turned that off. */
export function paint(style: Style, text: string): string {
  colors ??= isTerminal() && !environmentVariable("NO_COLOR") &&
    environmentVariable("TERM") !== "dumb";
  // Not by itself: it would look into the environment, for which permission would be asked.
  return colors ? styleText(style, text, { validateStream: false }) : text;
}

/** Cuts a line, which may be painted, to a number of columns. */
export function clip(line: string, columns: number): string {
  let clipped = "";
  let width = 0;
  let isPainted = false;
  // deno-lint-ignore no-control-regex
  for (const part of line.match(/\x1b\[[0-9;]*m|[^]/gu) ?? []) {
    const isStyle = part.length > 1 && part.startsWith("\x1b");
    if (isStyle) isPainted = true;
    else width += displayWidth(part);
    if (width > columns) return isPainted ? `${clipped}\x1b[0m` : clipped;
    clipped += part;
  }
  return clipped;
}
