/**
 * A full-screen display that is drawn again and again, and leaves the terminal as it found it.
 *
 * @module
 */

import host from "node:process";
import { INTERRUPTED, TERMINATED } from "./exit_codes.ts";
import { clip, terminalSize, write } from "./output.ts";

/** What is displayed. */
export interface Display {
  /** Makes the lines; more than fit are cut off. */
  draw(size: { readonly columns: number; readonly rows: number }): readonly string[];
  /**
   * Does what a key is for; `q` and Ctrl-C never come here.
   *
   * @returns Whether to draw at once.
   */
  key?(key: string): boolean;
}

/** How often, and how many times. */
export interface Rhythm {
  readonly intervalMs: number;
  /** How many times to draw by the clock; without an end by default. */
  readonly count?: number | undefined;
}

const ENTER = "\x1b[?1049h\x1b[?25l\x1b[?7l";
const LEAVE = "\x1b[?7h\x1b[?25h\x1b[?1049l";
const CTRL_C = "\x03";

/** Signals that end the display, by the exit code. */
const ENDINGS = { SIGINT: INTERRUPTED, SIGTERM: TERMINATED, SIGHUP: 129 } as const;

/**
 * Shows a display until it has been drawn often enough, `q` is pressed or a signal comes.
 *
 * @returns The exit code.
 */
export async function show(display: Display, { intervalMs, count }: Rhythm): Promise<number> {
  using ending = new Ending();
  const { stdin } = host;
  const hasKeys = stdin.isTTY === true;
  let wake = () => {};
  let drawAtOnce = false;
  const redraw = () => {
    drawAtOnce = true;
    wake();
  };
  const onKeys = (data: unknown) => {
    for (const key of keysOf(String(data))) {
      if (key === "q") ending.end(0);
      else if (key === CTRL_C) ending.end(INTERRUPTED);
      else if (display.key?.(key)) redraw();
    }
  };
  await write(ENTER);
  try {
    if (hasKeys) {
      stdin.setRawMode(true);
      stdin.on("data", onKeys);
      stdin.resume();
    }
    host.stdout.on("resize", redraw);
    ending.onEnd = () => wake();
    let drawn = 0;
    while (ending.code === undefined) {
      const { columns, rows } = terminalSize();
      const lines = display.draw({ columns, rows }).slice(0, rows);
      const text = lines.map((line) => `${clip(line, columns)}\x1b[K`).join("\r\n");
      await write(`\x1b[H${text}\x1b[J`);
      if (!drawAtOnce && ++drawn === count) break;
      drawAtOnce = false;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, intervalMs);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
        if (ending.code !== undefined || drawAtOnce) wake();
      });
    }
    return ending.code ?? 0;
  } finally {
    host.stdout.removeListener("resize", redraw);
    if (hasKeys) {
      stdin.removeListener("data", onKeys);
      stdin.setRawMode(false);
      stdin.pause();
    }
    await write(LEAVE);
  }
}

/** Waits for a time, or until the program is to end. @returns Whether it is. */
export async function pause(ending: Ending, timeMs: number): Promise<boolean> {
  if (ending.code === undefined) {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, timeMs);
      ending.onEnd = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
  return ending.code !== undefined;
}

/** Whether the program is to end, by a key or by a signal. Takes signals until it is disposed of. */
export class Ending implements Disposable {
  code: number | undefined;
  /** Called when `code` has been set. */
  onEnd: () => void = () => {};
  readonly #listeners = Object.entries(ENDINGS).map(([signal, code]) => {
    const listener = () => this.end(code);
    host.on(signal, listener);
    return [signal, listener] as const;
  });

  /** Ends the program; the first reason counts. */
  end(code: number): void {
    this.code ??= code;
    this.onEnd();
  }

  [Symbol.dispose](): void {
    for (const [signal, listener] of this.#listeners) host.removeListener(signal, listener);
  }
}

/** The keys in what a terminal has sent: sequences such as `\x1b[A`, and single characters. */
export function keysOf(data: string): string[] {
  // deno-lint-ignore no-control-regex
  return data.match(/\x1b(?:\[[0-9;]*[A-Za-z~]|O[A-Z])|[^]/gu) ?? [];
}
