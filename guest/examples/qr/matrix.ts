// The modules of a QR code: dark or light, and whether a module belongs to a pattern, which data
// and masks must leave alone.

const DARK: u8 = 1;
const PATTERN: u8 = 2;

export class Matrix {
  size: i32;
  private modules: Uint8Array;

  constructor(size: i32) {
    this.size = size;
    this.modules = new Uint8Array(size * size);
  }

  copy(): Matrix {
    const copied = new Matrix(this.size);
    copied.modules = this.modules.slice();
    return copied;
  }

  isDark(x: i32, y: i32): bool {
    return (this.modules[y * this.size + x] & DARK) !== 0;
  }

  isPattern(x: i32, y: i32): bool {
    return (this.modules[y * this.size + x] & PATTERN) !== 0;
  }

  /** Sets a module of the data. */
  setData(x: i32, y: i32, dark: bool): void {
    this.modules[y * this.size + x] = dark ? DARK : 0;
  }

  /** Sets a module of a pattern; outside the code nothing happens. */
  setPattern(x: i32, y: i32, dark: bool): void {
    if (x < 0 || y < 0 || x >= this.size || y >= this.size) return;
    this.modules[y * this.size + x] = dark ? DARK | PATTERN : PATTERN;
  }

  invert(x: i32, y: i32): void {
    this.modules[y * this.size + x] ^= DARK;
  }
}
