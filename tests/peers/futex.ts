// Usage: futex.ts wait|wake PID FD
// Maps a page of a descriptor of another process. Waits on its first word while that is 0, for
// as long as can be said, and prints the result; or wakes those who wait on it, and prints how many were woken.

import process from "node:process";
import { descriptorPath, Mapping, open, platform } from "../../ffi/mod.ts";

const [verb, pid, fd] = process.argv.slice(2) as [string, string, string];
const path = descriptorPath(Number(fd), Number(pid));
const mapping = Mapping.map(open(path, platform().constants.O_RDWR, 0), 4096, true) as Mapping;
console.log("ready");
if (verb === "wait") {
  console.log(mapping.futexWait(0, 0, Number.MAX_VALUE));
} else {
  let woken = 0;
  while (woken === 0) {
    woken = mapping.futexWake(0, 5);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  console.log(woken);
}
