/**
 * How the kernel's tables of mappings call a file.
 *
 * @module
 */

import { mmap, munmap } from "./libc/mman.ts";
import { readTextFile } from "./libc/unistd.ts";
import { platform, runtime } from "./select.ts";

/**
 * The line of a table of mappings that a mapping of an open file gives, from the access on. Its
 * device and inode are other ones than those of statx(2) where one file system lies over another
 * (overlayfs) or has many roots (btrfs). So the file is mapped for a moment, and not touched.
 *
 * @returns It, or undefined when it cannot be told: the descriptor is not open for reading, say.
 */
export function lineInMaps(fd: number): string | undefined {
  const byteLength = 1; // which means a page
  const { PROT_READ, MAP_SHARED } = platform().constants;
  const mapped = mmap(byteLength, PROT_READ, MAP_SHARED, fd);
  if (typeof mapped === "number") return undefined;
  const maps = readTextFile(`${platform().processDirectory}/self/maps`);
  const start = runtime().addressToNumber(mapped.start).toString(16).padStart(8, "0");
  munmap(mapped.start, byteLength);
  if (typeof maps === "number") return undefined;
  const line = maps.split("\n").find((each) => each.startsWith(`${start}-`));
  return line?.slice(line.indexOf(" ") + 1);
}
