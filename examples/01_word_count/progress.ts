/**
 * A line that tells how far a count is, on standard error.
 *
 * Nobody reports anything for it: it looks at the shared counters from time to time.
 *
 * @module
 */

import process from "node:process";

/** How far a count is. */
export interface Progress {
  /** From 0 to 1. */
  readonly share: number;
  /** What is counted beside, as in `1,234 words`. */
  readonly detail: string;
}

const INTERVAL_MS = 20;
const BAR_LENGTH = 24;
const ERASE_LINE = "\r\x1b[K";

/** Shows progress until it is disposed of: redrawn in a terminal, else one line of steps. */
export function showProgress(title: string, read: () => Progress): Disposable {
  const line = process.stderr.isTTY ? new Bar(title) : new Steps(title);
  line.draw(read());
  const timer = setInterval(() => line.draw(read()), INTERVAL_MS);
  return {
    [Symbol.dispose]: () => {
      clearInterval(timer);
      line.end(read());
    },
  };
}

const percent = (share: number) => `${Math.floor(share * 100)} %`;

/** For a terminal. Leaves nothing behind. */
class Bar {
  readonly #title: string;

  constructor(title: string) {
    this.#title = title;
  }

  draw({ share, detail }: Progress): void {
    const filled = Math.floor(share * BAR_LENGTH);
    const bar = "#".repeat(filled).padEnd(BAR_LENGTH, "-");
    const text = `${this.#title} [${bar}] ${percent(share).padStart(5)}  ${detail}`;
    process.stderr.write(ERASE_LINE + text);
  }

  end(): void {
    process.stderr.write(ERASE_LINE);
  }
}

/** For a file or a pipe. Adds to its line whenever another tenth is done. */
class Steps {
  #tenths = 0;

  constructor(title: string) {
    process.stderr.write(`${title}:`);
  }

  draw({ share }: Progress): void {
    const tenths = Math.floor(share * 10);
    if (tenths > this.#tenths && tenths < 10) process.stderr.write(` ${percent(share)}`);
    this.#tenths = tenths;
  }

  end({ share, detail }: Progress): void {
    process.stderr.write(` ${percent(share)}, ${detail}\n`);
  }
}
