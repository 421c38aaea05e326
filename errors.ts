/**
 * The one error class of the library, and the grammar of its messages.
 *
 * A message has three parts: what could not be done and to what, why, and what to do about it:
 *
 *     Cannot open segment "frames": it does not exist (ENOENT from shm_open). Create it first, or
 *     wait for it with openAsync().
 *
 * Misuse of the API is a `TypeError` or a `RangeError` that shows the value received. A refused
 * system call, and a shared object that is not what it should be, is a {@linkcode ShmError}.
 *
 * @module
 */

/** What the operating system refused, by its C name; `UNKNOWN` is a number without a name here. */
export type SystemErrorCode =
  | "E2BIG"
  | "EACCES"
  | "EAGAIN"
  | "EBADF"
  | "EBUSY"
  | "EDEADLK"
  | "EDQUOT"
  | "EEXIST"
  | "EFAULT"
  | "EFBIG"
  | "EIDRM"
  | "EINTR"
  | "EINVAL"
  | "EIO"
  | "EISDIR"
  | "ELOOP"
  | "EMFILE"
  | "ENAMETOOLONG"
  | "ENFILE"
  | "ENODEV"
  | "ENOENT"
  | "ENOMEM"
  | "ENOSPC"
  | "ENOSYS"
  | "ENOTDIR"
  | "ENXIO"
  | "EOPNOTSUPP"
  | "EOVERFLOW"
  | "EPERM"
  | "EPIPE"
  | "ERANGE"
  | "EROFS"
  | "ESRCH"
  | "ETIMEDOUT"
  | "ETXTBSY"
  | "UNKNOWN";

/**
 * The `code` of a {@linkcode ShmError}.
 *
 * | code                  | meaning                                                           |
 * | --------------------- | ----------------------------------------------------------------- |
 * | `E...`                | a system call failed; `errno` and `syscall` say which and how      |
 * | `ERR_SHM_CLOSED`      | the handle was closed, or its buffer transferred away              |
 * | `ERR_SHM_KIND`        | the name belongs to something else: a FIFO, a symbolic link, ...   |
 * | `ERR_SHM_SIZE`        | the object has another size than asked for, or none yet            |
 * | `ERR_SHM_LAYOUT`      | the object has another layout than asked for                       |
 * | `ERR_SHM_TRUST`       | another user owns the object, or could write to it, or linked it   |
 * | `ERR_SHM_CORRUPT`     | the bytes of the object cannot be what its kind requires           |
 * | `ERR_SHM_FULL`        | as many threads synchronise on the object as it was made for       |
 * | `ERR_SHM_LOCK_LOST`   | the lock is not held any more: something was written over it       |
 * | `ERR_SHM_BROKEN_BARRIER` | a party has died or left, or the barrier was reset              |
 * | `ERR_SHM_PERMISSION`  | the runtime was started without permission for native calls        |
 * | `ERR_SHM_UNSUPPORTED` | this runtime, its version or this platform cannot do it, or        |
 * |                       | another version of this library has made the object                |
 */
export type ShmErrorCode =
  | SystemErrorCode
  | "ERR_SHM_CLOSED"
  | "ERR_SHM_KIND"
  | "ERR_SHM_SIZE"
  | "ERR_SHM_LAYOUT"
  | "ERR_SHM_TRUST"
  | "ERR_SHM_CORRUPT"
  | "ERR_SHM_FULL"
  | "ERR_SHM_LOCK_LOST"
  | "ERR_SHM_BROKEN_BARRIER"
  | "ERR_SHM_PERMISSION"
  | "ERR_SHM_UNSUPPORTED";

/** What a {@linkcode ShmError} carries besides its message. */
export interface ShmErrorOptions {
  /** The machine-readable reason. */
  code: ShmErrorCode;
  /** The error number of the system call, negative as in Node. */
  errno?: number;
  /** The C function that failed. */
  syscall?: string;
  /** The name of the object, with the leading slash that POSIX gives it; or the path of a file. */
  path?: string;
  /** The error that led to this one. */
  cause?: unknown;
}

/**
 * A refused system call, or a shared object that is not what it should be.
 *
 * Shaped like Node's system errors: test `code`, read `errno`, `syscall` and `path`.
 *
 * @example Telling a missing segment from other failures
 * ```ts
 * import { SharedSegment, ShmError } from "@shmkit/shmkit";
 *
 * try {
 *   SharedSegment.open("no-such-segment");
 * } catch (error) {
 *   if (!(error instanceof ShmError && error.code === "ENOENT")) throw error;
 *   console.log("not there yet");
 * }
 * ```
 */
export class ShmError extends Error {
  /** Always `"ShmError"`. */
  override readonly name: string = "ShmError";
  /** The machine-readable reason. */
  readonly code: ShmErrorCode;
  /** The error number of the system call, negative as in Node; absent when none failed. */
  readonly errno?: number;
  /** The C function that failed; absent when none did. */
  readonly syscall?: string;
  /** The name of the object, with a leading slash, or the path of a file; absent without either. */
  readonly path?: string;

  /**
   * Makes the error; the library itself does that through the functions below.
   *
   * @param message What could not be done, why, and what to do about it.
   * @param options The machine-readable part.
   */
  constructor(message: string, options: ShmErrorOptions) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = options.code;
    if (options.errno !== undefined) this.errno = options.errno;
    if (options.syscall !== undefined) this.syscall = options.syscall;
    if (options.path !== undefined) this.path = options.path;
  }
}

