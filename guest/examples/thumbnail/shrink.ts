// Makes a picture smaller: each pixel is the mean of those it stands for, weighed by their opacity.

import { Picture } from "./picture";

/** The picture within a square of `side`, in its own proportions; itself when it fits. */
export function shrink(picture: Picture, side: i32): Picture {
  const longer = max(picture.width, picture.height);
  if (longer <= side) return picture;
  const width = max(1, <i32>((<i64>picture.width * side) / longer));
  const height = max(1, <i32>((<i64>picture.height * side) / longer));
  const small = new Picture(width, height);
  for (let y = 0; y < height; y++) {
    const top = <i32>((<i64>y * picture.height) / height);
    const bottom = <i32>((<i64>(y + 1) * picture.height) / height);
    for (let x = 0; x < width; x++) {
      const left = <i32>((<i64>x * picture.width) / width);
      const right = <i32>((<i64>(x + 1) * picture.width) / width);
      small.pixels.set(meanOf(picture, left, top, right, bottom), (y * width + x) * 4);
    }
  }
  return small;
}

const mean = new Uint8Array(4);

function meanOf(picture: Picture, left: i32, top: i32, right: i32, bottom: i32): Uint8Array {
  let red: u64 = 0;
  let green: u64 = 0;
  let blue: u64 = 0;
  let opacity: u64 = 0;
  const pixels = picture.pixels;
  for (let y = top; y < bottom; y++) {
    let at = (y * picture.width + left) * 4;
    for (let x = left; x < right; x++, at += 4) {
      const weight: u64 = pixels[at + 3];
      red += pixels[at] * weight;
      green += pixels[at + 1] * weight;
      blue += pixels[at + 2] * weight;
      opacity += weight;
    }
  }
  const weight = max<u64>(opacity, 1);
  const count: u64 = (right - left) * (bottom - top);
  mean[0] = <u8>((red + weight / 2) / weight);
  mean[1] = <u8>((green + weight / 2) / weight);
  mean[2] = <u8>((blue + weight / 2) / weight);
  mean[3] = <u8>((opacity + count / 2) / count);
  return mean;
}
