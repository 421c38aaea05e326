/**
 * Bytes as text: in hexadecimal with ASCII, as `hexdump -C` has them, or as numbers.
 *
 * @module
 */

/** A type of number, in the byte order of the machine (little-endian). */
export interface NumberType {
  readonly byteLength: number;
  /** How many columns the longest one takes. */
  readonly width: number;
  /** How many stand in a line. */
  readonly perLine: number;
  /** Rounds to the nearest number of the type, where that has less digits than the language's. */
  readonly round?: (value: number) => number;
  read(view: DataView, byteOffset: number): number | bigint;
}

/** Half precision: not in every compiler's library yet, but in every runtime's. */
const half = {
  read: (view: DataView, at: number) =>
    (view as DataView & { getFloat16(at: number, little: boolean): number }).getFloat16(at, true),
  round: (value: number) => (Math as Math & { f16round(value: number): number }).f16round(value),
};

/** The types by name: `u8`, ..., `f64`. */
export const NUMBER_TYPES: Readonly<Record<string, NumberType>> = {
  u8: { byteLength: 1, width: 3, perLine: 16, read: (view, at) => view.getUint8(at) },
  i8: { byteLength: 1, width: 4, perLine: 16, read: (view, at) => view.getInt8(at) },
  u16: { byteLength: 2, width: 5, perLine: 8, read: (view, at) => view.getUint16(at, true) },
  i16: { byteLength: 2, width: 6, perLine: 8, read: (view, at) => view.getInt16(at, true) },
  u32: { byteLength: 4, width: 10, perLine: 4, read: (view, at) => view.getUint32(at, true) },
  i32: { byteLength: 4, width: 11, perLine: 4, read: (view, at) => view.getInt32(at, true) },
  u64: { byteLength: 8, width: 20, perLine: 2, read: (view, at) => view.getBigUint64(at, true) },
  i64: { byteLength: 8, width: 20, perLine: 2, read: (view, at) => view.getBigInt64(at, true) },
  f16: { byteLength: 2, width: 13, perLine: 8, ...half },
  f32: {
    byteLength: 4,
    width: 14,
    perLine: 4,
    round: Math.fround,
    read: (view, at) => view.getFloat32(at, true),
  },
  f64: { byteLength: 8, width: 24, perLine: 2, read: (view, at) => view.getFloat64(at, true) },
};

/** How bytes are shown. */
export interface Format {
  /** Bytes in hexadecimal when it is undefined. */
  readonly type: NumberType | undefined;
  /** The bytes of a line. */
  readonly lineByteLength: number;
}

/** Makes a format of the name of a type (`undefined`: hexadecimal) and the elements of a line. */
export function formatOf(typeName: string | undefined, columns: number | undefined): Format {
  const type = typeName === undefined ? undefined : NUMBER_TYPES[typeName] as NumberType;
  return { type, lineByteLength: (columns ?? type?.perLine ?? 16) * (type?.byteLength ?? 1) };
}

/** The digits that tell every `float` from every other. */
const MAX_FLOAT_DIGITS = 9;

/** A number as text. A `float` has as many digits as tell it from the next one. */
export function formatNumber(value: number | bigint, { round }: NumberType): string {
  if (round === undefined || !Number.isFinite(value) || value === 0) {
    return Object.is(value, -0) ? "-0" : String(value);
  }
  for (let digits = 1;; digits++) {
    const number = Number((value as number).toPrecision(digits));
    if (digits === MAX_FLOAT_DIGITS || round(number) === value) return String(number);
  }
}

/** A number as JSON has it: what it cannot hold exactly is a string. */
export function numberToJson(value: number | bigint, type: NumberType): number | string {
  if (typeof value === "bigint") return String(value);
  return Number.isFinite(value) && !Object.is(value, -0)
    ? Number(formatNumber(value, type))
    : formatNumber(value, type);
}

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

/** Bytes in hexadecimal, without anything in between. */
export function toHex(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += HEX[byte];
  return text;
}

