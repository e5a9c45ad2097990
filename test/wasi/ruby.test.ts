// A large program that nobody here wrote: the Ruby interpreter, which runs a script of the files that its version
// carries. Skipped where its package is not installed, which is several times the size of all others.

import { strict as assert } from "node:assert";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { rubyMissing, rubyProgram } from "../../scripts/ruby.ts";
import { TestHost } from "../support/test-host.ts";
import { upload } from "../support/uploads.ts";

test("ruby: a script answers", { skip: rubyMissing() ?? false, timeout: 300_000 }, async () => {
  const module = await readFile(await rubyProgram());
  const script = await readFile(join(import.meta.dirname, "../../guest/examples/ruby/app.rb"), "utf8");
  const host = await TestHost.start();
  try {
    await host.configure("hello-ruby", { cpuMs: 60_000, memoryMb: 256 });
    const deployed = await upload(host, "hello-ruby", module, [["app.rb", script]]);
    assert.equal(deployed.status, 201, deployed.text);
    for (let count = 0; count < 2; count += 1) {
      const answer = await host.ask("GET", "/fn/hello-ruby?name=Ada");
      assert.deepEqual([answer.status, answer.text], [200, "Hello, Ada!"], answer.text);
    }
  } finally {
    await host.close();
  }
});
