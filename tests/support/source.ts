/**
 * The library's own source, parsed.
 *
 * @module
 */

import { readdirSync, readFileSync } from "node:fs";
import { posix } from "node:path";
import ts from "typescript";

const ROOT = new URL("../../", import.meta.url);

/** A file of the source tree. */
export interface Source {
  /** Relative to the root of the project, as in `ffi/mod.ts`. */
  readonly path: string;
  readonly text: string;
  readonly tree: ts.SourceFile;
}

/** Parses a file, or a text that stands for one. */
export function parse(path: string, text: string): Source {
  return { path, text, tree: ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true) };
}

/** Reads and parses the TypeScript files under the given files and folders; missing ones are none. */
export function sourcesOf(...roots: string[]): Source[] {
  return roots.flatMap(filesOf).map((path) => parse(path, readSource(path)));
}

/** Reads a file of the project. */
export function readSource(path: string): string {
  return readFileSync(new URL(path, ROOT), "utf8");
}

/** The names at the root of the project. */
export function rootNames(): string[] {
  return readdirSync(ROOT);
}

/** A node and everything in it, unless it is refused: then nothing of it. */
export function* nodesOf(
  node: ts.Node,
  enters: (node: ts.Node) => boolean = () => true,
): Generator<ts.Node> {
  if (!enters(node)) return;
  yield node;
  const children: ts.Node[] = [];
  node.forEachChild((child) => void children.push(child));
  for (const child of children) yield* nodesOf(child, enters);
}

/** One import or re-export of a file. */
export interface Import {
  readonly specifier: string;
  /** The path of the imported file; undefined for what is not in this project. */
  readonly target: string | undefined;
  /** Whether nothing of it is left at run time. */
  readonly typeOnly: boolean;
  /** The names in braces. */
  readonly names: readonly string[];
}

/** Every import and re-export of a file, static or not. */
export function importsOf({ path, tree }: Source): Import[] {
  const imports: Import[] = [];
  const add = (specifier: ts.Node | undefined, typeOnly: boolean, names: string[] = []) => {
    const text = specifier !== undefined && ts.isStringLiteral(specifier)
      ? specifier.text
      : specifier?.getText() ?? "";
    const isRelative = /^\.\.?\//.test(text);
    const target = isRelative ? posix.join(posix.dirname(path), text) : undefined;
    imports.push({ specifier: text, target, typeOnly, names });
  };
  for (const node of nodesOf(tree)) {
    if (ts.isImportDeclaration(node)) {
      const bindings = node.importClause?.namedBindings;
      const elements = bindings !== undefined && ts.isNamedImports(bindings)
        ? bindings.elements
        : undefined;
      const typeOnly = node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword;
      add(node.moduleSpecifier, typeOnly || areTypes(elements), elements?.map(nameOf));
    } else if (ts.isExportDeclaration(node) && node.moduleSpecifier !== undefined) {
      const elements = node.exportClause !== undefined && ts.isNamedExports(node.exportClause)
        ? node.exportClause.elements
        : undefined;
      add(node.moduleSpecifier, node.isTypeOnly || areTypes(elements), elements?.map(nameOf));
    } else if (ts.isImportTypeNode(node)) {
      add(ts.isLiteralTypeNode(node.argument) ? node.argument.literal : node, true);
    } else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      add(node.arguments[0], false);
    } else if (ts.isImportEqualsDeclaration(node)) {
      add(node.moduleReference, false);
    }
  }
  return imports;
}

type Specifier = ts.ImportSpecifier | ts.ExportSpecifier;

const nameOf = ({ propertyName, name }: Specifier): string => (propertyName ?? name).text;

const areTypes = (elements: readonly Specifier[] | undefined): boolean =>
  elements !== undefined && elements.length > 0 && elements.every(({ isTypeOnly }) => isTypeOnly);

function filesOf(root: string): string[] {
  if (root.endsWith(".ts")) return rootNames().includes(root) ? [root] : [];
  if (!rootNames().includes(root.split("/")[0] as string)) return [];
  return readdirSync(new URL(`${root}/`, ROOT), { recursive: true })
    .map((name) => `${root}/${name}`)
    .filter((path) => path.endsWith(".ts"))
    .sort();
}
