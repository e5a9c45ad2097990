// What an owner takes upon himself: a module that runs as it was uploaded may end the process. The next one
// serves all others, and the module is set aside by name.

import assert from "node:assert/strict";
import { test } from "node:test";
import * as raw from "../wasm/module-bytes.ts";
import { answering } from "./guests.ts";
import { SupervisedHost, until } from "./supervised-host.ts";

/** Makes a list of arrays of 800 MB in its entry point: V8 aborts, far over its heap's limit. */
function bomb(): Uint8Array {
  const array = [0x5e, 0x7e, 1];
  const node = [0x5f, 2, 0x63, 0, 0, 0x63, 1, 0];
  const push = [0x42, 1, 0x41, raw.leb(100_000_000), 0xfb, 0x06, 0, 0x20, 1, 0xfb, 0x00, 1, 0x21, 1];
  const body = raw.sized([1, 1, 0x63, 1, 0x03, 0x40, ...push, 0x0c, 0, raw.end, raw.end]);
  return raw.module(
    raw.types(array, node, raw.functionType([raw.i32])),
    raw.section(3, [1, 2]),
    raw.section(5, [1, 0, 1]),
    raw.section(
      7,
      raw.vector([
        [raw.name("memory"), 2, 0],
        [raw.name("mayfly_handle"), 0, 0],
      ]),
    ),
    raw.section(10, raw.vector([body])),
  );
}

test("an unmetered module that ends the process three times is quarantined, and others are served", async () => {
  await using host = await SupervisedHost.start({ arguments: ["--max-workers", "1", "--allow-unmetered"] });
  assert.equal((await host.deploy("good", answering("good"))).status, 201);
  const deployed = await host.deploy("bomb", bomb());
  assert.equal(((await deployed.json()) as { metered: boolean }).metered, false);
  for (let crash = 1; crash <= 3; crash += 1) {
    await assert.rejects(fetch(`${host.url}/fn/bomb`));
    await until(
      () => host.output.split("had died while bomb@1 ran").length > crash,
      20_000,
      () => host.output,
    );
    assert.equal(await (await fetch(`${host.url}/fn/good`)).text(), "good");
  }
  const refused = await fetch(`${host.url}/fn/bomb`);
  assert.equal(refused.status, 503);
  assert.match(((await refused.json()) as { detail: string }).detail, /is quarantined/);
});
