/**
 * Kills workers at random, and looks whether the others go on and find everything as it must be.
 *
 * @module
 */

import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { setPriority } from "node:os";
import { type InferLive, SharedObject } from "../../mod.ts";
import { Fleet, type Member, type Mode } from "./fleet.ts";
import { type Control, MAX_WORKERS, sleep, type Worker } from "./scenario.ts";
import { type AnyScenario, type ScenarioName, scenarios } from "./scenarios.ts";

/** What is to be done. */
export interface ChaosOptions {
  readonly scenario: ScenarioName;
  /**
   * - `kill`: SIGKILL;
   * - `terminate`: the workers are threads, which are terminated;
   * - `stop`: SIGSTOP, for 30 to 300 ms, and SIGCONT;
   * - `namespaces`: as `kill`, each in a PID namespace of its own, as process 1;
   * - `c`: as `kill`, half of the workers are written in C.
   */
  readonly mode?: Mode;
  readonly kills: number;
  /** How many must have hit a holder, or it goes on, up to ten times as many kills. 0 by default. */
  readonly hits?: number;
  readonly seed: number;
  /** What the object is called. */
  readonly name?: string;
  /** How many work at a time: 5 by default. */
  readonly workers?: number;
}

/** What came of it. Times in milliseconds, without those in which the machine was busy elsewhere. */
export interface ChaosResult {
  readonly rounds: number;
  /** How many were killed, terminated or stopped. */
  readonly kills: number;
  /** Kills that certainly hit a holder. */
  readonly hits: number;
  /** How often somebody was told of a death. */
  readonly died: number;
  /** Deaths that hit the primitive itself: nothing that it guards was left half done. */
  readonly narrow: number;
  readonly violations: readonly string[];
  /** The longest time in which nobody did a round, from a kill to the next one: of each kill. */
  readonly stalls: readonly number[];
  /** Those over 150 ms, whenever; but not while a holder stands still. */
  readonly longStalls: readonly LongStall[];
  /** Mailboxes of the killed, which were still there and have been removed. */
  readonly mailboxes: number;
  readonly seconds: number;
}

/** A time in which nobody did a round. */
export interface LongStall {
  readonly ms: number;
  /** With the time for which the machine was busy elsewhere. */
  readonly rawMs: number;
  /**
   * For how long the worker that had to wait longest for a processor did so, in what was beyond the
   * first 50 ms. What only sleeps gets one sooner: so this tells of more.
   */
  readonly queuedMs: number;
}

/** How many stand by to take the place of the killed, or are being started for that. */
const SPARES = 6;
/** How nice processes are that work: to those that are being started, on which the rate depends. */
const NICENESS = 5;
/** After so long without a round it is taken for the end. */
const DEAD_MS = 10_000;

export async function runChaos(options: ChaosOptions): Promise<ChaosResult> {
  const { scenario, mode = "kill" } = options;
  const { layout, initial = {} } = scenarios[scenario];
  const suffix = globalThis.crypto.randomUUID().slice(0, 8);
  const { name = `shmkit-chaos-${scenario}-${suffix}` } = options;
  using object = SharedObject.create(name, layout, initial);
  try {
    return await new Run(object, name, mode, options).run();
  } finally {
    object.unlink();
  }
}

type ChaosObject = SharedObject<AnyScenario["layout"]>;

class Run {
  readonly #options: ChaosOptions;
  readonly #mode: Mode;
  readonly #name: string;
  readonly #scenario: AnyScenario;
  readonly #object: ChaosObject;
  readonly #fleet: Fleet;
  readonly #count: number;
  readonly #violations: string[] = [];
  readonly #seats: (Member & { turns: number } | undefined)[];
  readonly #spares: Member[] = [];
  readonly #free = Array.from({ length: MAX_WORKERS }, (_, place) => place);
  readonly #stalls: number[] = [];
  readonly #longStalls: LongStall[] = [];
  #state: number;
  #kills = 0;
  #hits = 0;
  /** The longest time without a round since the last kill. */
  #stallMs = 0;
  #isOver = false;
  /** Nobody can go on: a holder stands still, or has been until now. */
  #isExcused = false;
  #isPaused = false;

  constructor(object: ChaosObject, name: string, mode: Mode, options: ChaosOptions) {
    const { workers = 5 } = options;
    if (!(workers >= 1 && workers <= MAX_WORKERS - SPARES)) {
      throw new RangeError(
        `There is room for 1 to ${MAX_WORKERS - SPARES} workers: not ${workers}`,
      );
    }
    this.#object = object;
    this.#name = name;
    this.#mode = mode;
    this.#options = options;
    this.#scenario = scenarios[options.scenario];
    this.#state = options.seed >>> 0;
    this.#count = workers;
    this.#seats = new Array(this.#count).fill(undefined);
    this.#fleet = new Fleet(mode, (text) => this.#violations.push(text));
  }

