/**
 * The C functions that `ffi/libc/` declares, each with the C prototype in the comment above it.
 *
 * @module
 */

import ts from "typescript";
import { nodesOf, type Source } from "./source.ts";

/** A declaration, and the prototype beside it. */
export interface Declaration {
  readonly name: string;
  /** What is declared to the runtime: the result, then the parameters. */
  readonly signature: readonly string[];
  /** The comment above, without a note behind it: `int close(int fd);`. */
  readonly prototype: string;
  /** Whether the comment says `(variadic in C)`. */
  readonly variadic: boolean;
  /** Whether it says `(variadic in C, 32 bits do)`: for each 64-bit integer. */
  readonly narrow: boolean;
}

/** The C types that occur in prototypes, as the seam has them. Pointers are all `address`. */
export const SEAM_TYPES: Readonly<Record<string, string>> = {
  int: "i32",
  clockid_t: "i32",
  key_t: "i32",
  pid_t: "i32",
  "unsigned int": "u32",
  gid_t: "u32",
  mode_t: "u32",
  uid_t: "u32",
  long: "i64",
  off_t: "i64",
  size_t: "i64",
  ssize_t: "i64",
};

/** Finds the declarations of a file: entries such as `close: ["i32", "i32"]`. */
export function declarationsOf(source: Source): Declaration[] {
  const signatures = new Map<string, readonly string[]>();
  const found: Declaration[] = [];
  for (const node of nodesOf(source.tree)) {
    if (ts.isVariableDeclaration(node) && node.initializer !== undefined) {
      const signature = signatureOf(node.initializer, signatures);
      if (signature !== undefined) signatures.set(node.name.getText(), signature);
    }
    if (!ts.isPropertyAssignment(node)) continue;
    const signature = signatureOf(node.initializer, signatures);
    if (signature === undefined) continue;
    const comment = commentAbove(source, node);
    found.push({
      name: node.name.getText(),
      signature,
      prototype: comment.replace(/;.*$/, ";"),
      variadic: /;\s*\(variadic in C(, 32 bits do)?\)$/.test(comment),
      narrow: comment.endsWith(", 32 bits do)"),
    });
  }
  return found;
}

/** Why a declaration disagrees with the prototype beside it; undefined when it agrees. */
export function disagreement(declaration: Declaration): string | undefined {
  const { name, signature, prototype, narrow } = declaration;
  const parsed = /^(.+?)\b(\w+)\((.*)\);$/.exec(prototype);
  if (parsed === null) return `${name}: no C prototype above it, but ${JSON.stringify(prototype)}`;
  const [, result, prototypeName, parameters] = parsed as unknown as [
    string,
    string,
    string,
    string,
  ];
  if (prototypeName !== name) return `${name}: the prototype is of ${prototypeName}`;
  const types = parameters === "void"
    ? []
    : parameters.split(",").map((parameter) => parameter.replace(/\w+\s*$/, ""));
  const wanted = [result, ...types].map((type, index) => {
    const seam = seamType(type.trim());
    return narrow && seam === "i64" ? index === 0 ? "i32" : "u32" : seam;
  });
  if (wanted.join() === signature.join()) return undefined;
  return `${name}: declared as [${signature.join(", ")}], in C it is [${wanted.join(", ")}]`;
}

function seamType(type: string): string {
  if (type.endsWith("*")) return "address";
  return SEAM_TYPES[type] ?? `unknown type ${JSON.stringify(type)}`;
}

/** An array of string literals, as it is or by the name of a constant. */
function signatureOf(
  node: ts.Expression,
  known: ReadonlyMap<string, readonly string[]>,
): readonly string[] | undefined {
  if (ts.isAsExpression(node)) return signatureOf(node.expression, known);
  if (ts.isIdentifier(node)) return known.get(node.text);
  if (!ts.isArrayLiteralExpression(node) || node.elements.length === 0) return undefined;
  const elements = node.elements.filter(ts.isStringLiteral).map(({ text }) => text);
  return elements.length === node.elements.length ? elements : undefined;
}

/** The lines of comment directly above a node, as one. */
function commentAbove({ text }: Source, node: ts.Node): string {
  const ranges = ts.getLeadingCommentRanges(text, node.getFullStart()) ?? [];
  return ranges
    .map(({ pos, end }) => text.slice(pos, end).replace(/^\/\/\s*/, "").trim())
    .join(" ");
}
