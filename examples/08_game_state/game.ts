/**
 * What the server and its clients share.
 *
 *     newest    the number of the newest complete frame    in cache lines of its own
 *     seats     4 players: who sits there, what he wants   each in cache lines of its own
 *     slots     4 frames: frame n is in slot n % 4         32 entities, and a checksum
 *
 * **How nobody sees half a frame.** While the server draws frame n + 1, the slots of the 3 frames before
 * it stay as they are. A client looks which frame is the newest, copies it, and looks again: when the
 * newest is 3 or more ahead by then, the server may have begun to draw over what was being copied,
 * and the copy is thrown away. Nobody ever waits for anybody.
 *
 *     P1 (server)                          P2 (client)
 *     draw frame n in slot n % 4           n = newest.load()
 *     newest.store(n)  ------------------> copy slot n % 4
 *     draw frame n + 1 in another slot     newest.add(0) - n < 3 ? the copy is good : throw it away
 *
 * | field                  | written by                                | read by                    |
 * | ---------------------- | ----------------------------------------- | -------------------------- |
 * | newest                 | the server, when a frame is complete      | clients, before and after  |
 * | seats[].player         | a client that takes the seat, or leaves   | clients, the server        |
 * | seats[].input          | the client that has the seat              | the server, at each frame  |
 * | slots                  | plainly, by the server                    | plainly, by clients        |
 *
 * @module
 */

import { crc32 } from "node:zlib";
import { type InferView, type SharedObject, t } from "../../mod.ts";

export const NAME = "shmkit-game";
const SLOTS = 4;

export const Entity = t.struct("Entity", {
  position: t.array(t.f32, 2),
  velocity: t.array(t.f32, 2),
  health: t.u16,
  kind: t.enumeration(t.u8, { player: 0, drone: 1 }),
  flags: t.bits(t.u8, { seated: 1, bounced: 1, color: 4 }),
});

export const Frame = t.struct("Frame", {
  /** Of all bytes behind it. */
  checksum: t.u32,
  /** From 1 on. */
  number: t.u32,
  /** When it was complete: as `Date.now()`, but finer. */
  time: t.f64,
  /** The input of each player that it takes into account. */
  inputs: t.array(t.u32, 4),
  entities: t.array(Entity, 32), // the first four are the players
});

export const Seat = t.struct("Seat", {
  /** The process id of who sits here; 0 when the seat is free. */
  player: t.atomic(t.u32),
  /** A number, times 4, and one of the four directions. */
  input: t.atomic(t.u32),
});

export const World = t.struct("World", {
  newest: t.cacheLine(t.atomic(t.u32)),
  seats: t.array(t.cacheLine(Seat), 4),
  slots: t.array(Frame, SLOTS),
});

export type FrameView = InferView<typeof Frame>;
type SharedWorld = SharedObject<typeof World>;

/** The time by which frames are dated. */
export const now = (): number => performance.timeOrigin + performance.now();

/** The bytes of the slot of a frame. */
function slotOf(world: SharedWorld, number: number): Uint8Array<ArrayBuffer> {
  const start = World.offsetOf(`slots[${number % SLOTS}]`);
  return world.bytes.subarray(start, start + Frame.size);
}

const checksumOf = (frame: Uint8Array): number => crc32(frame.subarray(4));

/** Draws frames. */
export class FrameWriter {
  readonly #world: SharedWorld;
  readonly #slots: readonly Uint8Array[];

  constructor(world: SharedWorld) {
    this.#world = world;
    this.#slots = Array.from({ length: SLOTS }, (_, slot) => slotOf(world, slot));
  }

  /** Draws a frame and publishes it. @param draw Changes what it is given: the frame before. */
  publish(draw: (frame: FrameView) => void): void {
    const { newest, slots } = this.#world.value;
    const number = newest.load() + 1; // an atomic load: what is drawn is not seen before the last store
    const bytes = this.#slots[number % SLOTS] as Uint8Array;
    bytes.set(this.#slots[(number - 1) % SLOTS] as Uint8Array);
    const frame = slots[number % SLOTS] as FrameView;
    draw(frame);
    frame.number = number;
    frame.time = now();
    frame.checksum = checksumOf(bytes);
    newest.store(number); // pairs with the load in look()
  }
}

/** Copies frames out. */
export class FrameReader {
  readonly #world: SharedWorld;
  readonly #slots: readonly Uint8Array[];
  readonly #copy = new Uint8Array(Frame.size);
  /** The frame that look() has copied: nobody else has it, so that it stays as it is. */
  readonly frame: FrameView = Frame.view(this.#copy);
  /** How many copies were thrown away, because the server was too fast. */
  overtaken = 0;

  constructor(world: SharedWorld) {
    this.#world = world;
    this.#slots = Array.from({ length: SLOTS }, (_, slot) => slotOf(world, slot));
  }

  /** Copies the newest frame. @returns Whether there was one that it had not copied before. */
  look(): boolean {
    const { newest } = this.#world.value;
    const number = newest.load();
    if (number === this.frame.number) return false;
    this.#copy.set(this.#slots[number % SLOTS] as Uint8Array);
    // Not load(): some processors make a load before the copy is complete, but no store.
    if (newest.add(0) - number < SLOTS - 1) return true;
    this.overtaken++;
    this.frame.number = 0;
    return false;
  }

  /** Whether all of the frame is of one frame: it must be. */
  isWhole(): boolean {
    return this.frame.checksum === checksumOf(this.#copy);
  }
}
