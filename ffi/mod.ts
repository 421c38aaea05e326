/**
 * The door to everything native. No address passes it.
 *
 * @module
 */

export { environmentVariable } from "./environment.ts";
export { errorCode, failure, refusal } from "./errno.ts";
export {
  accessModeOf,
  addSeals,
  type ByteLock,
  duplicate,
  fallocate,
  isByteLocked,
  isOpenElsewhere,
  lockByte,
  open,
  sealsOf,
} from "./libc/fcntl.ts";
export { memfdCreate, shmOpen, shmUnlink } from "./libc/mman.ts";
export { userName } from "./libc/pwd.ts";
export { maxFileByteLength } from "./libc/resource.ts";
export {
  MAX_READ_AT_ONCE,
  removeSemaphoreSet,
  semget,
  type SemidDs,
  semOperate,
  type SemOperation,
  semPid,
  semSetValues,
  semStatus,
  semTryOperate,
  semValue,
  semValues,
  semWaiting,
  semWaitingForZero,
} from "./libc/sem.ts";
export {
  looksLikeSemaphore,
  MAX_SLICES,
  semFileName,
  semUnlink,
  semValueInFile,
} from "./libc/semaphore.ts";
export { ftok, shmget, type ShmidDs, shmRemove, shmStatus } from "./libc/shm.ts";
export {
  availableBytes,
  fchmod,
  type FileStatus,
  isSameFile,
  makeFifo,
  type Space,
  spaceOf,
  statusOf,
  statusOfPath,
  statusOfTarget,
} from "./libc/stat.ts";
export { gettid, isThreadGone, pidNamespace, threadStart } from "./libc/thread.ts";
export {
  canLinkDescriptors,
  changeGroup,
  close,
  descriptorPath,
  ftruncate,
  geteuid,
  getpid,
  linkDescriptor,
  listDirectory,
  ownDescriptorPath,
  pageSize,
  readAll,
  readAt,
  readLink,
  readTextFile,
  unlink,
  writeAt,
  writeByte,
} from "./libc/unistd.ts";
export { lineInMaps } from "./mapped_file.ts";
export { type Advice, Mapping } from "./mapping.ts";
export { NativeSemaphore } from "./native_semaphore.ts";
export type { DescriptorWatch } from "./runtimes/runtime.ts";
export {
  canCallNatively,
  type Host,
  hosts,
  platform,
  runtimeServices,
  watchDescriptor,
} from "./select.ts";
export { decodeText, encodeText, isEncodable } from "./text.ts";
