// Usage: look_exhausted.ts NAME
// Asks who holds a segment, with no descriptor left and with a few: it is the whole truth or an
// error. Prints each answer.

import process from "node:process";
import { attachedProcesses, listSegments, listSemaphores, ShmError } from "../../mod.ts";
import { close, open, platform } from "../../ffi/mod.ts";

const name = process.argv[2] as string;
const asks: (() => unknown)[] = [
  () =>
    listSegments().find((each) => each.kind === "posix" && each.name === name)?.processes.length,
  () => attachedProcesses(name).length,
  () => listSemaphores().length >= 0,
];

const taken: number[] = [];
const take = () => {
  const fd = open(platform().processDirectory, 0, 0);
  if (fd >= 0) taken.push(fd);
  return fd >= 0;
};
while (take());
for (let left = 0; left <= 8; left++) {
  const answers = asks.map((ask) => {
    try {
      return ask();
    } catch (error) {
      if (!(error instanceof ShmError)) throw error;
      return error.code;
    }
  });
  console.log(left, ...answers);
  close(taken.pop() as number);
}
