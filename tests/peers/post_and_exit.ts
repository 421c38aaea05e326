// Usage: post_and_exit.ts NAME exit|listener
// Posts a permit that its own helper thread waits for, and ends by force.

import process from "node:process";
import { NamedSemaphore } from "../../mod.ts";

const [name, when] = process.argv.slice(2) as [string, string];
const semaphore = NamedSemaphore.open(name);
void semaphore.waitAsync();
const post = () => {
  console.log("posting");
  semaphore.post();
};
if (when === "listener") process.on("exit", post);
setTimeout(() => {
  if (when === "exit") post();
  process.exit(0);
}, 120);
