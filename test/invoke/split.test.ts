import assert from "node:assert/strict";
import { test } from "node:test";
import { type CallHeaders, isCanaryCall } from "../../host/invoke/split.ts";

const never = (): number => assert.fail("chance was asked");

test("without sticky chance decides, in hundredths of a percent", () => {
  const at = (share: number, random: number): boolean =>
    isCanaryCall({ share }, null, { headers: {}, salt: "f", random: () => random });
  assert.deepEqual([at(1, 0), at(1, 0.00009), at(1, 0.0001), at(10_000, 0.99999)], [true, true, false, true]);
});

test("the same value is the same side, and a share of the values is about its size", () => {
  const side = (value: string, share: number, salt = "f"): boolean =>
    isCanaryCall({ share }, { header: "x-user" }, { headers: { "x-user": value }, salt, random: never });
  const users = Array.from({ length: 10_000 }, (_, user) => `user-${user}`);
  const ten = users.filter((user) => side(user, 1_000));
  assert.ok(ten.length > 880 && ten.length < 1_120, `${ten.length} of 10,000`);
  assert.deepEqual(
    ten,
    users.filter((user) => side(user, 1_000)),
  );
  assert.ok(
    ten.every((user) => side(user, 1_001)),
    "those stay when the share grows",
  );
  const elsewhere = ten.filter((user) => side(user, 1_000, "g"));
  assert.ok(elsewhere.length < ten.length / 2, "other functions have other users in their canaries");
});

const cookies: readonly (readonly [string, string | null])[] = [
  ["session=abc", "abc"],
  ["a=1; session=abc; b=2", "abc"],
  ["a=1;session=abc", "abc"],
  ["session=first; session=second", "first"],
  ["session=a=b", "a=b"],
  ["xsession=abc", null],
  ["session", null],
  ["", null],
];

for (const [cookie, value] of cookies) {
  test(`of the cookies ${JSON.stringify(cookie)} the session is ${value}`, () => {
    const sideOf = (
      headers: CallHeaders,
      sticky: { header: string } | { cookie: string },
    ): boolean | "chance" => {
      let asked = false;
      const side = isCanaryCall({ share: 5_000 }, sticky, {
        headers,
        salt: "f",
        random: () => {
          asked = true;
          return 0;
        },
      });
      return asked ? "chance" : side;
    };
    const expected = value === null ? "chance" : sideOf({ x: value }, { header: "x" });
    assert.equal(sideOf({ cookie }, { cookie: "session" }), expected);
  });
}

test("a header that every object seems to have is absent", () => {
  const random = (): number => 0;
  assert.equal(
    isCanaryCall({ share: 1 }, { header: "constructor" }, { headers: {}, salt: "f", random }),
    true,
  );
});
