// Fetches by the SDK, one way for each path, for test/guest/fetch.test.ts.
// biome-ignore-all lint/style/useImportType: AssemblyScript has no imports of types alone

import { FetchRequest, FetchResponse, fetch, fetchRequest, Request, Response } from "mayfly";

export function handle(req: Request): Response {
  const url = req.text();
  if (req.path === "/get") return shown(fetch(url));
  if (req.path === "/json")
    return shown(fetchRequest(FetchRequest.json(url, '{"ä":"😀"}', "PUT").header("X-A", "1")));
  if (req.path === "/bytes") {
    const body = new Uint8Array(256);
    for (let i = 0; i < 256; i++) body[i] = <u8>i;
    return Response.bytes(fetchRequest(new FetchRequest(url, "POST", body)).body, "image/png");
  }
  if (req.path === "/manual") {
    const request = new FetchRequest(url);
    request.redirects = 0;
    return shown(fetchRequest(request));
  }
  if (req.path === "/timeout") {
    const request = new FetchRequest(url);
    request.timeoutMs = 30;
    return shown(fetchRequest(request));
  }
  // What failed is read all the same.
  return Response.text(fetch("nothing").text());
}

function shown(res: FetchResponse): Response {
  if (res.status === 0) return Response.text(res.ok.toString() + " " + res.error, 502);
  const type = res.header("Content-Type");
  const links = res.headers.getAll("link").join("|");
  const head =
    res.status.toString() + " " + res.ok.toString() + " " + (type === null ? "none" : type) + " " + links;
  return Response.text(head + "\n" + res.text());
}
