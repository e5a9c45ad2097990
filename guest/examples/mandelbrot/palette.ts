// 256 colours as red, green and blue bytes: black, then a loop from deep blue over white and amber.

const STOPS: StaticArray<u8> = [0, 7, 100, 32, 107, 203, 237, 255, 255, 255, 170, 0, 60, 16, 40, 0, 7, 100];

/** The palette of a picture; colour 0 is the set itself. */
export function palette(): Uint8Array {
  const colors = new Uint8Array(256 * 3);
  const spans = STOPS.length / 3 - 1;
  for (let i = 1; i < 256; i++) {
    const place = (<f64>(i - 1) * spans) / 255;
    const span = <i32>place;
    for (let part = 0; part < 3; part++) {
      const from = <f64>STOPS[span * 3 + part];
      const to = <f64>STOPS[span * 3 + 3 + part];
      colors[i * 3 + part] = <u8>(from + (to - from) * (place - span));
    }
  }
  return colors;
}