  async run(): Promise<ChaosResult> {
    const startMs = performance.now();
    const { kills, hits = 0 } = this.#options;
    const isEnough = () => this.#kills >= kills && this.#hits >= hits || this.#kills >= 10 * kills;
    let monitor = Promise.resolve();
    try {
      this.#scenario.tend?.(this.#control());
      beNice(this.#fleet.beat(this.#job(0)));
      monitor = this.#watch();
      while (!isEnough() && this.#violations.length === 0) {
        await this.#fill();
        if (this.#violations.length > 0) break;
        await sleep(this.#random(8));
        // Often several at a time: those may hold, wait for, or be about to tell, each other.
        const victims = new Set([this.#random(this.#count)]);
        if (this.#random(3) === 0) victims.add(this.#random(this.#count));
        if (this.#mode === "stop") await this.#stop([...victims]);
        else await this.#kill([...victims]);
      }
      await this.#fill();
      await this.#end();
    } finally {
      this.#isOver = true;
      await this.#fleet.end();
      await monitor;
    }
    if (this.#violations.length === 0) this.#scenario.finish?.(this.#control());
    const { workers } = this.#object.value;
    const total = (key: "rounds" | "died" | "narrow") =>
      workers.reduce((all, worker) => all + worker[key].load(), 0);
    return {
      rounds: total("rounds"),
      kills: this.#kills,
      hits: this.#hits,
      died: total("died"),
      narrow: total("narrow"),
      violations: this.#violations,
      stalls: this.#stalls,
      longStalls: this.#longStalls,
      mailboxes: removeMailboxes(this.#name),
      seconds: (performance.now() - startMs) / 1000,
    };
  }

  #random(below: number): number {
    this.#state = (Math.imul(this.#state, 1664525) + 1013904223) >>> 0;
    return Math.floor(this.#state / 2 ** 32 * below);
  }

  #rounds(): number {
    return this.#object.value.workers.reduce((all, worker) => all + worker.rounds.load(), 0);
  }

  #control(): Control<AnyScenario["layout"]> {
    const violation = (what: string) => {
      this.#violations.push(what);
    };
    const excuse = () => {
      this.#isExcused = true;
      this.#stallMs = 0;
    };
    return {
      object: this.#object,
      value: this.#object.value,
      kills: this.#kills,
      violation,
      excuse,
    };
  }

  #job(place: number) {
    const { scenario } = this.#options;
    const seed = this.#random(2 ** 31);
    const object = this.#name;
    return { task: "work", scenario, object, place, count: this.#count, seed } as const;
  }

  #worker(place: number): InferLive<typeof Worker> {
    return this.#object.value.workers[place] as InferLive<typeof Worker>;
  }

  /** For how long each worker has waited for a processor in its life, in milliseconds. */
  #queued(): ReadonlyMap<number, number> {
    const queued = new Map<number, number>();
    for (const pid of this.#seats.flatMap((member) => member?.pids() ?? [])) {
      try {
        const [, ns] = readFileSync(`/proc/${pid}/schedstat`, "latin1").split(" ");
        queued.set(pid, Number(ns) / 1e6);
      } catch {
        // It has ended.
      }
    }
    return queued;
  }

  /** Waits until someone is in every seat and has tried a round in it, and one has been done. */
  async #fill(): Promise<void> {
    const startMs = performance.now();
    const rounds = this.#rounds();
    while (this.#violations.length === 0) {
      while (this.#spares.length < SPARES) {
        const place = this.#free.shift() as number;
        this.#spares.push(this.#fleet.start(this.#job(place)));
      }
      let isComplete = this.#rounds() !== rounds;
      for (let seat = 0; seat < this.#count; seat++) {
        const member = this.#seats[seat];
        if (member !== undefined) {
          if (this.#worker(member.place).turns.load() === member.turns) isComplete = false;
          continue;
        }
        isComplete = false;
        const at = this.#spares.findIndex(({ place }) => this.#worker(place).ready.load() === 1);
        if (at < 0) continue;
        const [spare] = this.#spares.splice(at, 1) as [Member];
        const worker = this.#worker(spare.place);
        spare.pids().forEach(beNice);
        this.#seats[seat] = { ...spare, turns: worker.turns.load() };
        worker.seat.store(seat + 1);
      }
      if (isComplete) return;
      if (performance.now() - startMs > 3 * DEAD_MS) {
        const idle = this.#seats.map((member, seat) =>
          member === undefined
            ? `nobody in ${seat + 1}`
            : this.#worker(member.place).turns.load() === member.turns
            ? `${member.name} in ${seat + 1}`
            : ""
        );
        this.#violations.push(`after kill ${this.#kills} no round by ${idle.join(" ")}`);
      }
      await sleep(1);
    }
  }

  async #kill(victims: readonly number[]): Promise<void> {
    this.#stallMs = 0;
    await Promise.all(victims.map(async (seat) => {
      const member = this.#seats[seat] as Member;
      await member.strike();
      const worker = this.#worker(member.place);
      // terminate() may be over before the thread is.
      const thread = `/proc/${member.hostPid}/task/${worker.tid.load()}`;
      while (member.hostPid !== undefined && existsSync(thread)) await sleep(1);
      this.#kills++;
      if (worker.holding.exchange(0) !== 0) this.#hits++;
      this.#scenario.bury?.(this.#control(), worker);
      worker.ready.store(0);
      worker.seat.store(0);
      this.#free.push(member.place);
      this.#seats[seat] = undefined;
    }));
    await this.#fill();
    this.#stalls.push(this.#stallMs);
  }

  /** A stopped holder keeps what it has, and nobody else is held up. */
  async #stop(victims: readonly number[]): Promise<void> {
    const members = victims.map((seat) => this.#seats[seat] as Member);
    await Promise.all(members.map((member) => member.pause()));
    let hits = 0;
    for (const { place } of members) if (this.#worker(place).holding.load() !== 0) hits++;
    this.#stallMs = 0;
    this.#isPaused = true;
    if (hits > 0) this.#isExcused = true;
    await sleep(30 + this.#random(270));
    if (hits === 0) this.#stalls.push(this.#stallMs);
    this.#isPaused = false;
    for (const member of members) member.resume();
    this.#kills += members.length;
    this.#hits += hits;
    for (const member of members) {
      const { turns } = this.#worker(member.place);
      const before = turns.load();
      const startMs = performance.now();
      while (turns.load() === before && this.#violations.length === 0) {
        if (performance.now() - startMs > 3 * DEAD_MS) {
          this.#violations.push(`${member.name} does not go on after a stop`);
        }
        await sleep(1);
      }
    }
  }

  /** Lets them end; those of some scenarios may have to wait for others who have ended. */
  async #end(): Promise<void> {
    this.#fleet.expectEnd();
    this.#isOver = true;
    this.#object.value.stop.store(1);
    if (this.#scenario.endless === true || this.#mode === "terminate") return;
    const members = [...this.#seats, ...this.#spares].filter((each) => each !== undefined);
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(() => {
        this.#violations.push("a worker did not end");
        resolve();
      }, 3 * DEAD_MS);
    });
    await Promise.race([late, Promise.all(members.map(({ end }) => end))]);
    clearTimeout(timer);
  }

  /** Measures how long nobody does a round, and tends the scenario. */
  async #watch(): Promise<void> {
    const { lateUs } = this.#object.value;
    let [rounds, sinceMs, late, ownLateMs] = [0, performance.now(), 0, 0];
    let lastMs = sinceMs;
    let starved = false;
    let queued: ReadonlyMap<number, number> | undefined;
    while (!this.#isOver) {
      await sleep(1);
      if (this.#isOver) return;
      const nowMs = performance.now();
      ownLateMs += Math.max(0, nowMs - lastMs - 2);
      lastMs = nowMs;
      const total = this.#rounds();
      const rawMs = nowMs - sinceMs;
      const busyMs = Math.max((lateUs.load() - late >>> 0) / 1000, ownLateMs);
      const ms = Math.max(0, rawMs - busyMs);
      const isExcused = this.#isExcused;
      const isBegun = this.#kills > 0 || this.#seats.every((seat) => seat !== undefined);
      if (!isBegun) [rounds, sinceMs, late, ownLateMs] = [total, nowMs, lateUs.load(), 0];
      if (total !== rounds) {
        if (ms > 150 && isBegun && !isExcused) {
          const queuedMs = Math.max(
            0,
            ...[...this.#queued()].map(([pid, each]) => each - (queued?.get(pid) ?? each)),
          );
          this.#longStalls.push({ ms: round(ms), rawMs: round(rawMs), queuedMs: round(queuedMs) });
        }
        if (!this.#isPaused) this.#isExcused = false;
        queued = undefined;
        [rounds, sinceMs, late, ownLateMs, starved] = [total, nowMs, lateUs.load(), 0, false];
      }
      if (isBegun && !isExcused) this.#stallMs = Math.max(this.#stallMs, ms);
      if (rawMs > 50) queued ??= this.#queued();
      if (ms > DEAD_MS && isBegun && !starved) {
        starved = true;
        this.#violations.push(`no round in ${Math.round(rawMs)} ms after kill ${this.#kills}`);
      }
      this.#scenario.tend?.(this.#control());
    }
  }
}

function beNice(pid: number): void {
  try {
    setPriority(pid, NICENESS);
  } catch {
    // It has ended, or is nicer already.
  }
}

const round = (ms: number): number => Math.round(10 * ms) / 10;

/** Removes the mailboxes that a participant's slot still names, in the file of the object. */
function removeMailboxes(name: string): number {
  const bytes = readFileSync(`/dev/shm/${name}`);
  let removed = 0;
  for (const each of readdirSync("/dev/shm")) {
    const [, digits] = /^shmkit-mailbox-([0-9a-f]{32})$/.exec(each) ?? [];
    if (digits === undefined) continue;
    const words = new Uint32Array(
      (digits.match(/.{8}/g) as string[]).map((hex) => parseInt(hex, 16)),
    );
    if (!bytes.includes(new Uint8Array(words.buffer))) continue;
    rmSync(`/dev/shm/${each}`, { force: true });
    removed++;
  }
  return removed;
}
