/**
 * The machine on which protocols are explored: shared words, processes, and a kernel that puts them to
 * sleep, wakes them and delivers mail.
 *
 * A process is a function. It is run from its beginning for each of its steps: what it has done before is
 * answered from its log, its next access is made, and at the one after that it is stopped by an exception.
 * So a process is nothing but its log, and any moment of it can be put back.
 *
 * @module
 */

/** What a process does. It may only depend on its arguments, and on results of steps and observations. */
export type Program = (process: Process, world: World) => void;

/** The event loop, as what is slept on. */
export const LOOP = -1;
/** A sleep that is shorter may end by itself at any time; others are slices. */
const SLICE_MS = 50;

const SUSPEND = Symbol("suspend");

type State = "runnable" | "asleep" | "ended" | "crashed";

/** A step or an event, for the schedule that is shown. */
export interface Trace {
  readonly process: number;
  readonly what: string;
  readonly index?: number | undefined;
  readonly operands?: readonly number[];
  readonly result?: unknown;
}

interface SavedProcess {
  readonly state: State;
  readonly stopped: boolean;
  readonly steps: number;
  readonly history: number;
  readonly sleepsOn: number;
  readonly short: boolean;
  readonly quiet: boolean;
  readonly slices: number;
  readonly outrun: number;
  readonly mail: boolean;
}

/** What can be put back. */
export interface Snapshot {
  readonly words: Int32Array<ArrayBuffer>;
  readonly processes: readonly SavedProcess[];
  readonly traced: number;
}

/** A process under exploration. */
export class Process {
  readonly number: number;
  /** The id in the words: as a participant with this slot, in its first generation. */
  readonly id: number;
  state: State = "runnable";
  /** Whether it makes no steps any more, although it lives. */
  stopped = false;
  /** The word on which it sleeps; or its event loop, which mail wakes. */
  sleepsOn = 0;
  /** Whether its sleep is shorter than a slice: then it may end by itself at any time. */
  short = false;
  /** Whether its last sleep has ended by itself. */
  quiet = false;
  /** How many slices in a row have ended by themselves, while no word has changed. */
  slices = 0;
  /** The set of those whose slices have ended since it lay down: its own ends before theirs do again. */
  outrun = 0;
  /** Whether its mailbox has mail. */
  mail = false;
  /** Stands for all results of its steps. */
  history: number;
  /** Milliseconds that its clock shows. */
  nowMs = 0;
  readonly #world: World;
  readonly #program: Program;
  readonly #log: unknown[] = [];
  #cursor = 0;
  #granted = false;

  constructor(world: World, number: number, program: Program) {
    this.number = number;
    this.id = idOf(number);
    this.history = number;
    this.#world = world;
    this.#program = program;
  }

  /** How many steps and observations it has made. */
  get steps(): number {
    return this.#log.length;
  }

  get crashed(): boolean {
    return this.state === "crashed";
  }

  /** Runs up to and with the next step. @returns What went wrong, if anything. */
  advance(): string | undefined {
    this.#cursor = 0;
    this.#granted = true;
    this.nowMs = 0;
    this.#world.current = this;
    try {
      this.#program(this, this.#world);
      this.state = "ended";
    } catch (error) {
      if (error !== SUSPEND) return error instanceof Error ? error.message : String(error);
    }
    return undefined;
  }

