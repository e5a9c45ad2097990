import { strict as assert } from "node:assert";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { Places } from "../../host/outbound/places.ts";

/** Asks for a place, and tells whether it has been given. */
function asking(places: Places, name: string) {
  const asked = { place: null as Disposable | null };
  void places.take(name).then((place) => {
    asked.place = place;
  });
  return asked;
}

test("a function that waits for places of its own takes none from the others", async () => {
  const places = new Places(3, 2);
  const [one, two, three] = [asking(places, "a"), asking(places, "a"), asking(places, "a")];
  const other = asking(places, "b");
  await setImmediate();
  assert.deepEqual(
    [one, two, three, other].map(({ place }) => place !== null),
    [true, true, false, true],
  );
  const late = asking(places, "c");
  await setImmediate();
  assert.equal(late.place, null, "the host has no more");
  one.place?.[Symbol.dispose]();
  one.place?.[Symbol.dispose]();
  await setImmediate();
  assert.deepEqual([three.place !== null, late.place !== null], [false, true], "in the order they asked");
  for (const { place } of [two, other, late]) place?.[Symbol.dispose]();
  await setImmediate();
  assert.notEqual(three.place, null);
  three.place?.[Symbol.dispose]();
  const again = [asking(places, "a"), asking(places, "b"), asking(places, "c")];
  await setImmediate();
  assert.ok(again.every(({ place }) => place !== null));
});

test("who leaves before his turn takes no place, neither of the function nor of the host", async () => {
  const places = new Places(2, 1);
  const one = await places.take("a");
  const leaving = new AbortController();
  const inFunction = assert.rejects(places.take("a", leaving.signal), { name: "AbortError" });
  const two = await places.take("b");
  const inHost = assert.rejects(places.take("c", leaving.signal), { name: "AbortError" });
  await setImmediate();
  leaving.abort();
  await Promise.all([inFunction, inHost]);
  await assert.rejects(places.take("d", leaving.signal), { name: "AbortError" });
  for (const place of [one, two]) place[Symbol.dispose]();
  const again = await Promise.all([places.take("a"), places.take("c")]);
  for (const place of again) place[Symbol.dispose]();
});
