/**
 * Runs the production source of the protocols step by step, in every order that a few preemptions and
 * crashes allow.
 *
 * The source runs as it is: `Atomics`, and the clock, are replaced while it does. Every access to shared
 * words, and every call of the kernel, is a step. The search goes through all schedules in which
 *
 * - a process that could go on is preempted at most so many times. It is no preemption when it sleeps,
 *   has ended, or has crashed; but a slice that ends while others could go on costs as much as one;
 * - at most so many processes crash, at any of their steps, before their first one, or asleep; and at
 *   most so many stop for ever and live: what is sent to them is lost;
 * - at most so many sleeps end for no reason.
 *
 * Whom a wake-up reaches among many, and whom the mail, is not known: each of them is tried. Where nobody
 * can go on, slices end, if there are slices; otherwise somebody sleeps for ever, which is a lost wake-up.
 *
 * What has been seen before is not visited again: the same words and the same histories of all processes
 * (so, as they have no other memory, the same future), with no more left of each bound.
 *
 * @module
 */

import { type Process, type Trace, World, type WorldOptions } from "./world.ts";

/** How far the search goes. */
export interface Bounds {
  readonly preemptions: number;
  readonly crashes?: number;
  /** How many processes stop for ever, and live. */
  readonly stops?: number;
  /** How many sleeps end for no reason. */
  readonly spurious?: number;
  /** Whether a long sleep ends by itself. */
  readonly slices: boolean;
  /** Whether a short one does so only when nobody else can go on: then its time was lost. */
  readonly patient?: boolean;
}

/** What is looked at. */
export interface Exploration extends Bounds, WorldOptions {
  /** Throws when something is wrong once nobody goes on. */
  readonly check?: (world: World) => void;
  /** Whether those who sleep may do so for ever. */
  readonly mayWait?: (world: World) => boolean;
  /** Notes in the words that a process has just crashed, at the same moment. */
  readonly onCrash?: (words: Int32Array, victim: Process) => void;
  /** Which programs can crash or stop; all by default. */
  readonly mortal?: readonly number[];
  /** What the words are called in a schedule. */
  readonly names?: Readonly<Record<number, string>>;
}

/** What was found. */
export interface Findings {
  /** How many schedules have come to an end that had not been seen. */
  readonly schedules: number;
  readonly steps: number;
  /** What went wrong, and the schedule that shows it. */
  readonly failure: string | undefined;
}

/** How often slices end in vain before it counts as waiting for ever. */
const MAX_SLICES = 5;
/** Who makes more steps runs in circles. */
const MAX_STEPS = 400;

/** What is left of the bounds: four bits for each. */
const PREEMPTION = 1 << 12;
const CRASH = 1 << 8;
const STOP = 1 << 4;
const SPURIOUS = 1;

function hasLeft(budget: number, what: number): boolean {
  return (budget & what * 15) !== 0;
}

function isNoMore(budget: number, than: number): boolean {
  for (let shift = 0; shift < 16; shift += 4) {
    if ((budget >> shift & 15) > (than >> shift & 15)) return false;
  }
  return true;
}

/** Goes through all schedules within the bounds. Stops at the first failure. */
export function explore(exploration: Exploration): Findings {
  const search = new Search(exploration);
  withReplacedGlobals(search.world, () => search.run());
  return search;
}

class Search implements Findings {
  schedules = 0;
  steps = 0;
  failure: string | undefined;
  readonly world: World;
  readonly #exploration: Exploration;
  /** What has been seen, and what was left of the bounds then. */
  readonly #seen = new Map<string, number>();

  constructor(exploration: Exploration) {
    this.#exploration = exploration;
    this.world = new World(exploration);
  }

