/**
 * `<pwd.h>`: getpwuid_r(3).
 *
 * @module
 */

import { platform, runtime } from "../select.ts";
import { decodeText } from "../text.ts";
import { ioBuffer } from "./io_buffer.ts";
import { bind } from "./library.ts";
import { readSize, scratchMemory } from "./scratch.ts";

const c = bind({
  // int getpwuid_r(uid_t uid, struct passwd *pwd, char *buf, size_t buflen, struct passwd **result);
  getpwuid_r: ["i32", "u32", "address", "address", "i64", "address"],
});

/** The name of a user, or undefined when the system does not know the number or cannot tell. */
export function userName(uid: number): string | undefined {
  const { struct } = scratchMemory();
  const { byteLength, offsets } = platform().passwd;
  const { addressToNumber, offsetAddress } = runtime();
  const { address, bytes } = ioBuffer();
  const result = offsetAddress(struct, byteLength);
  // The result is NULL when there is no such user. An error number is no name, too.
  if (c().getpwuid_r(uid, struct, address, bytes.length, result) !== 0) return undefined;
  if (readSize(byteLength) === 0) return undefined;
  // Its strings lie in the buffer that was given.
  const start = readSize(offsets.pw_name) - addressToNumber(address);
  return decodeText(bytes.subarray(start, bytes.indexOf(0, start)));
}
