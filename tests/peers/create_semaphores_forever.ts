// Usage: create_semaphores_forever.ts NAME
// Creates and removes a semaphore until it is killed. Says so before it starts.

import process from "node:process";
import { NamedSemaphore } from "../../mod.ts";

const name = process.argv[2] as string;
const create = () => {
  NamedSemaphore.create(name, { initialValue: 3, mode: 0o640 }).close();
  NamedSemaphore.unlink(name);
};
create();
console.log("ready");
while (true) create();
