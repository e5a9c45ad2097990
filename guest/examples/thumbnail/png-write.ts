// Writes a PNG of four bytes a pixel (PNG specification, third edition), with the compressor of the
// example mandelbrot.

import { Bytes } from "../mandelbrot/bytes";
import { deflate } from "../mandelbrot/deflate";
import { pushChunk } from "../mandelbrot/png";
import { Picture } from "./picture";

export function writePng(picture: Picture): Uint8Array {
  const png = new Bytes(picture.pixels.length + 2048);
  png.pushU32(0x89504e47);
  png.pushU32(0x0d0a1a0a);
  const header = new Bytes(13);
  header.pushU32(picture.width);
  header.pushU32(picture.height);
  header.push(8); // bits a channel
  header.push(6); // red, green, blue and opacity
  header.push(0); // deflate
  header.push(0); // the standard filters
  header.push(0); // not interlaced
  pushChunk(png, "IHDR", header.toArray());
  pushChunk(png, "IDAT", deflate(filtered(picture)));
  pushChunk(png, "IEND", new Uint8Array(0));
  return png.toArray();
}

/** Each row as differences from the one above (section 9.2, filter 2): even areas become zeros. */
function filtered(picture: Picture): Uint8Array {
  const bytes = picture.width * 4;
  const rows = new Uint8Array((bytes + 1) * picture.height);
  for (let y = 0; y < picture.height; y++) {
    const to = y * (bytes + 1);
    rows[to] = 2;
    for (let i = 0; i < bytes; i++) {
      const at = y * bytes + i;
      rows[to + 1 + i] = picture.pixels[at] - (y > 0 ? picture.pixels[at - bytes] : 0);
    }
  }
  return rows;
}