/** What is being done to what: the first part of every message. */
export interface Action {
  /** An infinitive: `open`, `create`, `unlink`. */
  readonly verb: string;
  /** What kind of thing: `segment`, `semaphore`. */
  readonly noun: string;
  /** Its name, without the leading slash, or the path of a file; absent for things without a name. */
  readonly name?: string;
  /** What part of it, as the path of a field. */
  readonly part?: string;
}

/** `open segment "frames"`, or `lock mutex "Account.lock" of "account"`. */
function describeAction({ verb, noun, name, part }: Action): string {
  const subject = [part, name].filter((each) => each !== undefined).map(quote).join(" of ");
  return subject === "" ? `${verb} ${noun}` : `${verb} ${noun} ${subject}`;
}

/** Why a system call fails, and what its caller can do: the second and third part of a message. */
const REASONS: Partial<Record<SystemErrorCode, readonly [reason: string, remedy: string]>> = {
  EACCES: [
    "permission denied",
    "Ask its owner for rights (create it with a wider mode), or run as its owner.",
  ],
  EBUSY: ["it is in use", "Have whoever uses it let it go."],
  EDQUOT: ["the disk quota of this user is used up", "Remove objects that are no longer needed."],
  EEXIST: ["it exists already", "Use openOrCreate(), choose another name, or unlink() it first."],
  EFBIG: [
    "it is larger than this process may make a file",
    "Raise the limit (`ulimit -f`), or ask for less.",
  ],
  ELOOP: [
    "the name is a symbolic link, which is never followed",
    "Find out who put it there; remove it, or choose another name.",
  ],
  EMFILE: [
    "this process has no file descriptor left",
    "Close handles that are no longer needed, or raise the limit (`ulimit -n`).",
  ],
  ENFILE: ["the machine has no file descriptor left", "Close what is no longer needed."],
  ENOENT: ["it does not exist", "Create it first, or wait for it with openAsync()."],
  ENOMEM: [
    "there is not enough memory or address space",
    "Ask for less, close other handles, or raise the limit (`ulimit -v`, vm.max_map_count).",
  ],
  ENOSPC: [
    "there is not enough shared memory left",
    "Remove objects that are no longer needed, or enlarge /dev/shm (containers: --shm-size).",
  ],
  ENOSYS: ["the operating system does not have this call", "Use a newer kernel."],
  EOPNOTSUPP: [
    "this file system cannot do that",
    "Use another one; or, if it is for reserving memory, { reserve: false }.",
  ],
  EOVERFLOW: ["its value is at the maximum", "Wait until somebody takes a permit."],
  EPERM: ["the operation is not permitted", "Run as the owner of the object."],
  EROFS: ["the shared-memory file system is read-only", "Mount it writable."],
};

/**
 * Makes the error of a refused system call.
 *
 * @param action What was being done.
 * @param failure The code, number and C function.
 * @param remedy What to do about it, when the usual advice does not fit.
 * @param reason Why it fails, when the usual reason does not fit.
 */
export function systemError(
  action: Action,
  failure: { code: SystemErrorCode; errno: number; syscall: string },
  remedy?: string,
  reason: string = REASONS[failure.code]?.[0] ?? "the operating system refused",
): ShmError {
  const { code, errno, syscall } = failure;
  const label = code === "UNKNOWN" ? `errno ${-errno}` : code;
  const advice = remedy ?? REASONS[code]?.[1] ?? `See the manual page of ${syscall}.`;
  return new ShmError(
    `Cannot ${describeAction(action)}: ${reason} (${label} from ${syscall}). ${advice}`,
    { code, errno, syscall, ...pathOf(action) },
  );
}

/**
 * Makes the error of an object or handle that is not what it should be.
 *
 * @param action What was being done.
 * @param code One of our own codes.
 * @param reason Why it cannot be done.
 * @param remedy What to do about it.
 */
export function stateError(
  action: Action,
  code: ShmErrorCode,
  reason: string,
  remedy: string,
): ShmError {
  return new ShmError(`Cannot ${describeAction(action)}: ${reason}. ${remedy}`, {
    code,
    ...pathOf(action),
  });
}

/**
 * Makes the message of a `TypeError` or `RangeError` for a bad argument.
 *
 * @param action What was being done.
 * @param rule What the argument must be, as in `size must be an integer`.
 * @param received The value that breaks the rule.
 */
export function misuse(action: Action, rule: string, received: unknown): string {
  return `Cannot ${describeAction(action)}: ${rule}, received ${show(received)}`;
}

/** Makes the error of a wait that ran out of time, as `AbortSignal.timeout()` does. */
export function timeoutError(action: Action, timeoutMs: number): DOMException {
  return new DOMException(
    `Cannot ${describeAction(action)}: it took longer than the timeout of ${timeoutMs} ms`,
    "TimeoutError",
  );
}

function pathOf(action: Action): { path?: string } {
  const { name } = action;
  if (name === undefined) return {};
  return { path: name.startsWith("/") ? name : `/${name}` };
}

/** A name as a message shows it: quoted, control characters escaped, and not endless. */
function quote(name: string): string {
  return JSON.stringify(name.length > 80 ? `${name.slice(0, 77)}...` : name);
}

function show(value: unknown): string {
  switch (typeof value) {
    case "string":
      return quote(value);
    case "bigint":
      return `${value}n`;
    case "number":
    case "boolean":
    case "undefined":
      return String(value);
    case "symbol":
      return value.toString();
    case "function":
      return "a function";
    default:
      return value === null ? "null" : `an object (${Object.prototype.toString.call(value)})`;
  }
}
