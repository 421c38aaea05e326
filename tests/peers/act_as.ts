// Usage: act_as.ts UID VERB NAME
// VERB is one of those below; NAME is a name, a path, a key or a descriptor.
// Does something as another user, and tells what came of it.

import process from "node:process";
import {
  NamedSemaphore,
  SharedObject,
  SharedSegment,
  ShmError,
  SystemVSegment,
  SystemVSemaphore,
} from "../../mod.ts";
import { platform, shmStatus } from "../../ffi/mod.ts";
import { bind } from "../../ffi/libc/library.ts";
import { scratchMemory } from "../../ffi/libc/scratch.ts";
import { Player } from "../support/objects.ts";

const [uid, verb, name] = process.argv.slice(2) as [string, string, string];
const key = Number(name);

// By the C library itself: Deno's own API would need a permission, which the library must not.
const c = bind({
  // int seteuid(uid_t euid);
  seteuid: ["i32", "u32"],
  // int shmctl(int shmid, int cmd, struct shmid_ds *buf);
  shmctl: ["i32", "i32", "i32", "address"],
});
if (c().seteuid(Number(uid)) !== 0) throw new Error("seteuid failed");

const IPC_SET = 1;

/** Makes a segment, and root its owner. */
function giveAway(): void {
  using segment = SystemVSegment.create({ key, size: 64 });
  shmStatus(segment.id); // into the struct of scratch memory
  const { view, struct } = scratchMemory();
  view.setUint32(platform().shmid_ds.offsets["shm_perm.uid"], 0, true);
  if (c().shmctl(segment.id, IPC_SET, struct) !== 0) throw new Error("shmctl failed");
}

const verbs: Record<string, () => unknown> = {
  open: () => SharedSegment.open(name),
  "open-anyone": () => SharedSegment.open(name, { trust: "anyone" }),
  "open-readonly": () => SharedSegment.open(name, { trust: "anyone", readonly: true }),
  create: () => SharedSegment.create(name, { size: 64, mode: 0o666 }),
  unlink: () => SharedSegment.unlink(name),
  object: () => SharedObject.open(name, Player),
  "object-readonly": () => SharedObject.open(name, Player, { readonly: true }),
  "object-readonly-anyone": () => {
    using object = SharedObject.open(name, Player, { trust: "anyone", readonly: true });
    if (object.snapshot().id !== 0) throw new Error("read nonsense");
  },
  "object-anyone": () => SharedObject.open(name, Player, { trust: "anyone" }),
  "object-open-or-create": () => SharedObject.openOrCreate(name, Player, {}, { trust: "anyone" }),
  "object-unlink-own": () => {
    using object = SharedObject.open(name, Player, { trust: "anyone" });
    object.unlink();
  },
  "object-create": () => SharedObject.create(name, Player),
  "object-unlink": () => SharedObject.unlink(name),
  semaphore: () => NamedSemaphore.open(name),
  "semaphore-anyone": () => NamedSemaphore.open(name, { trust: "anyone" }),
  descriptor: () => SharedSegment.fromDescriptor(Number(name)),
  file: () => SharedSegment.openFile(name),
  "file-readonly": () => SharedSegment.openFile(name, { readonly: true }),
  "systemv-open": () => SystemVSegment.open({ key }),
  "systemv-anyone": () => SystemVSegment.open({ key }, { trust: "anyone" }),
  "systemv-readonly": () => SystemVSegment.open({ key }, { trust: "anyone", readonly: true }),
  "systemv-create": () => SystemVSegment.create({ key, size: 64 }),
  "systemv-give": giveAway,
  "systemv-exists": () => {
    if (!SystemVSegment.exists({ key })) throw new Error("not found");
  },
  "semset-open": () => SystemVSemaphore.open({ key }),
  "semset-anyone": () => SystemVSemaphore.open({ key }, { trust: "anyone" }),
  "semset-post": () => SystemVSemaphore.open({ key }, { trust: "anyone" }).post(),
  "semset-remove": () => SystemVSemaphore.remove({ key }),
  "semset-create": () => SystemVSemaphore.create({ key, initialValue: 1 }),
  "semset-unwritable": () => SystemVSemaphore.create({ key, initialValue: 1, mode: 0o400 }),
  "semset-exists": () => {
    if (!SystemVSemaphore.exists({ key })) throw new Error("not found");
  },
  "systemv-remove": () => SystemVSegment.remove({ key }),
};

try {
  verbs[verb]?.();
  console.log("done");
} catch (error) {
  if (!(error instanceof ShmError)) throw error;
  console.log(`${error.code} ${error.message}`);
}
