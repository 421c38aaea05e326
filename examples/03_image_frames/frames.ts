/**
 * Frames in shared memory, from one writer to one reader, neither of which ever waits for the other.
 *
 * There are three slots. The writer draws into the one that is its own (`back`) and swaps it with the
 * one in the middle; the reader swaps the one that it has read (`front`) with the one in the middle,
 * if a frame came in since. So both have a slot that nobody else touches, the reader gets the newest
 * frame, and frames that it is too slow for are dropped. Who has which slot is one word, so that
 * a swap is one operation, and a process that is killed leaves no half of it.
 *
 *     byte   0         4         8         12        16        64
 *            +---------+---------+---------+---------+---------+
 *            | magic   | width   | height  | state   | reader  |
 *            +---------+---------+---------+---------+---------+
 *     64     | crc     | number  | time              | unused  |  slot 0
 *     128    | pixels, row by row                              |
 *            +-------------------------------------------------+
 *            | crc     | number  | ...                           slot 1, slot 2
 *
 *     state, from the low bit: back: 2, middle: 2, front: 2, fresh: 1, counter: 25
 *
 * | field         | written by                       | read by                                    |
 * | ------------- | -------------------------------- | ------------------------------------------ |
 * | magic         | the writer, once, as the last    | a reader that attaches                     |
 * | width, height | the writer, once                 | a reader that attaches                     |
 * | state         | both, compare-and-exchange only  | both; each exchange hands over a slot      |
 * | reader        | a reader that attaches: its mark | readers: another mark, and they are no more |
 * | slots         | plainly, by who has the slot     | plainly, by who has the slot               |
 *
 * @module
 */

import { crc32 } from "node:zlib";
import { NamedSemaphore, SharedSegment } from "../../mod.ts";
import type { Picture } from "./png.ts";

const MAGIC = 0x31_4d_52_46; // "FRM1"

/** Where the words of the header are. */
const [MAGIC_AT, WIDTH_AT, HEIGHT_AT, STATE_AT, READER_AT] = [0, 1, 2, 3, 4] as const;
const HEADER_BYTE_LENGTH = 64;
const SLOT_HEADER_BYTE_LENGTH = 64;

/** The parts of the state: slots by number, whether the middle one is new, and a counter. */
const FRESH = 1 << 6;
const pack = (back: number, middle: number, front: number, fresh: number, counter: number) =>
  ((counter << 7) | fresh | (front << 4) | (middle << 2) | back) >>> 0;
const unpack = (state: number) => ({
  back: state & 3,
  middle: (state >> 2) & 3,
  front: (state >> 4) & 3,
  isFresh: (state & FRESH) !== 0,
  counter: state >>> 7, // no state comes again while somebody is about to exchange it
});

/** A frame in its slot. */
export class Frame implements Picture {
  readonly width: number;
  readonly height: number;
  readonly pixels: Uint32Array<ArrayBuffer>;
  readonly #numbers: Uint32Array<ArrayBuffer>;
  readonly #time: Float64Array<ArrayBuffer>;
  /** All but the checksum itself. */
  readonly #checked: Uint8Array<ArrayBuffer>;

  constructor(segment: SharedSegment, width: number, height: number, slot: number) {
    const at = HEADER_BYTE_LENGTH + slot * slotByteLength(width, height);
    this.width = width;
    this.height = height;
    this.pixels = segment.view(Uint32Array, at + SLOT_HEADER_BYTE_LENGTH, width * height);
    this.#numbers = segment.view(Uint32Array, at, 2);
    this.#time = segment.view(Float64Array, at + 8, 1);
    this.#checked = segment.view(Uint8Array, at + 4, slotByteLength(width, height) - 4);
  }

  /** The number of the frame, from 0. */
  get number(): number {
    return this.#numbers[1] as number;
  }

  /** When it was published, as `Date.now()` but finer. */
  get time(): number {
    return this.#time[0] as number;
  }

  /** Notes what it is, and what all of its bytes come to. */
  seal(number: number): void {
    this.#numbers[1] = number;
    this.#time[0] = performance.timeOrigin + performance.now();
    this.#numbers[0] = crc32(this.#checked);
  }

  /** Whether every byte is of one frame. */
  isIntact(): boolean {
    return this.#numbers[0] === crc32(this.#checked);
  }
}

function slotByteLength(width: number, height: number): number {
  // Slots start at multiples of 64.
  return SLOT_HEADER_BYTE_LENGTH + Math.ceil(width * height / 16) * 64;
}

/** What both sides have. */
class Frames implements Disposable {
  readonly width: number;
  readonly height: number;
  protected readonly segment: SharedSegment;
  protected readonly header: Uint32Array<ArrayBuffer>;
  /** Posted when a frame comes in that the reader may wait for. */
  protected readonly ready: NamedSemaphore;
  protected readonly slots: readonly Frame[];

