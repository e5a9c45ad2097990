// Turns a text into a QR code, as SVG that a browser shows and any printer scales.
//
//   curl "http://127.0.0.1:4747/fn/qr?text=https://example.com"
//   curl "http://127.0.0.1:4747/fn/qr?text=Gr%C3%BC%C3%9Fe&level=H"
//
// `level` is how much damage the code survives: L (7%), M (15%, the default), Q (25%) or H (30%).

import { Request, Response } from "mayfly";
import { encodeQr } from "./qr-code";
import { toSvg } from "./svg";

export function handle(req: Request): Response {
  const text = req.query("text");
  if (!text) return Response.text("Give the text to encode: ?text=...", 400);
  const asked = req.query("level");
  const level = asked ? "LMQH".indexOf(asked) : 1;
  if (level < 0 || (asked && asked.length !== 1)) return Response.text("level: want L, M, Q or H", 400);

  const bytes = Uint8Array.wrap(String.UTF8.encode(text));
  const code = encodeQr(bytes, level);
  if (!code) {
    return Response.text(
      "The text is too long for a QR code of this level: " + bytes.length.toString() + " bytes",
      400,
    );
  }
  return Response.text(toSvg(code)).header("content-type", "image/svg+xml");
}
