import assert from "node:assert/strict";
import { test } from "node:test";
import { newRequestId } from "../../host/http/request-id.ts";

test("ids of requests are random UUIDs, each another, past one filling of the room", () => {
  const ids = Array.from({ length: 1_000 }, newRequestId);
  assert.equal(new Set(ids).size, ids.length);
  for (const id of ids)
    assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  // Every digit but those of the version and the variant has every value in some of them.
  for (let digit = 0; digit < 36; digit += 1) {
    const seen = new Set(ids.map((id) => id[digit]));
    const expected = [8, 13, 18, 23, 14].includes(digit) ? 1 : digit === 19 ? 4 : 16;
    assert.equal(seen.size, expected, `digit ${digit}`);
  }
});
