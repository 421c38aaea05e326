/**
 * Text as the kernel has it: bytes, which are UTF-8 as a rule and anything by right.
 *
 * Names of files, of programs and of memory may hold any byte but NUL. They become strings in a way
 * that can be undone, as in Python (`surrogateescape`, PEP 383): what is no UTF-8 becomes, byte by
 * byte, a lone surrogate from U+DC80 to U+DCFF, which no UTF-8 gives.
 *
 * @module
 */

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** What is added to a byte that is no UTF-8. */
const ESCAPE = 0xdc00;
/** A string that stands for no bytes has one of these: a surrogate alone, and not of a byte. */
const UNENCODABLE = /[\ud800-\udc7f\udd00-\udfff]/u;

/** Whether a string stands for bytes: {@linkcode encodeText} gives them. */
export function isEncodable(text: string): boolean {
  return text.isWellFormed() || !UNENCODABLE.test(text);
}

/** The bytes of a string for which {@linkcode isEncodable} holds. */
export function encodeText(text: string): Uint8Array<ArrayBuffer> {
  if (text.isWellFormed()) return encoder.encode(text);
  const bytes: number[] = [];
  for (const character of text) {
    const code = character.codePointAt(0) as number;
    if (code >= ESCAPE && code <= 0xdfff) bytes.push(code - ESCAPE);
    else bytes.push(...encoder.encode(character));
  }
  return Uint8Array.from(bytes);
}

/** The string of any bytes. */
export function decodeText(bytes: Uint8Array): string {
  return decodeStrictly(bytes) ?? decodeLineByLine(bytes);
}

function decodeStrictly(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined;
  }
}

/** One bad name must not make a long table slow: only its line is gone through byte by byte. */
function decodeLineByLine(bytes: Uint8Array): string {
  const lines: string[] = [];
  for (let start = 0; start <= bytes.length;) {
    const newline = bytes.indexOf(0x0a, start);
    const end = newline < 0 ? bytes.length : newline;
    const line = bytes.subarray(start, end);
    lines.push(decodeStrictly(line) ?? decodeBytes(line));
    start = end + 1;
  }
  return lines.join("\n");
}

function decodeBytes(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length;) {
    const byte = bytes[at] as number;
    const length = byte < 0x80 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
    const character = decodeStrictly(bytes.subarray(at, at + length));
    text += character ?? String.fromCharCode(ESCAPE + byte);
    at += character === undefined ? 1 : length;
  }
  return text;
}