  /** Makes a step: an access to shared words, or a call of the kernel. */
  step<T>(
    what: string,
    index: number | undefined,
    operands: readonly number[],
    action: () => T,
  ): T {
    if (this.#cursor < this.#log.length) return this.#log[this.#cursor++] as T;
    if (!this.#granted || this.state === "asleep") throw SUSPEND;
    this.#granted = false;
    return this.#record({ process: this.number, what, index, operands }, action());
  }

  /** Does something for the test at the same moment as the step before. */
  observe<T>(what: string, action: () => T): T {
    if (this.#cursor < this.#log.length) return this.#log[this.#cursor++] as T;
    if (this.state === "asleep") throw SUSPEND;
    return this.#record({ process: this.number, what }, action());
  }

  /**
   * Sleeps, unless a word has changed, or there is mail.
   *
   * @param index The word, or {@linkcode LOOP}.
   * @returns Whether it ended by itself.
   */
  sleep(index: number, value: number, timeoutMs: number): boolean {
    const world = this.#world;
    const lies = this.step("sleep", index, [value], () => {
      if (index === LOOP ? this.mail : world.words[index] !== value) {
        if (index === LOOP) this.mail = false;
        return false;
      }
      this.state = "asleep";
      this.sleepsOn = index;
      this.short = timeoutMs < SLICE_MS;
      return true;
    });
    // Together with the next step: nobody else sees a thread return from a sleep.
    const quiet = lies && this.observe("woke up by itself:", () => {
      if (index === LOOP) this.mail = false;
      return this.quiet;
    });
    this.nowMs += quiet ? timeoutMs : world.sleepMs;
    return quiet;
  }

  /** Ends its sleep. */
  rouse(quiet: boolean): void {
    this.state = "runnable";
    this.quiet = quiet;
    this.outrun = 0;
    if (!quiet) this.slices = 0;
  }

  save(): SavedProcess {
    const { state, stopped, steps, history, sleepsOn, short, quiet, slices, outrun, mail } = this;
    return { state, stopped, steps, history, sleepsOn, short, quiet, slices, outrun, mail };
  }

  restore(saved: SavedProcess): void {
    this.state = saved.state;
    this.stopped = saved.stopped;
    this.#log.length = saved.steps;
    this.history = saved.history;
    this.sleepsOn = saved.sleepsOn;
    this.short = saved.short;
    this.quiet = saved.quiet;
    this.slices = saved.slices;
    this.outrun = saved.outrun;
    this.mail = saved.mail;
  }

  /** All that decides what it can do, in short. */
  key(): string {
    const asleep = this.state === "asleep";
    const bits = (this.stopped ? 1 : 0) | (this.mail ? 2 : 0) |
      (this.state === "crashed" ? 4 : asleep ? 8 : this.quiet ? 16 : 0);
    const sleep = asleep ? `${this.slices},${this.outrun}` : this.slices;
    return `${bits},${sleep},${this.history}`;
  }

  #record<T>(trace: Trace, result: T): T {
    this.#log.push(result);
    this.#cursor++;
    this.history = this.#world.historyAfter(this.history, result);
    this.#world.trace.push({ ...trace, result });
    return result;
  }
}

/** The id of a process, or of one that is dead since before. */
export function idOf(number: number): number {
  return 1 << 10 | (number + 1);
}

/** How a world is made. */
export interface WorldOptions {
  /** How many words there are. */
  readonly words: number;
  /** What is in them, where it is not 0. */
  readonly initial?: Readonly<Record<number, number>>;
  readonly programs: readonly Program[];
  /** How long a sleep takes that somebody ends, in milliseconds; 0 by default. */
  readonly sleepMs?: number;
}

/** The machine. */
export class World {
  readonly words: Int32Array<ArrayBuffer>;
  readonly processes: readonly Process[];
  current: Process | undefined;
  trace: Trace[] = [];
  readonly sleepMs: number;
  /** What the kernel decides in this step, as far as that is prescribed, and between how many. */
  readonly decisions: { pick: number; among: number }[] = [];
  #decided = 0;
  readonly #histories = new Map<string, number>();

  constructor({ words, initial = {}, programs, sleepMs = 0 }: WorldOptions) {
    this.sleepMs = sleepMs;
    this.words = new Int32Array(words);
    for (const [index, value] of Object.entries(initial)) this.words[Number(index)] = value;
    this.processes = programs.map((program, number) => new Process(this, number, program));
  }

  /** Whether a process has crashed. */
  get anyCrashed(): boolean {
    return this.processes.some((each) => each.crashed);
  }

  /** Lets a process make its next step, with the decisions that are prescribed. */
  advance(process: Process): string | undefined {
    this.#decided = 0;
    return process.advance();
  }

  /** Prescribes the next ones of the decisions that a step needs. @returns Whether there are any. */
  decideOtherwise(): boolean {
    for (let last = this.decisions.pop(); last !== undefined; last = this.decisions.pop()) {
      if (last.pick + 1 === last.among) continue;
      this.decisions.push({ pick: last.pick + 1, among: last.among });
      return true;
    }
    return false;
  }

  /** Decides what nobody can rely on: a number below `among`. All are explored. */
  decide(among: number): number {
    if (among <= 1) return 0;
    const decision = this.decisions[this.#decided] ?? { pick: 0, among };
    this.decisions[this.#decided++] = decision;
    return decision.pick;
  }

  /** Ends sleeps on a word: which ones, is not known. */
  wake(index: number, count: number): number {
    let woken = 0;
    for (; woken < count; woken++) {
      const asleep = this.processes.filter(({ state, sleepsOn }) =>
        state === "asleep" && sleepsOn === index
      );
      if (asleep.length === 0) break;
      asleep[count - woken < asleep.length ? this.decide(asleep.length) : 0]?.rouse(false);
    }
    return woken;
  }

  /** Puts mail into a mailbox. @returns Whether somebody can read it. */
  send(to: Process): boolean {
    if (to.crashed || to.state === "ended") return false;
    to.mail = true;
    if (to.state === "asleep" && to.sleepsOn === LOOP) to.rouse(false);
    return true;
  }

  /** Ends the slice of a process by itself. */
  endSlice(process: Process): void {
    process.rouse(true);
    process.slices++;
    for (const each of this.processes) {
      if (each.state === "asleep" && !each.short) each.outrun |= 1 << process.number;
    }
  }

  /** Whether a slice can end: not twice while another one lasts. */
  canEndSlice(process: Process): boolean {
    const bit = 1 << process.number;
    return this.processes.every((each) =>
      each === process || each.state !== "asleep" || each.stopped || (each.outrun & bit) === 0
    );
  }

  /** Called when a word has changed: it is worth waiting again. */
  changed(): void {
    for (const process of this.processes) process.slices = 0;
  }

  isAlive(id: number): boolean {
    return this.processes.some((each) => each.id === id && !each.crashed);
  }

  /** The number of a history that goes on with a result. */
  historyAfter(history: number, result: unknown): number {
    const key = `${history}:${String(result)}`;
    let next = this.#histories.get(key);
    if (next === undefined) {
      next = this.processes.length + this.#histories.size;
      this.#histories.set(key, next);
    }
    return next;
  }

  key(): string {
    return `${this.words.join()}|${this.processes.map((each) => each.key()).join("|")}`;
  }

  save(): Snapshot {
    return {
      words: this.words.slice(),
      processes: this.processes.map((each) => each.save()),
      traced: this.trace.length,
    };
  }

  restore({ words, processes, traced }: Snapshot): void {
    this.words.set(words);
    for (const [number, saved] of processes.entries()) this.processes[number]?.restore(saved);
    this.trace.length = traced;
  }
}
