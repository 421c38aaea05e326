/**
 * Tables with aligned columns.
 *
 * @module
 */

import { displayWidth } from "./escape.ts";
import { paint, type Style } from "./output.ts";

/** A column. */
export interface Column<Row> {
  readonly title: string;
  readonly align?: "left" | "right";
  /** What stands in it: nothing that a terminal would obey. */
  readonly cell: (row: Row) => string;
  readonly style?: (row: Row) => Style | undefined;
}

/** Lays out rows under titles, in lines without trailing blanks. */
export function layOut<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string[] {
  const cells = rows.map((row) => columns.map(({ cell }) => cell(row)));
  const widths = columns.map(({ title }, index) =>
    Math.max(title.length, ...cells.map((line) => displayWidth(line[index] as string)))
  );
  const line = (texts: readonly string[], styleOf: (index: number) => Style | undefined) =>
    texts.map((text, index) => {
      const style = text === "" ? undefined : styleOf(index);
      const painted = style === undefined ? text : paint(style, text);
      const blanks = " ".repeat((widths[index] as number) - displayWidth(text));
      if (columns[index]?.align === "right") return blanks + painted;
      return index === columns.length - 1 ? painted : painted + blanks;
    }).join("  ").trimEnd();
  return [
    line(columns.map(({ title }) => title), () => "bold"),
    ...rows.map((row, at) => line(cells[at] as string[], (index) => columns[index]?.style?.(row))),
  ];
}

/** Lays out pairs: names in one column, values in the next. */
export function layOutPairs(pairs: readonly (readonly [name: string, value: string])[]): string[] {
  const width = Math.max(...pairs.map(([name]) => name.length));
  return pairs.map(([name, value]) =>
    `${paint("dim", name)}${" ".repeat(width - name.length)}  ${value}`
  );
}
