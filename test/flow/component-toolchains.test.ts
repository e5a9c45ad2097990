// The components of guest/examples, made by their own tools and called over HTTP. What is not on the machine is
// skipped, and says so; components as such are tested without any of them (test/contract/components.test.ts).

import { strict as assert } from "node:assert";
import { after, test } from "node:test";
import { componentToolchains } from "../../scripts/component-toolchains.ts";
import { TestHost } from "../support/test-host.ts";

const host = await TestHost.start();
after(() => host.close());

for (const { language, isolation, missing, build } of componentToolchains) {
  const skip = (await missing()) ?? false;
  test(`${language}: its component says hello, with isolation ${isolation}`, {
    skip,
    timeout: 300_000,
  }, async () => {
    await host.configure(language, { cpuMs: 5_000, isolation });
    await host.deploy(language, await build());
    for (let count = 0; count < 3; count += 1) {
      const answer = await host.ask("GET", `/fn/${language}?name=Ada`);
      assert.deepEqual(
        [answer.text, answer.header("content-type")],
        ["Hello, Ada!", "text/plain; charset=utf-8"],
      );
    }
    if (!language.startsWith("javascript")) return;
    for (let count = 0; count < 2; count += 1) {
      const answer = await host.call(`${language}?name=Bob`, { body: "good day" });
      assert.equal(answer.text, "Bob says good day");
    }
  });
}
