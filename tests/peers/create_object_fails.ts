// Usage: create_object_fails.ts NAME SIZE
// Tries to create an object with an array of SIZE bytes, or with a zero that cannot be read when SIZE is
// 0, and tells the error and what was left behind.

import process from "node:process";
import { SharedObject, ShmError, t } from "../../mod.ts";

const [name, size] = process.argv.slice(2) as [string, string];
const shade = t.enumeration(t.u8, { light: 1 });
const Filled = t.struct("Filled", {
  shade: Number(size) === 0 ? shade : t.u8,
  bytes: t.array(t.u8, Math.max(1, Number(size))),
});
try {
  SharedObject.create(name, Filled).close();
  console.log("created");
} catch (error) {
  if (!(error instanceof Error)) throw error;
  const left = SharedObject.exists(name) ? " and left something" : "";
  console.log(`${error instanceof ShmError ? error.code : error.name} ${error.message}${left}`);
}
