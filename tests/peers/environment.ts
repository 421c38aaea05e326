// Usage: environment.ts NAME...
// Prints the values of environment variables, null for those that are not set.

import process from "node:process";
import { environmentVariable } from "../../ffi/mod.ts";

console.log(JSON.stringify(process.argv.slice(2).map((name) => environmentVariable(name) ?? null)));
