/**
 * Layouts as JSON: what an object carries with it, so that others can read it without the source.
 *
 * @module
 */

/** A type: the name of a kind, or an object that says more. */
export type Description = string | { readonly kind: string; readonly [more: string]: unknown };

/** A struct as JSON. */
export interface StructDescription {
  /** The name of the kind. */
  readonly kind: "struct";
  /** As other languages call it. */
  readonly name: string;
  /** In bytes. */
  readonly size: number;
  /** In bytes. */
  readonly alignment: number;
  /** In the order of memory, with the offset from the start of the struct in bytes. */
  readonly fields: readonly {
    readonly name: string;
    readonly offset: number;
    readonly type: Description;
  }[];
  /** Nothing more; this makes it a {@linkcode Description}. */
  readonly [more: string]: unknown;
}
