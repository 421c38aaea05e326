/**
 * Huge pages for a test, and the machine as it was after it.
 *
 * @module
 */

import { readFileSync, writeFileSync } from "node:fs";

const POOL = "/sys/kernel/mm/hugepages/hugepages-2048kB";

/** Whether the machine lets this process configure some huge pages of 2 MiB. */
export function canConfigureHugePages(): boolean {
  try {
    withHugePages(1, () => {});
    return true;
  } catch {
    return false;
  }
}

/** Does something while there are so many more huge pages; they must all be free after it. */
export function withHugePages(count: number, body: () => void): void {
  const read = (file: string) => Number(readFileSync(`${POOL}/${file}`, "utf8"));
  const write = (pages: number) => writeFileSync(`${POOL}/nr_hugepages`, String(pages));
  const [before, freeBefore] = [read("nr_hugepages"), read("free_hugepages")];
  write(before + count);
  try {
    if (read("nr_hugepages") !== before + count) throw new Error("no memory for huge pages");
    body();
    const lost = freeBefore + count - read("free_hugepages");
    if (lost !== 0) throw new Error(`${lost} huge pages are still in use`);
  } finally {
    write(before);
  }
}
