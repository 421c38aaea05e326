/**
 * A camera that moves over a picture: no two frames are the same, and everybody can tell what a
 * frame has to look like by its number.
 *
 * @module
 */

import type { Picture } from "./png.ts";

/** Draws a frame. */
export function drawFrame(frame: Picture, picture: Picture, number: number): void {
  const { width, height, pixels } = frame;
  const zoom = 1.6 + 0.6 * Math.sin(number / 97);
  // How many pixels of the picture a pixel of the frame takes, so that the frame is always full.
  const step = Math.min(picture.width / width, picture.height / height) / zoom;
  const left = (picture.width - width * step) * (0.5 + 0.5 * Math.sin(number / 61));
  const top = (picture.height - height * step) * (0.5 + 0.5 * Math.cos(number / 43));

  const columns = Int32Array.from({ length: width }, (_, column) => left + column * step);
  for (let row = 0, to = 0; row < height; row++) {
    const from = Math.trunc(top + row * step) * picture.width;
    for (let column = 0; column < width; column++) {
      pixels[to++] = picture.pixels[from + (columns[column] as number)] as number;
    }
  }
}
