// Reads and writes JSON for test/guest/json.test.ts.
// biome-ignore-all lint/style/useImportType: AssemblyScript has no imports of types alone
// biome-ignore-all lint/style/noNonNullAssertion: a null is a bug of the test and traps
// biome-ignore-all lint/suspicious/noShadowRestrictedNames: the SDK's JSON is the only one

import { JSON, JsonArray, JsonObject, JsonValue, Request, Response } from "mayfly";

export function handle(req: Request): Response {
  if (req.path === "/build") return Response.json(built());
  if (req.path === "/quote") return Response.json(JSON.quote(req.text()));
  const value = JSON.parse(req.text());
  if (!value) return Response.text(JSON.error(), 400);
  if (req.path === "/getters") return Response.json(getters(value.asObject()!));
  return Response.json(value.toString());
}

function built(): string {
  const nothing: string | null = null;
  return new JsonObject()
    .set("string", 'a "b" \\ \n \u0001')
    .set("i32", -1)
    .set("u64", u64.MAX_VALUE)
    .set("i64", i64.MIN_VALUE)
    .set("u8", <u8>200)
    .set("float", 0.1)
    .set("whole", 3.0)
    .set("nan", NaN)
    .set("yes", true)
    .set("null", nothing)
    .setNull("alsoNull")
    .set("strings", ["a", "b"])
    .set("numbers", [1.5, 2])
    .set("array", new JsonArray().push(1).push("two").push(new JsonObject()))
    .set("value", JsonValue.ofBool(false))
    .set("string", "again")
    .toString();
}

function getters(object: JsonObject): string {
  const list = object.getArray("list");
  const inner = object.getObject("inner");
  return new JsonObject()
    .set("string", object.getString("string"))
    .set("stringOfNumber", object.getString("number"))
    .set("number", object.getNumber("number"))
    .set("numberMissing", object.getNumber("missing", 7))
    .set("big", object.getInteger("big"))
    .set("fraction", object.getInteger("number", -1))
    .set("exponent", object.getInteger("exponent"))
    .set("bool", object.getBool("bool"))
    .set("boolOfString", object.getBool("string", true))
    .set("length", list ? list.length : -1)
    .set("second", list ? list.at(1) : JsonValue.ofNull())
    .set("innerSize", inner ? inner.size : -1)
    .set("hasNull", object.has("nothing"))
    .set("isNull", object.get("nothing")!.isNull)
    .set("keys", object.keys())
    .toString();
}
