// Usage: look.ts UID segments|semaphores|attached [TARGET]
// Looks at what there is as some user, in the group with the number before the user's, with no permission but for native calls, and prints it.

import process from "node:process";
import {
  attachedProcesses,
  listSegments,
  listSemaphores,
  type SegmentTarget,
  ShmError,
} from "../../mod.ts";
import { bind } from "../../ffi/libc/library.ts";

const [uid, what, target] = process.argv.slice(2) as [string, string, string?];

const c = bind({
  // int setegid(gid_t egid);
  setegid: ["i32", "u32"],
  // int seteuid(uid_t euid);
  seteuid: ["i32", "u32"],
});
if (uid !== "0") {
  if (c().setegid(Number(uid) - 1) !== 0) throw new Error("setegid failed");
  if (c().seteuid(Number(uid)) !== 0) throw new Error("seteuid failed");
}

const verbs: Record<string, () => unknown> = {
  segments: () => listSegments(),
  semaphores: () => listSemaphores(),
  attached: () => {
    const found = attachedProcesses(JSON.parse(target as string) as SegmentTarget);
    return { processes: found, unreadable: found.unreadable, hidden: found.hidden };
  },
};

try {
  console.log(JSON.stringify(verbs[what]?.()));
} catch (error) {
  if (!(error instanceof ShmError)) throw error;
  console.log(JSON.stringify({ code: error.code, message: error.message }));
}
