/**
 * The door to everything native. No address passes it.
 *
 * @module
 */

export { errorCode, failure, refusal } from "./errno.ts";
export { fallocate, open } from "./libc/fcntl.ts";
export { shmOpen, shmUnlink } from "./libc/mman.ts";
export { maxFileByteLength } from "./libc/resource.ts";
export { looksLikeSemaphore, MAX_SLICES, semFileName, semUnlink } from "./libc/semaphore.ts";
export {
  availableBytes,
  fchmod,
  type FileStatus,
  isSameFile,
  statusOf,
  statusOfPath,
} from "./libc/stat.ts";
export { canLinkDescriptors, close, ftruncate, geteuid, linkDescriptor } from "./libc/unistd.ts";
export { Mapping } from "./mapping.ts";
export { NativeSemaphore } from "./native_semaphore.ts";
export { platform, runtimeServices } from "./select.ts";
