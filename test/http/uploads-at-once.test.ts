// Uploads that are read at once: slow ones keep nobody from deploying, and all of them together take
// no more memory than there is for them.

import { strict as assert } from "node:assert";
import { after, test } from "node:test";
import { HostError } from "../../host/errors.ts";
import { BodyBudget } from "../../host/http/body-budget.ts";
import { functionRoutes } from "../../host/http/function-routes.ts";
import { limits } from "../../host/limits.ts";
import { answering } from "../support/guests.ts";
import { withLocalAccess } from "../support/local-access.ts";
import { RawConnection } from "../support/raw-connection.ts";
import { TestHost } from "../support/test-host.ts";

const host = await TestHost.start({ minWorkers: 0 });
after(() => host.close());

test("uploads that are begun and do not end leave their places to others", async () => {
  const slow: RawConnection[] = [];
  for (let count = 0; count < limits.deploysAtOnceMax; count += 1) {
    const connection = await RawConnection.open(host.port);
    connection.write(
      `PUT /v1/functions/slow HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${limits.moduleBytesMax}\r\n` +
        "Expect: 100-continue\r\n\r\n",
    );
    // The host reads the body.
    assert.equal((await connection.answer())?.status, 100);
    slow.push(connection.write("abc"));
  }
  try {
    const answer = await Promise.race([
      host.upload("quick", answering("quick")),
      new Promise<null>((resolve) => setTimeout(resolve, 5_000, null).unref()),
    ]);
    assert.equal(answer?.status, 201);
  } finally {
    for (const connection of slow) connection.close();
  }
});

test("an upload for which there is no room left is overloaded, and gives back what it had", async () => {
  const outcomes: string[] = [];
  const other = (): never => assert.fail("nothing else is asked for");
  const bare = functionRoutes({
    functions: { list: other, live: other, release: other, aliases: other, versions: other, config: other },
    uploads: new BodyBudget(100),
    deployer: {
      deploy: async (_name, bytes) => {
        throw new HostError("invalid_module", `So far came ${bytes.length} bytes`);
      },
      remove: other,
      putConfig: other,
      unquarantine: other,
    },
    baseUrl: other,
    onDeploy: (outcome) => outcomes.push(outcome),
  });
  const routes = withLocalAccess(bare);
  routes.onError((error, context) =>
    context.text(error instanceof HostError ? `${error.message}, ${error.retryAfterS}` : String(error)),
  );
  const upload = async (bytes: number): Promise<string> =>
    (await routes.request("/f", { method: "PUT", body: new Uint8Array(bytes) })).text();
  assert.match(await upload(101), /too many bodies are in memory, [1-9]/);
  for (let count = 0; count < 3; count += 1) assert.match(await upload(100), /So far came 100 bytes/);
  assert.deepEqual(outcomes, ["overloaded", "invalid_module", "invalid_module", "invalid_module"]);
});