/** Bytes of hexadecimal digits, blanks between pairs allowed; undefined for anything else. */
export function fromHex(text: string): Uint8Array<ArrayBuffer> | undefined {
  const digits = text.replace(/^0x/i, "").replace(/\s+/g, "");
  if (digits.length % 2 !== 0 || /[^0-9a-f]/i.test(digits)) return undefined;
  return Uint8Array.from(digits.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

/** An offset as lines start with it. */
export function formatOffset(byteOffset: number): string {
  return byteOffset.toString(16).padStart(8, "0");
}

/** The printable characters of ASCII; a dot for every other byte. */
export function toAscii(byte: number): string {
  return byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : ".";
}

/**
 * A line: the offset, the elements, and in hexadecimal the ASCII characters too.
 *
 * @param mark Makes the elements stand out that hold a byte of which it says so.
 */
export function formatLine(
  bytes: Uint8Array,
  byteOffset: number,
  { type, lineByteLength }: Format,
  mark?: { is(index: number): boolean; paint(text: string): string },
): string {
  const paint = (text: string, first: number, length: number) => {
    if (mark === undefined) return text;
    for (let index = first; index < first + length; index++) {
      if (mark.is(index)) return mark.paint(text);
    }
    return text;
  };
  let text = formatOffset(byteOffset);
  if (type === undefined) {
    let ascii = "";
    for (let index = 0; index < lineByteLength; index++) {
      text += index % 8 === 0 ? "  " : " ";
      const byte = bytes[index];
      text += byte === undefined ? "  " : paint(HEX[byte] as string, index, 1);
      if (byte !== undefined) ascii += paint(toAscii(byte), index, 1);
    }
    return `${text}  |${ascii}|`;
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  for (; at + type.byteLength <= bytes.length; at += type.byteLength) {
    const number = formatNumber(type.read(view, at), type);
    const blanks = " ".repeat(Math.max(0, type.width - number.length));
    text += `  ${blanks}${paint(number, at, type.byteLength)}`;
  }
  // What is left is less than one element.
  if (at < bytes.length) text += `  bytes ${toHex(bytes.subarray(at)).replace(/..(?=.)/g, "$& ")}`;
  return text;
}

/** Makes lines of bytes that come in pieces, with `*` in place of lines that repeat the last one. */
export class LineFormatter {
  readonly #format: Format;
  readonly #squeeze: boolean;
  #byteOffset: number;
  #rest: Uint8Array = new Uint8Array(0);
  #last: Uint8Array | undefined;
  #squeezed = false;

  constructor(format: Format, byteOffset: number, squeeze: boolean) {
    this.#format = format;
    this.#byteOffset = byteOffset;
    this.#squeeze = squeeze;
  }

  /** The lines that are complete with these bytes. */
  push(piece: Uint8Array): string[] {
    const { lineByteLength } = this.#format;
    let bytes = piece;
    if (this.#rest.length > 0) {
      bytes = new Uint8Array(this.#rest.length + piece.length);
      bytes.set(this.#rest);
      bytes.set(piece, this.#rest.length);
    }
    const lines: string[] = [];
    let at = 0;
    for (; at + lineByteLength <= bytes.length; at += lineByteLength) {
      const line = bytes.subarray(at, at + lineByteLength);
      if (this.#squeeze && this.#last !== undefined && equal(line, this.#last)) {
        if (!this.#squeezed) lines.push("*");
        this.#squeezed = true;
      } else {
        lines.push(formatLine(line, this.#byteOffset, this.#format));
        this.#squeezed = false;
        this.#last = line.slice();
      }
      this.#byteOffset += lineByteLength;
    }
    this.#rest = bytes.slice(at);
    return lines;
  }

  /** The last lines: an incomplete one, and the offset behind the last byte. */
  end(): string[] {
    const lines: string[] = [];
    if (this.#rest.length > 0) lines.push(formatLine(this.#rest, this.#byteOffset, this.#format));
    lines.push(formatOffset(this.#byteOffset + this.#rest.length));
    return lines;
  }
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  for (let index = 0; index < a.length; index++) {
    if (a[index] !== b[index]) return false;
  }
  return a.length === b.length;
}
