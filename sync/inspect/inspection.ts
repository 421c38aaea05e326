/**
 * The synchronisation of an object, as somebody sees it who does not take part: who takes part, who
 * holds what, and who waits. For tools such as the command `shm`.
 *
 * It reads through a descriptor, takes no slot and no lock, and writes nothing. It is a look at what
 * changes meanwhile: of two fields, each was so at a moment, and not both at the same one. But whoever is
 * said to have died with something had died, and still had it afterwards.
 *
 * @module
 */

import type { Field, Fields } from "../../layout/field.ts";
import { rowOffsetOf } from "../../layout/row_offsets.ts";
import type { Struct } from "../../layout/struct.ts";
import { type ObjectShape, placesOf } from "../../memory/objects/trailer.ts";
import { bitOfInterest } from "../waiting/mail.ts";
import {
  type InspectedParticipant,
  InspectedParticipants,
  isLiving,
  mayAwait,
  readWords,
  sharesIn,
} from "./participants.ts";
import { countSyncPlaces, type SyncPlace, syncPlacesIn } from "./places.ts";
import { type Holder, stateOf, type SyncState } from "./states.ts";

/** What is known of a field that synchronises. */
export interface InspectedField extends SyncPlace {
  /** Undefined when its bytes are not there any more. */
  readonly state: SyncState | undefined;
  /** The threads that sleep until it changes. */
  readonly sleepers: readonly InspectedParticipant[];
  /** The threads whose event loops wait for it, or, unless {@linkcode isSure}, perhaps for another field. */
  readonly awaiters: readonly InspectedParticipant[];
  /** Whether the event loops wait for this: what they tell of it is one of 64 bits. */
  readonly isSure: boolean;
}

/** Of how many fields it is found out which bits they share. */
const MAX_SURE = 1024;
/** How often it is looked again when somebody died who may have let go before. */
const MAX_LOOKS = 4;

/** A look at an object. */
export class Inspection {
  /** Those who had a slot when it was made: of the dead, only who has not been followed by another. */
  readonly participants: readonly InspectedParticipant[];
  /** How many fields synchronise. */
  readonly count: number;
  readonly #fd: number;
  readonly #shape: ObjectShape;
  readonly #layout: Struct<Fields>;
  readonly #table: InspectedParticipants;
  /** How many fields have each bit of interest; undefined when there are too many to tell. */
  readonly #bits: readonly number[] | undefined;

  /**
   * @param fd Of the object, open for reading, and opened for this: its own locks are not shown to it.
   * @param shape What the trailer says, checked.
   */
  constructor(fd: number, shape: ObjectShape, layout: Struct<Fields>) {
    this.#fd = fd;
    this.#shape = shape;
    this.#layout = layout;
    this.#table = new InspectedParticipants(fd, shape);
    this.participants = this.#table.all;
    this.count = countSyncPlaces(layout);
    this.#bits = this.count > MAX_SURE ? undefined : bitsIn(layout);
  }

  /** Looks at fields: those within one of them, or all of the layout. */
  *fields(place: SyncPlace = { path: "", position: 0, field: this.#layout }): Generator<
    InspectedField
  > {
    for (const each of syncPlacesIn(place.field, place.path, place.position)) yield this.at(each);
  }

  /** Looks at a field. */
  at(place: SyncPlace): InspectedField {
    const { position, field } = place;
    const living = this.participants.filter(isLiving);
    const isWithin = ({ sleepsAt }: InspectedParticipant) =>
      sleepsAt !== undefined && sleepsAt >= position && sleepsAt < position + field.size;
    return {
      ...place,
      state: this.#stateOf(place),
      sleepers: living.filter(isWithin),
      awaiters: living.filter((participant) => mayAwait(participant, position)),
      isSure: this.#bits?.[bitOfInterest(position / 4)] === 1,
    };
  }

  /** P1: what the dead have is read once more after the proof of their death. */
  #stateOf({ position, field }: SyncPlace): SyncState | undefined {
    let words = this.#words(position, field);
    for (let look = 0;; look++) {
      if (words === undefined) return undefined;
      const state = stateOf(field.kind, {
        words,
        of: (id) => this.#table.of(id),
        readers: () => this.#readersOf(position),
      });
      const dead = state?.holders.some(({ participant }) => !isLiving(participant));
      if (!dead || look === MAX_LOOKS) return state;
      const again = this.#words(position, field);
      if (again?.every((word, index) => word === words?.[index])) return state;
      words = again;
    }
  }

  #words(position: number, { size }: Field): number[] | undefined {
    return readWords(this.#fd, position, Math.floor(size / 4));
  }

  #readersOf(position: number): Holder[] {
    const offset = rowOffsetOf(this.#layout, position);
    const { readerRowByteLength: stride } = this.#shape;
    if (offset === undefined || offset + 4 > stride) return [];
    const first = placesOf(this.#shape).readerRows + offset;
    return this.participants.flatMap((participant) => {
      if (!isLiving(participant)) return []; // what the dead have shared counts for nothing
      const [entry = 0] = readWords(this.#fd, first + participant.slot * stride, 1) ?? [];
      const count = sharesIn(entry, participant.id);
      return count === 0 ? [] : [{ participant, count }];
    });
  }
}

function bitsIn(layout: Field): number[] {
  const bits: number[] = new Array(64).fill(0);
  for (const { position } of syncPlacesIn(layout)) {
    const bit = bitOfInterest(position / 4);
    bits[bit] = (bits[bit] as number) + 1;
  }
  return bits;
}
