/**
 * Which files in the shared-memory directory are semaphores and not segments.
 *
 * @module
 */

import {
  close,
  type FileStatus,
  looksLikeSemaphore,
  platform,
  semFileName,
  shmOpen,
} from "../ffi/mod.ts";

/** The prefixes by which the C libraries of this platform tell them. */
function prefixes(): string[] {
  return platform().libraries.map((library) => library.semaphoreFilePrefix).filter((each) =>
    each !== ""
  );
}

/**
 * The name of the semaphore of which a regular file is; undefined when it is none. A C library that
 * marks the files by a prefix needs no more; without one, they are told by what is in them.
 *
 * @param fileName The name of the file.
 * @param status What is known of it, if anything.
 */
export function semaphoreName(
  fileName: string,
  status: FileStatus | undefined,
): string | undefined {
  const prefix = prefixes().find((each) => fileName.startsWith(each));
  if (prefix !== undefined) return fileName.slice(prefix.length);
  if (semFileName("") !== "" || status?.size !== platform().sem_t.byteLength) return undefined;
  return containsSemaphore(fileName) ? fileName : undefined;
}

function containsSemaphore(fileName: string): boolean {
  const { O_RDONLY, O_NONBLOCK, O_CLOEXEC, O_NOFOLLOW } = platform().constants;
  const fd = shmOpen(fileName, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW, 0);
  if (fd < 0) return false;
  const found = looksLikeSemaphore(fd);
  close(fd);
  return found;
}
