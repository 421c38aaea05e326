/**
 * Pictures in PNG files, as far as this example needs it: 8 bits each of red, green and blue.
 *
 * @see {@link https://www.w3.org/TR/png-3/ | PNG Specification}
 *
 * @module
 */

import { crc32, deflateSync, inflateSync } from "node:zlib";

/** A picture in memory. Each pixel is a 32-bit number: red, green, blue and 255, from low to high. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly pixels: Uint32Array;
}

const SIGNATURE = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);
const CHANNELS = 3;

/** Reads a picture. */
export function decodePng(file: Uint8Array): Picture {
  const data = new DataView(file.buffer, file.byteOffset, file.byteLength);
  let [width, height] = [0, 0];
  const compressed: Uint8Array[] = [];
  for (let position = SIGNATURE.length; position < file.length;) {
    const byteLength = data.getUint32(position);
    const type = String.fromCharCode(...file.subarray(position + 4, position + 8));
    const start = position + 8;
    if (type === "IHDR") {
      [width, height] = [data.getUint32(start), data.getUint32(start + 4)];
      // 8 bits, RGB, the only methods of compression and filtering, not interlaced
      if (file.subarray(start + 8, start + 13).join() !== "8,2,0,0,0") {
        throw new Error("only PNG with 8 bits of red, green and blue, not interlaced, can be read");
      }
    } else if (type === "IDAT") {
      compressed.push(file.subarray(start, start + byteLength));
    }
    position = start + byteLength + 4; // behind its CRC
  }
  const rows = unfilter(inflateSync(concatenate(compressed)), width * CHANNELS, height);
  const pixels = new Uint32Array(width * height);
  for (let pixel = 0; pixel < pixels.length; pixel++) {
    const at = pixel * CHANNELS;
    const [red, green, blue] = [rows[at], rows[at + 1], rows[at + 2]] as [number, number, number];
    pixels[pixel] = (0xff << 24) | (blue << 16) | (green << 8) | red;
  }
  return { width, height, pixels };
}

/** Undoes the prediction of each byte from its neighbours: left, above, and above left. */
function unfilter(filtered: Uint8Array, rowByteLength: number, height: number): Uint8Array {
  const rows = new Uint8Array(rowByteLength * height);
  let from = 0;
  for (let row = 0; row < height; row++) {
    const filter = filtered[from++];
    const start = row * rowByteLength;
    for (let column = 0; column < rowByteLength; column++) {
      const at = start + column;
      const isFirst = column < CHANNELS;
      const left = isFirst ? 0 : rows[at - CHANNELS] as number;
      const above = row === 0 ? 0 : rows[at - rowByteLength] as number;
      const corner = isFirst || row === 0 ? 0 : rows[at - rowByteLength - CHANNELS] as number;
      const prediction = [0, left, above, (left + above) >> 1, paeth(left, above, corner)];
      rows[at] = (filtered[from++] as number) + (prediction[filter as number] as number);
    }
  }
  return rows;
}

function paeth(left: number, above: number, corner: number): number {
  const estimate = left + above - corner;
  const toLeft = Math.abs(estimate - left);
  const toAbove = Math.abs(estimate - above);
  const toCorner = Math.abs(estimate - corner);
  if (toLeft <= toAbove && toLeft <= toCorner) return left;
  return toAbove <= toCorner ? above : corner;
}

/** Makes a file of a picture. */
export function encodePng({ width, height, pixels }: Picture): Uint8Array {
  const header = new Uint8Array(13);
  const data = new DataView(header.buffer);
  data.setUint32(0, width);
  data.setUint32(4, height);
  header.set([8, 2, 0, 0, 0], 8);

  const rows = new Uint8Array((1 + width * CHANNELS) * height);
  let to = 0;
  for (let row = 0; row < height; row++) {
    rows[to++] = 1; // each byte is predicted to be as the one of the pixel to its left
    let left = 0;
    for (let column = 0; column < width; column++) {
      const pixel = pixels[row * width + column] as number;
      for (let shift = 0; shift < 24; shift += 8) rows[to++] = (pixel >> shift) - (left >> shift);
      left = pixel;
    }
  }
  const none = new Uint8Array();
  return concatenate([
    SIGNATURE,
    chunk("IHDR", header),
    chunk("IDAT", deflateSync(rows)),
    chunk("IEND", none),
  ]);
}

function chunk(type: string, content: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(12 + content.length);
  const data = new DataView(bytes.buffer);
  data.setUint32(0, content.length);
  bytes.set(new TextEncoder().encode(type), 4);
  bytes.set(content, 8);
  data.setUint32(8 + content.length, crc32(bytes.subarray(4, 8 + content.length)));
  return bytes;
}

function concatenate(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let position = 0;
  for (const part of parts) {
    bytes.set(part, position);
    position += part.length;
  }
  return bytes;
}
