// The stores by the SDK, one way for each path, for test/guest/kv.test.ts.
// biome-ignore-all lint/style/useImportType: AssemblyScript has no imports of types alone

import { kv, Request, Response } from "mayfly";

export function handle(req: Request): Response {
  const store = kv.open("things");
  const key = req.header("x-key") || "";
  if (req.path === "/get") {
    const value = store.get(key);
    return value === null ? Response.text("none", 404) : Response.text(value);
  }
  if (req.path === "/set") store.set(key, req.text());
  if (req.path === "/set-for") store.set(key, req.text(), I32.parseInt(req.header("x-ttl") || "0"));
  if (req.path === "/set-bytes") store.setBytes(key, req.body);
  if (req.path === "/get-bytes") {
    const bytes = store.getBytes(key);
    return bytes === null ? Response.text("none", 404) : Response.bytes(bytes, "image/png");
  }
  if (req.path === "/delete") return Response.text(store.delete(key).toString());
  if (req.path === "/increment")
    return Response.text(store.increment(key, I64.parseInt(req.text())).toString());
  if (req.path === "/swap") {
    const expected = req.header("x-expected");
    return Response.text(store.compareAndSet(key, expected, req.text()).toString());
  }
  if (req.path === "/list") {
    const page = store.list(key, req.header("x-cursor"));
    const cursor = page.cursor;
    return Response.text(page.keys.join("|") + " " + (cursor === null ? "end" : cursor));
  }
  if (req.path === "/bad-name") kv.open("No Name").get("a");
  return Response.text("done");
}
