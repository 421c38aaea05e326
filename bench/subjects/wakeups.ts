// The library: a round trip of two processes of one runtime, in microseconds, the median of passes: both
// on one processor, and each on its own, since that decides more than anything else.
// `wakeups.ts socket` does the same over a Unix socket; `wakeups.ts c EXECUTABLE` runs wakeups.c with an
// object made here. `wakeups.ts answer NAME` is the other process.

import { execFileSync, spawn } from "node:child_process";
import { rmSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import process from "node:process";
import { type InferLive, SharedObject, t } from "../../mod.ts";

const ROUNDS = 3000;
const PASSES = 11;

/** Where the two run. */
const PLACES = { "one CPU": [0, 0], "two CPUs": [0, 1] } as const;
type Place = keyof typeof PLACES;
const places = Object.keys(PLACES) as Place[];

/** How each wakes the other. */
const KINDS = ["threads", "loops"] as const;
type Kind = typeof KINDS[number];

const Events = t.struct("Events", {
  ping: t.autoResetEvent,
  pong: t.autoResetEvent,
  /** The other process is there. */
  ready: t.event,
});

/** What is done in the other process; here, the other way round. */
const answers: Record<Kind, (events: InferLive<typeof Events>) => void | Promise<void>> = {
  threads: ({ ping, pong }) => {
    ping.wait();
    pong.set();
  },
  loops: async ({ ping, pong }) => {
    await ping.waitAsync();
    pong.set();
  },
};
const asks: typeof answers = {
  threads: ({ ping, pong }) => {
    ping.set();
    pong.wait();
  },
  loops: async ({ ping, pong }) => {
    ping.set();
    await pong.waitAsync();
  },
};

async function median(round: () => void | Promise<void>, waits: boolean): Promise<number> {
  const passes: number[] = [];
  for (let pass = -1; pass < PASSES; pass++) {
    const start = performance.now();
    if (waits) { for (let count = 0; count < ROUNDS; count++) await round(); }
    else for (let count = 0; count < ROUNDS; count++) round();
    if (pass >= 0) passes.push((performance.now() - start) * 1e3 / ROUNDS);
  }
  return passes.sort((a, b) => a - b)[PASSES >> 1] as number;
}

interface Other {
  readonly pid: number;
  /** Fulfilled when it has ended as it should. */
  readonly ended: Promise<void>;
}

/** Starts this script again, in the same runtime. */
function startOther(...args: string[]): Other {
  const script = process.argv[1] as string;
  const isDeno = "Deno" in globalThis;
  const options = isDeno ? ["run", "-A", script] : [...process.execArgv, script];
  const child = spawn(process.execPath, [...options, ...args], { stdio: "inherit" });
  const ended = new Promise<void>((resolve, reject) =>
    child.on("exit", (code) => {
      if (code === 0) resolve();
      else reject(new Error(`The other process ended with ${code}`));
    })
  );
  return { pid: child.pid as number, ended };
}

/** Has the two processes run where they are to. */
function pin(other: Other, place: Place): void {
  [process.pid, other.pid].forEach((pid, index) =>
    execFileSync("taskset", ["-acp", String(PLACES[place][index]), String(pid)])
  );
}

async function measureEvents(): Promise<void> {
  const name = `shmkit-bench-${process.pid}`;
  using object = SharedObject.create(name, Events, {}, { lifetime: "creator" });
  const events = object.value;
  const other = startOther("answer", name);
  const figures: Record<string, number> = {};
  for (const kind of KINDS) {
    for (const place of places) {
      events.ready.wait();
      events.ready.reset();
      pin(other, place);
      figures[`${kind}, ${place}`] = await median(() => asks[kind](events), kind === "loops");
    }
  }
  await other.ended;
  console.log(JSON.stringify(figures));
}

async function answerEvents(name: string): Promise<void> {
  using object = SharedObject.open(name, Events);
  const events = object.value;
  for (const kind of KINDS) {
    const answer = answers[kind];
    for (const _place of places) {
      events.ready.set();
      for (let count = 0; count < ROUNDS * (PASSES + 1); count++) {
        if (kind === "loops") await answer(events);
        else answer(events);
      }
    }
  }
}

async function measureSocket(): Promise<void> {
  const path = `${tmpdir()}/shmkit-bench-${process.pid}.sock`;
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen(path, resolve));
  const connection = new Promise<net.Socket>((resolve) => server.once("connection", resolve));
  const other = startOther("answerSocket", path);
  const socket = await connection;
  let arrived = (): void => {};
  socket.on("data", () => arrived());
  const byte = new Uint8Array(1);
  const figures: Record<string, number> = {};
  for (const place of places) {
    pin(other, place);
    figures[`loops, ${place}`] = await median(() => {
      const { promise, resolve } = Promise.withResolvers<void>();
      arrived = resolve;
      socket.write(byte);
      return promise;
    }, true);
  }
  socket.end();
  server.close();
  await other.ended;
  rmSync(path, { force: true });
  console.log(JSON.stringify(figures));
}

async function answerSocket(path: string): Promise<void> {
  const socket = net.connect(path);
  const byte = new Uint8Array(1);
  socket.on("data", () => void socket.write(byte));
  await new Promise((resolve) => socket.on("close", resolve));
}

const [mode = "", argument = ""] = process.argv.slice(2);
if (mode === "answer") await answerEvents(argument);
else if (mode === "socket") await measureSocket();
else if (mode === "answerSocket") await answerSocket(argument);
else if (mode === "c") {
  const name = `shmkit-bench-${process.pid}`;
  using _object = SharedObject.create(name, Events, {}, { lifetime: "creator" });
  console.log(execFileSync(argument, [name], { encoding: "utf8" }).trimEnd());
} else await measureEvents();
