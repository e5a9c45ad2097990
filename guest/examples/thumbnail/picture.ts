// A picture: four bytes a pixel, red, green, blue and opacity, row by row.

export class Picture {
  width: i32;
  height: i32;
  pixels: Uint8Array;

  constructor(width: i32, height: i32) {
    this.width = width;
    this.height = height;
    this.pixels = new Uint8Array(width * height * 4);
  }
}
