/**
 * Scrolling through what is longer than the screen.
 *
 * @module
 */

/** Which lines of many are on the screen. */
export class Scroll {
  /** The first one. */
  #line = 0;
  #rows = 1;
  #lines = 1;

  /** How many lines are scrolled past. */
  get line(): number {
    return this.#line;
  }

  /** How many fit on the screen. */
  get rows(): number {
    return this.#rows;
  }

  set rows(rows: number) {
    this.#rows = Math.max(1, rows);
  }

  /** How many there are. */
  set lines(lines: number) {
    this.#lines = lines;
  }

  /** Does what a key is for. @returns Whether it is for this. */
  key(key: string): boolean {
    const steps: Readonly<Record<string, number>> = {
      "\x1b[A": -1,
      "\x1b[B": 1,
      "k": -1,
      "j": 1,
      "\x1b[5~": -this.#rows,
      "\x1b[6~": this.#rows,
      " ": this.#rows,
      "\x1b[H": -Infinity,
      "\x1b[F": Infinity,
    };
    const step = steps[key];
    if (step === undefined) return false;
    const last = Math.max(0, this.#lines - this.#rows);
    this.#line = Math.max(0, Math.min(last, this.#line + step));
    return true;
  }
}
