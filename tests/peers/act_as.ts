// Usage: act_as.ts UID open|open-anyone|open-readonly|create|unlink|semaphore NAME
// Does something as another user, and tells what came of it.

import process from "node:process";
import { NamedSemaphore, SharedSegment, ShmError } from "../../mod.ts";
import { bind } from "../../ffi/libc/library.ts";

const [uid, verb, name] = process.argv.slice(2) as [string, string, string];

// By the C library itself: Deno's own API would need a permission, which the library must not.
const c = bind({
  // int seteuid(uid_t euid);
  seteuid: ["i32", "u32"],
});
if (c().seteuid(Number(uid)) !== 0) throw new Error("seteuid failed");

const verbs: Record<string, () => unknown> = {
  open: () => SharedSegment.open(name),
  "open-anyone": () => SharedSegment.open(name, { trust: "anyone" }),
  "open-readonly": () => SharedSegment.open(name, { trust: "anyone", readonly: true }),
  create: () => SharedSegment.create(name, { size: 64, mode: 0o666 }),
  unlink: () => SharedSegment.unlink(name),
  semaphore: () => NamedSemaphore.open(name),
  "semaphore-anyone": () => NamedSemaphore.open(name, { trust: "anyone" }),
};

try {
  verbs[verb]?.();
  console.log("done");
} catch (error) {
  if (!(error instanceof ShmError)) throw error;
  console.log(`${error.code} ${error.message}`);
}
