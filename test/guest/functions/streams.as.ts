// Streams what it is told to, for test/guest/streams.test.ts.
// biome-ignore-all lint/style/useImportType: AssemblyScript has no imports of types alone
// biome-ignore-all lint/style/noNonNullAssertion: a null is a bug of the test and traps

import { Request, Response } from "mayfly";

export function handle(req: Request): Response {
  if (req.path === "/events") return events(req);
  if (req.path === "/body") return Response.text(req.text() + "|" + req.body.length.toString());
  if (req.path === "/read") return read(req);
  if (req.path === "/into") return into(req);
  const out = Response.stream(201, "text/x-test").header("x-a", "1").header("X-A", "2");
  out.header("set-cookie", "a=1").header("set-cookie", "b=2");
  if (req.path === "/nothing") return out.end();
  out.writeText("Grüße ");
  out.write(new Uint8Array(0));
  out.write(Uint8Array.wrap(String.UTF8.encode("😀")));
  if (req.path === "/late-header") out.header("x-b", "1");
  const ended = out.end();
  if (req.path === "/after") out.writeText("more");
  if (req.path === "/twice") return out.end();
  return ended;
}

function events(req: Request): Response {
  const out = Response.events().header("x-a", "1");
  const id = req.query("id");
  out.send("one", "tick", id === null ? "" : id, 500);
  out.send("a\nb\r\nc\rd");
  out.send("");
  out.comment("quiet\nstill");
  return out.end();
}

/** Three bytes, then what is left. */
function read(req: Request): Response {
  const body = req.stream();
  const first = body.read(3);
  const size = first === null ? -1 : first.length;
  const rest = req.text();
  return Response.text(size.toString() + "|" + rest + "|" + (body.read() === null).toString());
}

function into(req: Request): Response {
  const buffer = new Uint8Array(4);
  const body = req.stream();
  let sizes = "";
  for (let length = body.readInto(buffer); length > 0; length = body.readInto(buffer)) {
    sizes += length.toString() + " ";
  }
  return Response.text(sizes + body.readInto(buffer).toString());
}
