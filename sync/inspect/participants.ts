/**
 * Who takes part in synchronisation at an object, as somebody sees it who does not.
 *
 * Everything is read through a descriptor, which may be read-only: nothing is mapped, locked or
 * written, and nothing that stands there is believed to be more than numbers.
 *
 * P1: the dead stay dead. So a word that still has their id when it is read after the proof of their
 *     death is theirs: this is what {@linkcode Inspection} relies on. An id that is alive may be dead a
 *     moment later.
 *
 * @module
 */

import { isByteLocked, isThreadGone, pidNamespace, readAt } from "../../ffi/mod.ts";
import { type ObjectShape, placesOf } from "../../memory/objects/trailer.ts";
import { commandOf, threadStateOf } from "../../memory/processes/process_files.ts";
import { idOf, isOfGeneration, SLOT_LOCKS, slotOf, WORD } from "../participants/slots.ts";
import { bitOfInterest } from "../waiting/mail.ts";

/**
 * What is known of a participant: `stopped` is alive and does nothing (SIGSTOP, a debugger); `arriving`
 * holds a slot and has not filled it in; `terminated` is a thread that has ended in a process that has
 * not; `gone` is one whose slot others have had since, or that cannot have been; `unknown`: the
 * kernel does not tell.
 */
export type ParticipantState =
  | "alive"
  | "stopped"
  | "arriving"
  | "terminated"
  | "dead"
  | "gone"
  | "unknown";

/** A thread that takes part, or did. */
export interface InspectedParticipant {
  readonly id: number;
  readonly slot: number;
  readonly state: ParticipantState;
  /** Its process and thread, in its own PID namespace; 0 when they are not known. */
  readonly pid: number;
  readonly thread: number;
  /** Whether its PID namespace is that of this process, where these numbers mean something. */
  readonly isHere: boolean;
  /** The name of its program; undefined when it is not known. */
  readonly command: string | undefined;
  /** Where the word is that it sleeps on, in bytes from the start of the object. */
  readonly sleepsAt: number | undefined;
  /** How many waits its event loop has, and for what they may be. */
  readonly awaiting: number;
  readonly interest: readonly [low: number, high: number];
}

/** Whether somebody can be expected to do something some day. */
export function isLiving({ state }: InspectedParticipant): boolean {
  return state !== "dead" && state !== "terminated" && state !== "gone";
}

/** Whether the event loop of a participant may wait for what is at a position. */
export function mayAwait(
  { awaiting, interest }: InspectedParticipant,
  position: number,
): boolean {
  const bit = bitOfInterest(position / 4);
  return awaiting > 0 && ((interest[bit >> 5] as number) & 1 << bit) !== 0;
}

/** The words of a slot that mean something. */
const SLOT_WORDS = WORD.awaiting + 1;

/** The table of an object, as it was when it was made. */
export class InspectedParticipants {
  /** Of the slots that anybody has had. */
  readonly all: readonly InspectedParticipant[];
  readonly #fd: number;
  readonly #count: number;
  readonly #first: number;
  readonly #stride: number;
  readonly #namespace: number = pidNamespace();
  readonly #known = new Map<number, InspectedParticipant>();

  constructor(fd: number, shape: ObjectShape) {
    this.#fd = fd;
    // Slots without room for their words are another program's idea.
    this.#count = shape.slotByteLength < 4 * SLOT_WORDS ? 0 : shape.participants;
    this.#first = placesOf(shape).slots;
    this.#stride = shape.slotByteLength;
    const all: InspectedParticipant[] = [];
    for (let slot = 0; slot < this.#count; slot++) {
      const participant = this.#look(slot);
      if (participant !== undefined) all.push(participant);
    }
    this.all = all;
  }

  /** Who has an id. */
  of(id: number): InspectedParticipant {
    const slot = slotOf(id);
    if (slot < 0 || slot >= this.#count) return nobody(id);
    const known = this.#known.get(slot);
    if (known?.id === id) return known;
    // Somebody may have come since.
    const now = this.#look(slot);
    return now?.id === id ? now : nobody(id);
  }

  /** Looks at a slot. @returns Undefined when nobody has ever had it. */
  #look(slot: number): InspectedParticipant | undefined {
    const words = this.#read(slot);
    if (words === undefined || words.every((word) => word === 0)) return undefined;
    const at = (word: number) => words[word] as number;
    const long = (word: number) => (at(word) >>> 0) + (at(word + 1) >>> 0) * 2 ** 32;
    const [pid, thread] = [at(WORD.pid), at(WORD.thread)];
    const namespace = long(WORD.namespace);
    const isHere = namespace !== 0 && namespace === this.#namespace;
    const state = this.#stateOf(slot, { pid, thread, isHere });
    // Whoever is dead has a number that may be somebody else's by now.
    const facts = isHere && state === "alive" ? threadStateOf(pid, thread) : undefined;
    const isSame = facts !== undefined &&
      [0, facts.startTicks].includes(long(WORD.start));
    const sleeping = at(WORD.sleeping) >>> 0;
    const participant: InspectedParticipant = {
      id: idOf(slot, at(WORD.generation)),
      slot,
      state: isSame && facts.isStopped ? "stopped" : state,
      pid,
      thread,
      isHere,
      command: isSame ? commandOf(pid) : undefined,
      sleepsAt: sleeping === 0 ? undefined : (sleeping - 1) * 4,
      awaiting: Math.max(0, at(WORD.awaiting)),
      interest: [at(WORD.interest), at(WORD.interest + 1)],
    };
    this.#known.set(slot, participant);
    return participant;
  }

  #stateOf(
    slot: number,
    { pid, thread, isHere }: { pid: number; thread: number; isHere: boolean },
  ): ParticipantState {
    const locked = isByteLocked(this.#fd, SLOT_LOCKS + slot);
    if (locked === 0) return "dead";
    if (isHere && isThreadGone(pid, thread)) return "terminated";
    if (locked < 0) return "unknown";
    return thread === 0 ? "arriving" : "alive";
  }

  /** The words of a slot, none of which are those of another holder than the others. */
  #read(slot: number): number[] | undefined {
    for (let attempt = 0;; attempt++) {
      const words = this.#words(slot);
      const again = this.#words(slot);
      if (words === undefined || again === undefined) return undefined;
      const isSame = [WORD.generation, WORD.thread, WORD.pid].every((word) =>
        words[word] === again[word]
      );
      if (isSame || attempt === 4) return again;
    }
  }

  #words(slot: number): number[] | undefined {
    return readWords(this.#fd, this.#first + slot * this.#stride, SLOT_WORDS);
  }
}

function nobody(id: number): InspectedParticipant {
  return {
    id,
    slot: slotOf(id),
    state: "gone",
    pid: 0,
    thread: 0,
    isHere: false,
    command: undefined,
    sleepsAt: undefined,
    awaiting: 0,
    interest: [0, 0],
  };
}

/** Reads words through a descriptor; undefined where the file has become shorter, or cannot be read. */
export function readWords(fd: number, byteOffset: number, count: number): number[] | undefined {
  const bytes = readAt(fd, byteOffset, 4 * count);
  if (typeof bytes === "number" || bytes.length < 4 * count) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  return Array.from({ length: count }, (_, word) => view.getInt32(4 * word, true));
}

/** Whether the entry of a row is of the holder of a slot, and how often it has the lock. */
export function sharesIn(entry: number, id: number): number {
  return isOfGeneration(id, entry >>> 12) ? entry & 0xfff : 0;
}
