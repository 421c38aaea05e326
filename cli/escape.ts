/**
 * Showing what others have named, without letting it do anything to the terminal.
 *
 * A name in shared memory is any bytes but NUL and `/`: it may hold escape sequences, line ends,
 * characters that turn the direction of text, and bytes that are no text at all. They are printed in
 * the notation of C, and arguments are read in the same notation, so that what one verb prints
 * another takes, in single quotes:
 *
 *     \n \t \\     as in C
 *     \x1b \xff    a byte
 *     \u202e       a character that cannot be seen, or that moves others
 *
 * @module
 */

import { decodeText, encodeText } from "../ffi/mod.ts";

/**
 * What is not shown as it is: controls, formats (bidirectional ones among them), what is invisible,
 * what is not assigned, private or half a pair, and every space but the usual one.
 */
const UNSAFE =
  /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]/gu;

/** The same, and what means something in the notation or within quotes. A space may not be last. */
const UNSAFE_IN_NAME = new RegExp(String.raw`[\\']|^ | $|${UNSAFE.source}`, "gu");

/** The same, and what means something in double quotes. */
const UNSAFE_IN_QUOTES = new RegExp(String.raw`[\\"]|${UNSAFE.source}`, "gu");

const SHORT: Readonly<Record<string, string>> = {
  "\t": "\\t",
  "\n": "\\n",
  "\r": "\\r",
  "\\": "\\\\",
};
const LONG: Readonly<Record<string, string>> = { t: "\t", n: "\n", r: "\r", "\\": "\\" };

/**
 * The bytes of a name that are no UTF-8 are characters from U+DC80 to U+DCFF, as in Python's
 * `surrogateescape`.
 */
const BYTE_OFFSET = 0xdc00;

const hex = (value: number, digits: number) => value.toString(16).padStart(digits, "0");

function escapeCharacter(character: string): string {
  const short = SHORT[character];
  if (short !== undefined) return short;
  const code = character.codePointAt(0) as number;
  if (code < 0x80) return `\\x${hex(code, 2)}`;
  if (code >= 0xdc80 && code <= 0xdcff) return `\\x${hex(code - BYTE_OFFSET, 2)}`;
  return code > 0xffff ? `\\U${hex(code, 8)}` : `\\u${hex(code, 4)}`;
}

/** A name or command of somebody else, as it may be printed and as arguments are written. */
export function escapeName(name: string): string {
  return name.replace(UNSAFE_IN_NAME, escapeCharacter);
}

/** A text of somebody else, in double quotes. */
export function quoteText(text: string): string {
  return `"${text.replace(UNSAFE_IN_QUOTES, escapeInQuotes)}"`;
}

const escapeInQuotes = (character: string) =>
  character === '"' ? '\\"' : escapeCharacter(character);

/** A text of ours in which somebody else's may stand: line ends and backslashes stay. */
export function escapeText(text: string): string {
  return text.replace(
    UNSAFE,
    (character) => character === "\n" ? character : escapeCharacter(character),
  );
}

/** A value as JSON: in no string of it stands anything that a terminal would obey. */
export function toJson(value: unknown, space?: number): string {
  const text = JSON.stringify(value, undefined, space);
  return text.replace(
    UNSAFE,
    (character) =>
      character === "\n" ? character : Array.from(
        { length: character.length },
        (_, index) => `\\u${hex(character.charCodeAt(index), 4)}`,
      ).join(""),
  );
}

/**
 * The name that an argument stands for.
 *
 * @returns It, or undefined when it holds a backslash that means nothing.
 */
export function unescapeName(text: string): string | undefined {
  const parts = /\\(?:([tnr\\])|x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.?))/gsu;
  let valid = true;
  const name = text.replace(parts, (_, letter, byte, short, long) => {
    if (letter !== undefined) return LONG[letter] as string;
    if (byte !== undefined) {
      const value = Number.parseInt(byte, 16);
      return String.fromCharCode(value < 0x80 ? value : BYTE_OFFSET + value);
    }
    const code = Number.parseInt(short ?? long ?? "", 16);
    valid &&= code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff);
    return valid ? String.fromCodePoint(code) : "";
  });
  // Bytes that are UTF-8 together become the character: `\xc3\xa9` is `é`.
  return valid ? decodeText(encodeText(name)) : undefined;
}

const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u;

/** How many columns of a terminal an escaped text takes. */
export function displayWidth(text: string): number {
  if (/^[\x20-\x7e]*$/.test(text)) return text.length;
  let width = 0;
  for (const character of text) {
    if (!/\p{Mn}|\p{Me}/u.test(character)) width += WIDE.test(character) ? 2 : 1;
  }
  return width;
}
