// A QR code as SVG: one path, in which each run of dark modules in a row is a rectangle.

import { Matrix } from "./matrix";

// The standard wants four modules of light around the code.
const MARGIN = 4;

export function toSvg(code: Matrix): string {
  const shapes: string[] = [];
  for (let y = 0; y < code.size; y++) {
    let x = 0;
    while (x < code.size) {
      const start = x;
      while (x < code.size && code.isDark(x, y)) x++;
      const width = x - start;
      if (width > 0) {
        shapes.push("M" + (start + MARGIN).toString() + "," + (y + MARGIN).toString());
        shapes.push("h" + width.toString() + "v1h-" + width.toString() + "z");
      }
      x++;
    }
  }
  const side = (code.size + 2 * MARGIN).toString();
  return (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ' +
    side +
    " " +
    side +
    '" shape-rendering="crispEdges">' +
    '<path fill="#fff" d="M0,0h' +
    side +
    "v" +
    side +
    "h-" +
    side +
    'z"/>' +
    '<path fill="#000" d="' +
    shapes.join("") +
    '"/></svg>\n'
  );
}
