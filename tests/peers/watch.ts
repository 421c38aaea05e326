// Usage: watch.ts SCENARIO
// Watches FIFOs, which have no name any more, and prints what came of it.

import { once } from "node:events";
import process from "node:process";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import {
  close,
  descriptorPath,
  type DescriptorWatch,
  getpid,
  gettid,
  listDirectory,
  makeFifo,
  open,
  platform,
  readLink,
  readTextFile,
  unlink,
  watchDescriptor,
  writeByte,
} from "../../ffi/mod.ts";

const { O_RDWR, O_NONBLOCK, O_CLOEXEC } = platform().constants;
const sleep = (delayMs: number) => new Promise((resolve) => setTimeout(resolve, delayMs));

let count = 0;

/** A FIFO, as a descriptor to watch and another to write into. */
function fifo(): { fd: number; writer: number } {
  const path = `${platform().sharedMemoryDirectory}/shmkit-test-${getpid()}-${gettid()}-${count++}`;
  const made = makeFifo(path, 0o600);
  const fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC, 0);
  const writer = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC, 0);
  unlink(path);
  if (Math.min(made, fd, writer) < 0) throw new Error(`${made} ${fd} ${writer}`);
  return { fd, writer };
}

/** How many descriptors lead to FIFOs of this program. */
function openFifos(): number {
  const links = (listDirectory("/proc/self/fd") as string[])
    .map((fd) => readLink(`/proc/self/fd/${fd}`));
  return links.filter((link) => `${link}`.includes(`/shmkit-test-${getpid()}-`)).length;
}

/** Writes into a FIFO until it is full. @returns How many bytes that took. */
function fill(writer: number): number {
  let byteLength = 0;
  while (writeByte(writer) === 1) byteLength++;
  return byteLength;
}

/** Waits until something holds, but not for ever. */
async function until(holds: () => boolean): Promise<boolean> {
  const end = performance.now() + 10_000;
  while (!holds() && performance.now() < end) await sleep(1);
  return holds();
}

/** The time that this process has worked, in clock ticks: hundredths of a second. */
function ticks(): number {
  const text = readTextFile("/proc/self/stat") as string;
  const [user, system] = text.slice(text.lastIndexOf(")") + 2).split(" ").slice(11, 13);
  return Number(user) + Number(system);
}

const scenarios: Record<string, () => unknown> = {
  /** Nothing else is left to do. */
  unreferenced() {
    watchDescriptor(fifo().fd, () => {});
    const again = watchDescriptor(fifo().fd, () => {});
    again.ref();
    again.unref();
  },

  /** Ends when mail has come from elsewhere. */
  referenced() {
    const { fd } = fifo();
    const watch = watchDescriptor(fd, () => {
      console.log("mail");
      watch.unref();
    });
    watch.ref();
    console.log(descriptorPath(fd));
  },

  /** Ends when it is closed. */
  async closed() {
    const watches = Array.from({ length: 20 }, () => watchDescriptor(fifo().fd, () => {}));
    for (const watch of watches) watch.ref();
    await sleep(20); // all of them read now
    const before = openFifos() >= 40;
    for (const watch of watches) watch.close();
    for (const watch of watches) {
      watch.close();
      watch.ref();
      watch.unref();
    }
    console.log(before, await until(() => openFifos() === 20)); // those to write into
    const unread = watchDescriptor(fifo().fd, () => {});
    unread.close();
    console.log(await until(() => openFifos() === 21));
    const { fd, writer } = fifo(); // as a rule, the number of one that was closed
    let calls = 0;
    const last = watchDescriptor(fd, () => calls++);
    last.ref();
    await sleep(20);
    writeByte(writer);
    await until(() => calls > 0);
    last.unref();
    console.log(calls);
  },

  /** Thousands of bytes are there already. */
  async pending() {
    const watched = Array.from({ length: 5 }, () => ({ ...fifo(), calls: 0 }));
    for (const { writer } of watched) {
      for (let index = 0; index < 5000; index++) writeByte(writer);
    }
    const watches = watched.map((each) => watchDescriptor(each.fd, () => each.calls++));
    for (const watch of watches) watch.ref();
    const all = await until(() => watched.every(({ calls }) => calls > 0));
    await sleep(50);
    console.log(all, watched.every(({ calls }) => calls < 100)); // not once for each byte
    const capacity = fill(fifo().writer);
    for (const watch of watches) watch.unref();
    console.log(capacity > 0 && fill(watched[0]!.writer) === capacity); // so it was empty
    for (const watch of watches) watch.close();
  },

  /** Each byte that comes while somebody waits is told. */
  async turns() {
    const { fd, writer } = fifo();
    let calls = 0;
    const watch = watchDescriptor(fd, () => calls++);
    let told = 0;
    for (let turn = 0; turn < 300; turn++) {
      const before = calls;
      watch.ref();
      if (turn % 3 === 0) await sleep(0);
      writeByte(writer);
      if (await until(() => calls > before)) told++;
      watch.unref();
      if (turn % 5 === 0) await sleep(0);
      if (turn % 7 === 0) await sleep(2);
    }
    console.log(told);
    watch.unref();
    writeByte(writer); // while nobody waits: told at once, or then
    const before = calls;
    await sleep(20);
    watch.ref();
    console.log(await until(() => calls > before || calls > told));
    watch.close();
  },

  /** Waits for a second. */
  async idle() {
    const watches = Array.from({ length: 10 }, () => watchDescriptor(fifo().fd, () => {}));
    for (const watch of watches) watch.ref();
    await sleep(200);
    const before = ticks();
    await sleep(1000);
    console.log(ticks() - before < 50);
    for (const watch of watches) watch.close();
  },

  /** In threads: one that has nothing else to do, one that waits for mail, one that is terminated. */
  async threads() {
    const start = (task: string) => new Worker(new URL(import.meta.url), { workerData: task });
    const idle = start("unreferenced");
    await once(idle, "exit");
    const waiting = start("thread");
    const ended = once(waiting, "exit");
    const [path] = await once(waiting, "message");
    const writer = open(path, O_RDWR | O_NONBLOCK, 0);
    const early = await Promise.race([ended.then(() => true), sleep(200)]);
    writeByte(writer);
    await ended;
    close(writer);
    const terminated = start("thread");
    await once(terminated, "message");
    await terminated.terminate();
    console.log(early ?? false);
  },

  thread() {
    const { fd } = fifo();
    const watch: DescriptorWatch = watchDescriptor(fd, () => watch.close());
    watch.ref();
    parentPort?.postMessage(descriptorPath(fd));
  },

  /** Nobody reads any more, and the signal that this gives is not ignored. */
  unread() {
    const { fd, writer } = fifo();
    close(fd);
    process.on("SIGPIPE", () => {}).removeAllListeners("SIGPIPE");
    console.log(writeByte(writer));
  },
};

await scenarios[isMainThread ? process.argv[2] as string : workerData]?.();
