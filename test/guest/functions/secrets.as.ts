// Secrets by the SDK, for test/guest/secrets.test.ts and test/security/secrets.test.ts.
// biome-ignore-all lint/style/useImportType: AssemblyScript has no imports of types alone

import { env, Request, Response, secrets } from "mayfly";

export function handle(req: Request): Response {
  const name = req.header("x-name") || "";
  const value = req.path === "/env" ? env.get(name) : secrets.get(name);
  if (value === null) return Response.text("none", 404);
  if (req.path === "/length") return Response.text(value.length.toString());
  if (req.path === "/throw") throw new Error("the function broke, and says nothing of what it knows");
  return Response.text(value);
}
