/**
 * @module
 */

import type { Fields, Infer, InferLive, Patch } from "../layout/field.ts";
import { type Memory, placeOf } from "../layout/memory.ts";
import { rowOffsetOf } from "../layout/row_offsets.ts";
import type { Struct } from "../layout/struct.ts";
import { nameExists, removeName } from "../memory/files/attach.ts";
import { creatableName, existingName } from "../memory/names.ts";
import type { NamedAction } from "../memory/objects/header.ts";
import type { ObjectHandle } from "../memory/objects/object_handle.ts";
import {
  checkObjectAccess,
  checkObjectCreation,
  type ObjectAnonymousOptions,
  type ObjectCreateOptions,
  type ObjectDescriptorOptions,
  type ObjectOpenOptions,
  type ObjectOpenOrCreateOptions,
} from "../memory/objects/object_options.ts";
import {
  createObject,
  headerOf,
  openObject,
  openObjectAsync,
  openOrCreateObject,
} from "../memory/objects/open_object.ts";
import {
  createAnonymousObject,
  openObjectDescriptor,
  openObjectFile,
} from "../memory/objects/unnamed_object.ts";
import type { AsyncWaitOptions, Trust } from "../memory/options.ts";
import { checkLayout, expected, layoutIn, withContents } from "../sync/objects/contents.ts";
import { AttachedObject } from "./attached_object.ts";
import { ReadonlySharedObject } from "./readonly_shared_object.ts";

/**
 * A value that several processes share, in any language: a struct in named shared memory, which says
 * itself what its layout is.
 *
 * The struct is at offset 0, exactly as C sees it: a C program opens it with the function that
 * `layout.toC()` writes, C++, Rust and Python map it. Behind it the library keeps what belongs to the
 * object, so **nobody may truncate it**: a program that opens it with `O_CREAT` and
 * `ftruncate(fd, sizeof(struct))` would cut that off.
 *
 * **Concurrent access**: a field that is read or written by {@linkcode value} is never half of one
 * value and half of another. Nothing is said about the order of several fields, and compilers may
 * merge plain reads: fields that several processes change, or wait for, are `t.atomic`.
 *
 * No method waits for another process, but for `openAsync`, and for a second at most `openOrCreate`
 * while one is just making the object (or seems to: what is there has another size, and no layout),
 * and `open` while one is just removing it.
 *
 * @example A player whom two processes see
 * ```ts
 * import { SharedObject, t } from "@shmkit/shmkit";
 *
 * const Player = t.struct("Player", {
 *   id: t.u32,
 *   position: t.array(t.f64, 3),
 *   name: t.cstring(32),
 *   hits: t.atomic(t.u32),
 * });
 *
 * using player = SharedObject.create("doc-player", Player, { id: 7, name: "ada" }, {
 *   lifetime: "creator",
 * });
 *
 * // In another process, in any runtime:
 * using same = SharedObject.open("doc-player", Player);
 * same.value.position.set([1.5, 0, 0]);
 * same.value.hits.add(1);
 *
 * console.log(player.value.position[0], player.snapshot()); // 1.5 { id: 7, ... }
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man7/shm_overview.7.html | shm_overview(7)}
 */
export class SharedObject<L extends Struct<Fields>> extends AttachedObject<L> {
  /** Whether this handle created the object, rather than found it. */
  readonly created: boolean;
  /**
   * The value, live: its properties are the memory. The same view every time; to keep it in a variable
   * is faster in loops. After {@linkcode close} every property of it throws a `TypeError`.
   */
  readonly value: InferLive<L>;
  readonly #handle: ObjectHandle;
  readonly #memory: Memory;

