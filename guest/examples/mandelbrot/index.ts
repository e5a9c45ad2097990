// Draws the Mandelbrot set as a PNG that a browser shows.
//
//   curl -o mandelbrot.png "http://127.0.0.1:4747/fn/mandelbrot"
//   curl -o seahorses.png "http://127.0.0.1:4747/fn/mandelbrot?x=-0.7463&y=0.1102&zoom=200"
//
// `width` and `height` are in pixels, `x` and `y` the middle, `zoom` the enlargement, `iterations`
// the effort for each pixel. A parameter that makes no sense is answered with 400.

import { Request, Response } from "mayfly";
import { drawMandelbrot, View } from "./fractal";
import { palette } from "./palette";
import { encodePng } from "./png";

// Keeps one call well below the default CPU limit of a second.
const WORK_MAX: f64 = 150_000_000;

export function handle(req: Request): Response {
  const view = new View();
  const parameters: Parameter[] = [
    new Parameter("width", 1, 2048, view.width, true),
    new Parameter("height", 1, 2048, view.height, true),
    new Parameter("x", -4, 4, view.x, false),
    new Parameter("y", -4, 4, view.y, false),
    new Parameter("zoom", 0.1, 1e13, view.zoom, false),
    new Parameter("iterations", 1, 5000, view.iterations, true),
  ];
  for (let i = 0; i < parameters.length; i++) {
    const fault = parameters[i].read(req);
    if (fault !== "") return Response.text(fault, 400);
  }
  view.width = <i32>parameters[0].value;
  view.height = <i32>parameters[1].value;
  view.x = parameters[2].value;
  view.y = parameters[3].value;
  view.zoom = parameters[4].value;
  view.iterations = <i32>parameters[5].value;
  if (<f64>view.width * view.height * view.iterations > WORK_MAX) {
    return Response.text("width x height x iterations is too much work, want at most 150,000,000", 400);
  }

  const pixels = drawMandelbrot(view);
  const png = encodePng(pixels, view.width, view.height, palette());
  return Response.bytes(png, "image/png").header("cache-control", "public, max-age=86400");
}

/** A number in the query, with its bounds and what it is when left out. */
class Parameter {
  name: string;
  least: f64;
  most: f64;
  value: f64;
  whole: bool;

  constructor(name: string, least: f64, most: f64, value: f64, whole: bool) {
    this.name = name;
    this.least = least;
    this.most = most;
    this.value = value;
    this.whole = whole;
  }

  /** Takes the value from the query; the answer is what is wrong with it, or nothing. */
  read(req: Request): string {
    const text = req.query(this.name);
    if (text === null) return "";
    this.value = isDecimal(text) ? F64.parseFloat(text) : NaN;
    // NaN is not within any bounds.
    const inside = this.value >= this.least && this.value <= this.most;
    if (inside && (!this.whole || Math.trunc(this.value) === this.value)) return "";
    const kind = this.whole ? "a whole number" : "a number";
    return this.name + ": want " + kind + " from " + shown(this.least) + " to " + shown(this.most);
  }
}

/** Whether a text is a plain decimal number such as `-0.75`. */
function isDecimal(text: string): bool {
  let digits = 0;
  let points = 0;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit >= 0x30 && unit <= 0x39) digits++;
    else if (unit === 0x2e) points++;
    else if (unit !== 0x2d || i > 0) return false;
  }
  return digits > 0 && points <= 1;
}

function shown(bound: f64): string {
  return Math.trunc(bound) === bound ? (<i64>bound).toString() : bound.toString();
}