  constructor(segment: SharedSegment, ready: NamedSemaphore) {
    this.segment = segment;
    this.ready = ready;
    this.header = segment.view(Uint32Array, 0, HEADER_BYTE_LENGTH / 4);
    this.width = Atomics.load(this.header, WIDTH_AT);
    this.height = Atomics.load(this.header, HEIGHT_AT);
    this.slots = [0, 1, 2].map((slot) => new Frame(segment, this.width, this.height, slot));
  }

  /** The bytes of a frame. */
  get frameByteLength(): number {
    return this.width * this.height * 4;
  }

  [Symbol.dispose](): void {
    this.segment.close();
    this.ready.close();
  }
}

/** The side that draws. */
export class FrameWriter extends Frames {
  /** Makes the memory. What an earlier writer has left, or still has, is nobody's from now on. */
  static create(name: string, width: number, height: number): FrameWriter {
    SharedSegment.unlink(name);
    NamedSemaphore.unlink(name);
    const ready = NamedSemaphore.create(name, { initialValue: 0 });
    const size = HEADER_BYTE_LENGTH + 3 * slotByteLength(width, height);
    const segment = SharedSegment.create(name, { size });
    const header = segment.view(Uint32Array);
    Atomics.store(header, WIDTH_AT, width);
    Atomics.store(header, HEIGHT_AT, height);
    Atomics.store(header, STATE_AT, pack(0, 1, 2, 0, 0));
    Atomics.store(header, MAGIC_AT, MAGIC); // pairs with the load in open(): all of it is there
    return new FrameWriter(segment, ready);
  }

  /** The frame to be drawn: nobody else looks at it. */
  get back(): Frame {
    return this.slots[unpack(Atomics.load(this.header, STATE_AT)).back] as Frame;
  }

  /** Whether another writer has taken over. */
  get isReplaced(): boolean {
    return !this.segment.stat().linked;
  }

  /**
   * Shows the drawn frame to the reader.
   *
   * @returns Whether the frame before it was seen; if not, it is dropped.
   */
  publish(): boolean {
    while (true) {
      const state = Atomics.load(this.header, STATE_AT);
      const { back, middle, front, isFresh, counter } = unpack(state);
      const next = pack(middle, back, front, FRESH, counter + 1);
      // Pairs with the exchange in take(): what was drawn before is seen after it, and what the
      // reader has read before it is drawn upon only after this.
      if (Atomics.compareExchange(this.header, STATE_AT, state, next) !== state) continue;
      if (!isFresh) this.ready.post(); // if it was, the last post has not been used yet
      return !isFresh;
    }
  }

  /** Tells the reader that there will be no more, and removes everything. */
  override [Symbol.dispose](): void {
    if (!this.isReplaced) {
      this.segment.unlink();
      NamedSemaphore.unlink(this.segment.name);
      this.ready.post();
    }
    super[Symbol.dispose]();
  }
}

/** The side that looks. */
export class FrameReader extends Frames {
  /** Not the process id, which is another process's in another container. */
  readonly #mark = 1 + Math.floor(Math.random() * (2 ** 32 - 1));

  /** Waits for a writer. */
  static async open(name: string, signal: AbortSignal): Promise<FrameReader> {
    const segment = await SharedSegment.openAsync(name, { signal });
    const header = segment.view(Uint32Array, 0, HEADER_BYTE_LENGTH / 4);
    while (Atomics.load(header, MAGIC_AT) !== MAGIC) {
      signal.throwIfAborted();
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    const reader = new FrameReader(segment, await NamedSemaphore.openAsync(name, { signal }));
    // From here on an earlier reader swaps no more; see take().
    Atomics.store(header, READER_AT, reader.#mark);
    return reader;
  }

  /** Whether another reader has taken over: then the front frame is no longer ours. */
  get isReplaced(): boolean {
    return Atomics.load(this.header, READER_AT) !== this.#mark;
  }

  /**
   * The newest frame, as soon as there is one that was not taken yet. It stays as it is until the
   * next call.
   *
   * @returns Undefined when the writer has ended, or another reader has taken over.
   */
  async next(signal: AbortSignal): Promise<Frame | undefined> {
    while (true) {
      const hasEnded = !this.segment.stat().linked; // asked before, so that the last frame is seen
      const frame = this.#take();
      if (frame !== undefined || hasEnded || this.isReplaced) return frame;
      // A post is a hint, which is lost when a process is killed at the wrong moment.
      await this.ready.waitAsync({ signal, timeout: 250 });
    }
  }

  #take(): Frame | undefined {
    while (true) {
      const state = Atomics.load(this.header, STATE_AT);
      const { back, middle, front, isFresh, counter } = unpack(state);
      // After the load: if another reader comes later, the exchange fails when that one has taken.
      if (!isFresh || this.isReplaced) return undefined;
      const next = pack(back, front, middle, 0, counter + 1);
      if (Atomics.compareExchange(this.header, STATE_AT, state, next) !== state) continue;
      return this.slots[middle] as Frame;
    }
  }
}