  private constructor(handle: ObjectHandle, layout: L) {
    super(handle, layout);
    this.created = handle.created;
    this.#handle = handle;
    handle.rowOffsetOf = (position) => rowOffsetOf(layout, position);
    this.#memory = placeOf(handle.buffer("view"), 0, layout.size, handle).memory;
    this.value = layout.attach(this.#memory, 0, layout.name) as InferLive<L>;
  }

  /**
   * Creates an object. It appears under its name complete or not at all, even if this process is
   * killed on the way, and its memory is reserved.
   *
   * @param name 1 to 240 characters from `A-Z a-z 0-9 _ . -`, the first a letter, digit or `_`; a
   * leading slash is allowed and means nothing.
   * @param layout What is in it: made by `t.struct`.
   * @param initial Its first value. What is left out, at any depth, is zero: 0, `""`, `false`, the
   * member of an enumeration that has the number 0.
   * @param options Its lifetime, and more.
   * @returns A handle, to be closed; use `using`.
   * @throws {TypeError} When the name breaks the rule, or something of the value or an option has the
   * wrong type, or the layout is none.
   * @throws {RangeError} When something does not fit its field, or an enumeration is left out that has
   * no member for 0, or the description of the layout is longer than 4 MiB.
   * @throws {ShmError} `EEXIST` when the name is taken, `ENOSPC` when memory is short; nothing is left
   * in either case. `EFBIG` above `ulimit -f`, `EMFILE` when descriptors run out.
   */
  static create<L extends Struct<Fields>>(
    name: string,
    layout: L,
    initial: Patch<L> = {} as Patch<L>,
    options: ObjectCreateOptions = {},
  ): SharedObject<L> {
    const action = { verb: "create", noun: "object" };
    const named = { ...action, name: creatableName(action, name) };
    checkLayout(named, layout);
    const creation = checkObjectCreation(named, options);
    layout.check(initial, layout.name, true);
    const handle = createObject(named, withContents(named, layout, initial, creation));
    return SharedObject.#wrap(handle, layout) as SharedObject<L>;
  }

  /**
   * Attaches to an object that exists. Never follows a link, believes nothing.
   *
   * @param name Its name, with or without a leading slash.
   * @param layout What must be in it.
   * @param options How to attach.
   * @returns A handle, to be closed; with `readonly`, one that only reads.
   * @throws {ShmError} `ERR_SHM_LAYOUT` when it has another layout, with the differences; `ENOENT` when
   * there is none, `EACCES` without rights, `ERR_SHM_KIND` when it is something else, `ERR_SHM_SIZE`
   * when it is still empty, `ERR_SHM_CORRUPT` when its description has been written over,
   * `ERR_SHM_UNSUPPORTED` when a later version of the library made it, `ERR_SHM_TRUST` for another
   * user's or a hard-linked file, `ELOOP` for a symbolic link.
   */
  static open<L extends Struct<Fields>>(
    name: string,
    layout: L,
    options: ObjectOpenOptions & { readonly: true },
  ): ReadonlySharedObject<L>;
  /** Attaches to an object that exists, for reading and writing. */
  static open<L extends Struct<Fields>>(
    name: string,
    layout: L,
    options?: ObjectOpenOptions & { readonly?: false },
  ): SharedObject<L>;
  /** Attaches to an object that exists, for reading or for both. */
  static open<L extends Struct<Fields>>(
    name: string,
    layout: L,
    options: ObjectOpenOptions,
  ): SharedObject<L> | ReadonlySharedObject<L>;
  static open<L extends Struct<Fields>>(
    name: string,
    layout: L,
    options: ObjectOpenOptions = {},
  ): SharedObject<L> | ReadonlySharedObject<L> {
    const action = opening(name);
    checkLayout(action, layout);
    const access = checkObjectAccess(action, options);
    const handle = openObject(action, { ...access, expected: expected(action, layout) });
    return SharedObject.#wrap(handle, layout);
  }

  /**
   * Attaches to an object, or creates it when there is none. Of several processes that do this at
   * once, one creates. {@linkcode created} tells which. The initial value is that of a new object
   * only.
   *
   * @param name Its name, by the rule of {@linkcode create}.
   * @param layout What is in it.
   * @param initial Its first value, as in {@linkcode create}.
   * @param options Its lifetime, and more.
   * @returns A handle, to be closed.
   * @throws {ShmError} What `create` and `open` throw, but for `ENOENT`; `EEXIST` only when the name is
   * that of another user's object which was abandoned, and which this one may not remove.
   */
  static openOrCreate<L extends Struct<Fields>>(
    name: string,
    layout: L,
    initial: Patch<L> = {} as Patch<L>,
    options: ObjectOpenOrCreateOptions = {},
  ): SharedObject<L> {
    const unnamed = { verb: "open or create", noun: "object" };
    const action = { ...unnamed, name: creatableName(unnamed, name) };
    checkLayout(action, layout);
    const creation = checkObjectCreation(action, options);
    const { trust = "owner" } = options;
    const access = checkObjectAccess(action, { ...options, trust, readonly: false });
    layout.check(initial, layout.name, true);
    const handle = openOrCreateObject(
      action,
      { ...access, expected: expected(action, layout) },
      withContents(action, layout, initial, creation),
    );
    return SharedObject.#wrap(handle, layout) as SharedObject<L>;
  }

  /**
   * Waits until an object exists, then attaches to it as {@linkcode open} does. It asks again every
   * 25 ms at most, and does not block the event loop.
   *
   * @param name Its name.
   * @param layout What must be in it.
   * @param options How to attach, and how long to wait.
   * @returns A promise of a handle; rejected with a `DOMException` named `TimeoutError` when the time
   * is over, with `signal.reason` when the signal is aborted, and with what `open` throws.
   */
  static openAsync<L extends Struct<Fields>>(
    name: string,
    layout: L,
    options: ObjectOpenOptions & AsyncWaitOptions & { readonly: true },
  ): Promise<ReadonlySharedObject<L>>;
  /** Waits until an object exists, then attaches to it for reading and writing. */
  static openAsync<L extends Struct<Fields>>(
    name: string,
    layout: L,
    options?: ObjectOpenOptions & AsyncWaitOptions & { readonly?: false },
  ): Promise<SharedObject<L>>;
  /** Waits until an object exists, then attaches to it for reading or for both. */
  static openAsync<L extends Struct<Fields>>(
    name: string,
    layout: L,
    options: ObjectOpenOptions & AsyncWaitOptions,
  ): Promise<SharedObject<L> | ReadonlySharedObject<L>>;
  static async openAsync<L extends Struct<Fields>>(
    name: string,
    layout: L,
    options: ObjectOpenOptions & AsyncWaitOptions = {},
  ): Promise<SharedObject<L> | ReadonlySharedObject<L>> {
    const action = opening(name);
    checkLayout(action, layout);
    const access = checkObjectAccess(action, options);
    const handle = await openObjectAsync(
      action,
      { ...access, expected: expected(action, layout) },
      options,
    );
    return SharedObject.#wrap(handle, layout);
  }

  /**
   * Makes an object without a name (memfd). The kernel frees it when no process has it any more,
   * whatever they die of, and nobody can ever cut it off. Hand {@linkcode fd} to a child, or tell a
   * process of the same user {@linkcode path}.
   *
   * @param layout What is in it.
   * @param initial Its first value, as in {@linkcode create}.
   * @param options A label, and more.
   * @returns A handle, to be closed.
   * @throws {TypeError} When something of the value or an option has the wrong type.
   * @throws {RangeError} When something does not fit its field.
   * @throws {ShmError} `ENOMEM` when memory is short, `EMFILE` when descriptors run out.
   *
   * @example
   * ```ts
   * import { SharedObject, t } from "@shmkit/shmkit";
   *
   * const Progress = t.struct("Progress", { done: t.atomic(t.u32), total: t.u32 });
   * using progress = SharedObject.anonymous(Progress, { total: 10 });
   *
   * // In another process, which was told the path:
   * using same = SharedObject.openFile(progress.path, Progress);
   * same.value.done.add(1);
   * console.log(progress.value.done.load(), "of", progress.value.total); // 1 of 10
   * ```
   */
  static anonymous<L extends Struct<Fields>>(
    layout: L,
    initial: Patch<L> = {} as Patch<L>,
    options: ObjectAnonymousOptions = {},
  ): SharedObject<L> {
    const action = { verb: "create", noun: "anonymous object" };
    checkLayout(action, layout);
    // It has no name that could go: whatever else the options say.
    const creation = { ...checkObjectCreation(action, options), lifetime: "persist" as const };
    layout.check(initial, layout.name, true);
    const contents = withContents(action, layout, initial, creation);
    const handle = createAnonymousObject(action, { ...contents, label: options.label });
    return SharedObject.#wrap(handle, layout) as SharedObject<L>;
  }

  /**
   * Attaches to the object that a descriptor stands for: one that a child inherits, as a rule. The
   * descriptor stays yours, and may be closed. The handle has no part in the lifetime of a name.
   *
   * @param fd A descriptor of this process.
   * @param layout What must be in it.
   * @param options How to attach.
   * @returns A handle, to be closed; with `readonly`, one that only reads.
   * @throws {ShmError} `EBADF` when there is no such descriptor, and what {@linkcode open} throws.
   */
  static fromDescriptor<L extends Struct<Fields>>(
    fd: number,
    layout: L,
    options: ObjectDescriptorOptions & { readonly: true },
  ): ReadonlySharedObject<L>;
  /** Attaches to the object that a descriptor stands for, for reading and writing. */
  static fromDescriptor<L extends Struct<Fields>>(
    fd: number,
    layout: L,
    options?: ObjectDescriptorOptions & { readonly?: false },
  ): SharedObject<L>;
  /** Attaches to the object that a descriptor stands for, for reading or for both. */
  static fromDescriptor<L extends Struct<Fields>>(
    fd: number,
    layout: L,
    options: ObjectDescriptorOptions,
  ): SharedObject<L> | ReadonlySharedObject<L>;
  static fromDescriptor<L extends Struct<Fields>>(
    fd: number,
    layout: L,
    options: ObjectDescriptorOptions = {},
  ): SharedObject<L> | ReadonlySharedObject<L> {
    const action = { verb: "open", noun: "descriptor" };
    checkLayout(action, layout);
    const handle = openObjectDescriptor(action, fd, options, expected(action, layout));
    return SharedObject.#wrap(handle, layout);
  }

  /**
   * Attaches to the object that a path leads to: that of another process's descriptor, as
   * {@linkcode path} gives it, or a copy of an object in a file. The handle has no part in the lifetime
   * of a name.
   *
   * @param path Where it is. Links are followed.
   * @param layout What must be in it.
   * @param options How to attach.
   * @returns A handle, to be closed; with `readonly`, one that only reads.
   * @throws {ShmError} `ENOENT`, `EACCES` as for any file, and what {@linkcode open} throws.
   */
  static openFile<L extends Struct<Fields>>(
    path: string,
    layout: L,
    options: ObjectDescriptorOptions & { readonly: true },
  ): ReadonlySharedObject<L>;
  /** Attaches to the object that a path leads to, for reading and writing. */
  static openFile<L extends Struct<Fields>>(
    path: string,
    layout: L,
    options?: ObjectDescriptorOptions & { readonly?: false },
  ): SharedObject<L>;
  /** Attaches to the object that a path leads to, for reading or for both. */
  static openFile<L extends Struct<Fields>>(
    path: string,
    layout: L,
    options: ObjectDescriptorOptions,
  ): SharedObject<L> | ReadonlySharedObject<L>;
  static openFile<L extends Struct<Fields>>(
    path: string,
    layout: L,
    options: ObjectDescriptorOptions = {},
  ): SharedObject<L> | ReadonlySharedObject<L> {
    const action = { verb: "open", noun: "file" };
    checkLayout(action, layout);
    const handle = openObjectFile(action, path, options, expected(action, layout));
    return SharedObject.#wrap(handle, layout);
  }

  /**
   * Reads the layout that an object carries with it: for tools, which know nothing else of it.
   *
   * @param name Its name.
   * @param options Whose objects are accepted.
   * @returns The layout, with all that `t.struct` gives: `toC()`, `read()`, ...
   * @throws {ShmError} `ERR_SHM_LAYOUT` when it has none, `ERR_SHM_UNSUPPORTED` when it has a field of
   * a kind that is not known here, and what {@linkcode open} throws.
   */
  static layoutOf(name: string, options: { trust?: Trust } = {}): Struct<Fields> {
    const action = opening(name);
    const { trust } = checkObjectAccess(action, options);
    return layoutIn(action, headerOf(action, trust));
  }

  /**
   * Tells whether there is anything under a name, whoever made it and whether or not it could be
   * opened.
   */
  static exists(name: string): boolean {
    const action = { verb: "look up", noun: "object" };
    return nameExists(action, existingName(action, name));
  }

  /**
   * Removes a name. Whoever is attached keeps the memory until it closes; a new object of that name
   * is another one.
   *
   * @returns Whether there was anything to remove.
   * @throws {ShmError} `EACCES` or `EPERM` when it belongs to another user.
   */
  static unlink(name: string): boolean {
    const action = { verb: "unlink", noun: "object" };
    return removeName(action, existingName(action, name));
  }

  /**
   * The bytes of the struct, live, and none of what the library keeps behind it. With them a part is
   * copied out or in: `Item.read(object.bytes, Box.offsetOf("items[3]"))`. The same array every time;
   * it is empty after {@linkcode close}.
   *
   * @throws {ShmError} `ERR_SHM_CLOSED`.
   */
  get bytes(): Uint8Array<ArrayBuffer> {
    this.#handle.buffer("access");
    return this.#memory.u8;
  }

  /** Copies the value out, as {@linkcode AttachedObject.snapshot} says. */
  override snapshot(into?: Infer<L>): Infer<L> {
    this.#handle.buffer("read"); // throws when it is closed
    return this.layout.load(this.#memory, 0, this.layout.name, into) as Infer<L>;
  }

  /**
   * Checks some fields, then writes them: members that are left out, at any depth, stay as they are. Peers
   * may see some of the fields before others.
   *
   * @param patch The fields.
   * @throws {TypeError} When something is unknown or of the wrong type.
   * @throws {RangeError} When something does not fit. In either case nothing has been written.
   * @throws {ShmError} `ERR_SHM_CLOSED`.
   */
  assign(patch: Patch<L>): void {
    this.#handle.buffer("assign to");
    this.layout.check(patch, this.layout.name, true);
    this.layout.store(this.#memory, 0, patch);
  }

  /**
   * Removes the object's name, if it still leads to this object and not to a later one.
   *
   * @returns Whether it was removed.
   * @throws {ShmError} `ERR_SHM_CLOSED`; `EACCES` or `EPERM` when it belongs to another user.
   */
  unlink(): boolean {
    return this.#handle.unlink();
  }

  /** Makes the object of a handle; or closes that, and removes what it has made. */
  static #wrap<L extends Struct<Fields>>(
    handle: ObjectHandle,
    layout: L,
  ): SharedObject<L> | ReadonlySharedObject<L> {
    try {
      return handle.writable
        ? new SharedObject(handle, layout)
        : new ReadonlySharedObject(handle, layout);
    } catch (error) {
      if (handle.created) handle.unlink();
      handle.close();
      throw error;
    }
  }
}

function opening(name: string): NamedAction {
  const action = { verb: "open", noun: "object" };
  return { ...action, name: existingName(action, name) };
}
