/**
 * The seam between the library and a JavaScript runtime: what each file in this folder implements.
 *
 * Everything native goes through it as integers and addresses. There is no type for buffers on
 * purpose: strings and structs are put into native scratch memory (`libc/scratch.ts`), so that no
 * call pins, copies or leaks a JavaScript object.
 *
 * @module
 */

declare const opaque: unique symbol;

/**
 * A native address, in whatever form the runtime's calls are fastest with: a pointer object, a
 * number, a bigint. It never leaves `ffi/`.
 */
export interface Address {
  readonly [opaque]: "address";
}

/** The C types that cross the seam. `i64` also stands for `size_t`, `ssize_t` and `off_t`. */
export interface NativeTypes {
  /** `int`, `mode_t` and the like. */
  i32: number;
  /** `unsigned int`. */
  u32: number;
  /** Any 64-bit integer, as a number: up to 2^53 - 1, which is more than an address space. */
  i64: number;
  /** Any pointer. */
  address: Address;
}

/** A C prototype: the result, then the parameters. */
export type Signature = readonly [
  result: keyof NativeTypes,
  ...parameters: readonly (keyof NativeTypes)[],
];

/** C functions by name. */
export type Declarations = Readonly<Record<string, Signature>>;

/** Makes something of every declaration, by name. */
export function mapDeclarations<T>(
  declarations: Declarations,
  make: (signature: Signature, name: string) => T,
): Record<string, T> {
  return Object.fromEntries(
    Object.entries(declarations).map(([name, signature]) => [name, make(signature, name)]),
  );
}

/** The JavaScript function that a C prototype becomes. */
export type NativeFunction<S extends Signature> = S extends
  readonly [infer R extends keyof NativeTypes, ...infer P extends readonly (keyof NativeTypes)[]]
  ? (...args: { -readonly [K in keyof P]: NativeTypes[P[K]] }) => NativeTypes[R]
  : never;

/** The JavaScript functions that a table of declarations becomes. */
export type NativeFunctions<D extends Declarations> = {
  readonly [K in keyof D]: NativeFunction<D[K]>;
};

/** A call that is to be made on another thread: the function's name, and its arguments. */
export type BackgroundCall = readonly [name: string, ...args: (number | Address)[]];

/** Another thread that makes native calls, and holds the process while it does. */
export interface BackgroundThread {
  /**
   * Makes several calls one after another, until one gives 0. One run at a time.
   *
   * @returns The index of the call that gave 0, or -1 when none did or the run was stopped.
   */
  run(calls: readonly BackgroundCall[]): Promise<number>;
  /**
   * Ends the run that is under way, after the call that it is in. If that call still gives 0, the
   * other thread undoes it.
   *
   * @returns The index of a call that has given 0 already, which is the caller's now; or -1.
   */
  stop(): number;
  /** Blocks this thread until a run that was stopped has ended, but not for long. */
  finish(): void;
}

/**
 * An event loop's watch over a descriptor. At first it does not keep the thread from ending; nor does
 * it call back, necessarily, but what it would have told is told when that changes.
 */
export interface DescriptorWatch {
  /** Keeps the thread from ending, and calls back. Idempotent. */
  ref(): void;
  /** Lets the thread end, and may leave what comes where it is until {@linkcode ref}. Idempotent. */
  unref(): void;
  /** Ends it, and closes the descriptor. Idempotent. */
  close(): void;
}

/** What a runtime must be able to do. */
export interface Runtime {
  /** The runtime's name and version, for messages. */
  readonly version: string;
  /** The operating system and CPU as `platforms/` names them: `linux-x86_64`. */
  readonly platform: string;
  /** The longest `ArrayBuffer` over native memory, in bytes. */
  readonly maxBufferByteLength: number;
  /** NULL. */
  readonly nullAddress: Address;

  /**
   * Binds the given functions of a shared library.
   *
   * Throws a `ShmError` when the runtime forbids native calls, and an error of the runtime's own
   * when the library or one of the functions is missing.
   */
  load<D extends Declarations>(library: string, declarations: D): NativeFunctions<D>;

  /**
   * Makes a thread that calls functions of a shared library.
   *
   * @param undo The function that undoes a call, called with its first argument.
   */
  backgroundThread(library: string, declarations: Declarations, undo: string): BackgroundThread;

  /** The address as a number: -1 for `MAP_FAILED`. */
  addressToNumber(address: Address): number;

  /** Moves an address by a number of bytes. */
  offsetAddress(address: Address, byteOffset: number): Address;

  /**
   * An `ArrayBuffer` over native memory, not copied and not owned.
   *
   * The caller proves that the memory outlives the buffer, or detaches the buffer first.
   */
  viewMemory(address: Address, byteLength: number): ArrayBuffer;

  /**
   * Has the event loop of this thread read a FIFO and throw away what it reads. Costs no thread, and
   * nothing while nothing comes.
   *
   * @param fd Open for reading and writing, so that the FIFO never ends, with `O_NONBLOCK`. It
   * belongs to the watch from now on.
   * @param onReadable Called once for whatever has been read together; must not throw.
   */
  watchDescriptor(fd: number, onReadable: () => void): DescriptorWatch;

  /**
   * Calls back when the thread ends in an orderly way: not after a fatal signal. Where the process may go
   * on after the end of its main thread, it calls back once more, behind the handlers of others.
   */
  onExit(callback: () => void): void;

  /** Shows the user a warning in the runtime's own manner. */
  warn(message: string): void;
}
