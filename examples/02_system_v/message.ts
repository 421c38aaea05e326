/**
 * What the writers and readers share: see message.h, which is the same for C.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { ftok, type SystemVSegment } from "../../mod.ts";

const PROJECT_ID = "M".charCodeAt(0);
/** A number that the programs agree on, made of a file that all of them know. */
export const KEY: number = ftok(fileURLToPath(new URL("./message.h", import.meta.url)), PROJECT_ID);
export const SIZE = 1024;

const WRITTEN = 1;
const READ = 2;
const TEXT_AT = 8;

/** A message in shared memory. */
export class Message {
  /** State and byte length. */
  readonly #numbers: Uint32Array<ArrayBuffer>;
  readonly #text: Uint8Array<ArrayBuffer>;

  constructor(segment: SystemVSegment) {
    this.#numbers = segment.view(Uint32Array, 0, 2);
    this.#text = segment.view(Uint8Array, TEXT_AT);
  }

  get isWritten(): boolean {
    return Atomics.load(this.#numbers, 0) >= WRITTEN;
  }

  get isRead(): boolean {
    return Atomics.load(this.#numbers, 0) === READ;
  }

  write(text: string): void {
    const bytes = new TextEncoder().encode(text);
    if (bytes.length > this.#text.length) {
      throw new RangeError(`${bytes.length} bytes do not fit into ${this.#text.length}`);
    }
    this.#text.set(bytes);
    Atomics.store(this.#numbers, 1, bytes.length);
    Atomics.store(this.#numbers, 0, WRITTEN); // pairs with `isWritten`: the text is complete
  }

  read(): string {
    const byteLength = Atomics.load(this.#numbers, 1);
    const text = new TextDecoder().decode(this.#text.slice(0, byteLength));
    Atomics.store(this.#numbers, 0, READ); // pairs with `isRead`: the text is no longer needed
    return text;
  }
}
