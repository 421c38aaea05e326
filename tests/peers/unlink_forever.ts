// Usage: unlink_forever.ts NAME
// Removes a semaphore's name, whoever makes it, until it is killed.

import process from "node:process";
import { NamedSemaphore } from "../../mod.ts";

const name = process.argv[2] as string;
NamedSemaphore.unlink(name);
console.log("ready");
while (true) NamedSemaphore.unlink(name);
