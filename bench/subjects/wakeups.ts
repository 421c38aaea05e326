// The library: a round trip of two processes of one runtime, in microseconds, the median of passes.
// `wakeups.ts socket` does the same over a Unix socket; `wakeups.ts c EXECUTABLE` runs wakeups.c with an
// object made here. `wakeups.ts answer NAME` is the other process.

import { execFileSync, spawn } from "node:child_process";
import { rmSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import process from "node:process";
import { type InferLive, SharedObject, t } from "../../mod.ts";

const ROUNDS = 500;
const PASSES = 11;
const THREADS = "thread wakes thread";
const LOOPS = "loop wakes loop";

const Events = t.struct("Events", {
  ping: t.autoResetEvent,
  pong: t.autoResetEvent,
  /** The other process is there. */
  ready: t.event,
});

/** What is done in the other process; here, the other way round. */
const answers: Record<string, (events: InferLive<typeof Events>) => void | Promise<void>> = {
  [THREADS]: ({ ping, pong }) => {
    ping.wait();
    pong.set();
  },
  [LOOPS]: async ({ ping, pong }) => {
    await ping.waitAsync();
    pong.set();
  },
};
const asks: typeof answers = {
  [THREADS]: ({ ping, pong }) => {
    ping.set();
    pong.wait();
  },
  [LOOPS]: async ({ ping, pong }) => {
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

/** Starts this script again, in the same runtime. */
function startOther(...args: string[]): () => Promise<void> {
  const script = process.argv[1] as string;
  const isDeno = "Deno" in globalThis;
  const options = isDeno ? ["run", "-A", script] : [...process.execArgv, script];
  const child = spawn(process.execPath, [...options, ...args], { stdio: "inherit" });
  const ended = new Promise<number | null>((resolve) => child.on("exit", resolve));
  return async () => {
    const code = await ended;
    if (code !== 0) throw new Error(`The other process ended with ${code}`);
  };
}

async function measureEvents(): Promise<void> {
  const name = `shmkit-bench-${process.pid}`;
  using object = SharedObject.create(name, Events, {}, { lifetime: "creator" });
  const events = object.value;
  const ended = startOther("answer", name);
  const figures: Record<string, number> = {};
  for (const [title, ask] of Object.entries(asks)) {
    events.ready.wait();
    events.ready.reset();
    figures[title] = await median(() => ask(events), title === LOOPS);
  }
  await ended();
  console.log(JSON.stringify(figures));
}

async function answerEvents(name: string): Promise<void> {
  using object = SharedObject.open(name, Events);
  const events = object.value;
  for (const [title, answer] of Object.entries(answers)) {
    events.ready.set();
    for (let count = 0; count < ROUNDS * (PASSES + 1); count++) {
      if (title === LOOPS) await answer(events);
      else answer(events);
    }
  }
}

async function measureSocket(): Promise<void> {
  const path = `${tmpdir()}/shmkit-bench-${process.pid}.sock`;
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen(path, resolve));
  const connection = new Promise<net.Socket>((resolve) => server.once("connection", resolve));
  const ended = startOther("answerSocket", path);
  const socket = await connection;
  let arrived = (): void => {};
  socket.on("data", () => arrived());
  const byte = new Uint8Array(1);
  const us = await median(() => {
    const { promise, resolve } = Promise.withResolvers<void>();
    arrived = resolve;
    socket.write(byte);
    return promise;
  }, true);
  socket.end();
  server.close();
  await ended();
  rmSync(path, { force: true });
  console.log(JSON.stringify({ [LOOPS]: us }));
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