  run(): void {
    const { preemptions, crashes = 0, stops = 0, spurious = 0 } = this.#exploration;
    this.#visit(
      -1,
      preemptions * PREEMPTION + crashes * CRASH + stops * STOP + spurious * SPURIOUS,
    );
  }

  /** @param current Who has made the last step. */
  #visit(current: number, budget: number): void {
    const { world } = this;
    const { processes } = world;
    const continues = canRun(processes[current]);
    const key = `${continues ? current : -1}|${world.key()}`;
    const before = this.#seen.get(key);
    if (before !== undefined && isNoMore(budget, before)) return;
    this.#seen.set(key, budget);

    const saved = world.save();
    const isPatient = this.#exploration.patient === true && processes.some(canRun);
    const isAnyoneAwake = processes.some((each) => canRun(each) || canCutShort(each));
    let isEnd = true;
    for (const process of processes) {
      if (process.stopped) continue;
      let cost = continues && process.number !== current ? PREEMPTION : 0;
      const isShort = canCutShort(process) && !isPatient;
      const isSlice = !process.short && process.state === "asleep" && this.#exploration.slices &&
        process.slices < MAX_SLICES && world.canEndSlice(process);
      if (isSlice) cost = isAnyoneAwake ? PREEMPTION : 0;
      if (!isShort && !isSlice && !canRun(process)) continue;
      isEnd = false;
      if (cost !== 0 && !hasLeft(budget, cost)) continue;
      do {
        if (isShort) process.rouse(true);
        if (isSlice) world.endSlice(process);
        this.#advance(process, budget - cost);
        if (this.failure !== undefined) return;
        world.restore(saved);
      } while (world.decideOtherwise());
    }
    if (isEnd) this.#end();
    else this.#disturb(current, budget, saved);
  }

  #advance(process: Process, budget: number): void {
    const { world } = this;
    this.steps++;
    const wrong = world.advance(process);
    if (wrong !== undefined) return this.#fail(`process ${process.number} ${wrong}`);
    if (process.steps > MAX_STEPS) return this.#fail(`process ${process.number} runs in circles`);
    // Further visits decide for themselves; these decisions are for when we are back.
    const decisions = world.decisions.splice(0);
    this.#visit(process.number, budget);
    world.decisions.push(...decisions);
  }

  /** Lets something happen to a process that is none of its steps. */
  #disturb(current: number, budget: number, saved: ReturnType<World["save"]>): void {
    const { mortal, onCrash } = this.#exploration;
    const { world } = this;
    const happens = (process: Process, what: string, cost: number, action: () => void) => {
      if (!hasLeft(budget, cost) || this.failure !== undefined) return;
      world.trace.push({ process: process.number, what });
      action();
      this.#visit(current, budget - cost);
      if (this.failure === undefined) world.restore(saved);
    };
    for (const process of world.processes) {
      const { state, number, stopped } = process;
      if (state === "ended" || state === "crashed" || stopped) continue;
      if (state === "asleep") {
        happens(process, "WAKES FOR NO REASON", SPURIOUS, () => process.rouse(false));
      }
      if (mortal !== undefined && !mortal.includes(number)) continue;
      happens(process, "CRASHES", CRASH, () => {
        process.state = "crashed";
        onCrash?.(world.words, process);
      });
      happens(process, "STOPS", STOP, () => process.stopped = true);
    }
  }

  #end(): void {
    const { check, mayWait } = this.#exploration;
    const { world } = this;
    this.schedules++;
    try {
      const asleep = world.processes.filter(({ state, stopped }) => state === "asleep" && !stopped);
      if (asleep.length === 0) return check?.(world);
      if (mayWait?.(world) === true) return;
      this.#fail(`process ${asleep.map(({ number }) => number).join(" and ")} waits for ever`);
    } catch (error) {
      this.#fail((error as Error).message);
    }
  }

  #fail(what: string): void {
    const { names = {} } = this.#exploration;
    const lines = this.world.trace.map((each) => describe(each, names));
    const { words } = this.world;
    const left = [...words.keys()].filter((index) => words[index] !== 0)
      .map((index) => `${names[index] ?? index}=${show(words[index])}`);
    this.failure = [`${what}; the schedule:`, ...lines, `words: ${left.join(", ")}`].join("\n");
  }
}

function canRun(process: Process | undefined): boolean {
  return process?.state === "runnable" && !process.stopped;
}

function canCutShort({ state, short, stopped }: Process): boolean {
  return state === "asleep" && short && !stopped;
}

function describe(
  { process, what, index, operands = [], result }: Trace,
  names: Readonly<Record<number, string>>,
): string {
  const where = index === undefined ? [] : [names[index] ?? index];
  const call = [what, ...where, ...operands.map(show)].join(" ");
  return `  ${process}: ${call}${result === undefined ? "" : ` -> ${show(result)}`}`;
}

function show(value: unknown): string {
  if (typeof value !== "number" || (value >= 0 && value < 1 << 20)) return String(value);
  return `0x${(value >>> 0).toString(16)}`;
}

/** Replaces `Atomics` and the clock by those of the process that runs, as long as an action lasts. */
function withReplacedGlobals(world: World, action: () => void): void {
  const real = globalThis.Atomics;
  const realNow = globalThis.performance.now;
  type Operation = (words: Int32Array, index: number, ...operands: number[]) => number;
  const stepped = (name: string, operation: Operation): Operation => (words, index, ...operands) =>
    words === world.words
      ? (world.current as Process).step(name, index, operands, () => {
        const before = words[index];
        const result = operation(words, index, ...operands);
        if (words[index] !== before) world.changed();
        return result;
      })
      : operation(words, index, ...operands);
  const names = ["load", "store", "add", "sub", "and", "or", "xor", "exchange", "compareExchange"];
  const operations = real as unknown as Readonly<Record<string, Operation>>;
  const replaced = Object.fromEntries(
    names.map((name) => [name, stepped(name, operations[name] as Operation)]),
  );
  const globals = globalThis as unknown as { Atomics: unknown };
  globals.Atomics = replaced;
  globalThis.performance.now = () => world.current?.nowMs ?? 0;
  try {
    action();
  } finally {
    globals.Atomics = real;
    globalThis.performance.now = realNow;
  }
}
