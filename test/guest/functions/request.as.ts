// Answers with what it sees of a request, for test/guest/request.test.ts.
// biome-ignore-all lint/style/useImportType: AssemblyScript has no imports of types alone

import { env, JsonArray, JsonObject, log, now, Request, Response, random } from "mayfly";

export function handle(req: Request): Response {
  if (req.path === "/body") return Response.bytes(req.body, "application/octet-stream");
  if (req.path === "/text") return Response.text(req.text());
  if (req.path === "/services") return services();
  if (req.path === "/throw") throw new Error("thrown on purpose");
  const name = req.header("x-ask");
  const asked = name ? name : "";
  return Response.json(
    new JsonObject()
      .set("method", req.method)
      .set("path", req.path)
      .set("url", req.url)
      .set("remoteAddress", req.remoteAddress)
      .set("query", req.query(asked))
      .set("queries", req.queries(asked))
      .set("param", req.param(asked))
      .set("header", req.header(asked))
      .set("cookie", req.cookie(asked))
      .set("isJson", req.isType("application/json"))
      .set("headers", headerList(req))
      .toString(),
  );
}

function headerList(req: Request): JsonArray {
  const list = new JsonArray();
  for (let i = 0; i < req.headers.length; i++) list.push([req.headers.nameAt(i), req.headers.valueAt(i)]);
  return list;
}

function services(): Response {
  log.debug("one");
  log.info("zwö");
  log.warn("three \uD83D\uDE00");
  log.error("");
  console.log("from console");
  const found = env.get("NAME");
  return Response.json(
    new JsonObject()
      .set("env", found)
      .set("missing", env.get("MISSING"))
      .set("now", now())
      .set("date", Date.now())
      .set("random", random(4).toString())
      .toString(),
  );
}
