// Holds `mayfly logs` to docs/cli.md against a fake host: recent lines, the stream, its ends, and
// that a guest's text is harmless on a terminal.

import assert from "node:assert/strict";
import { test } from "node:test";
import { logLines, startFakeHost } from "./fake-host.ts";
import { seed } from "./fixtures.ts";
import { cli, startCli, until } from "./run-cli.ts";

test("logs prints recent lines, and no control character of a guest reaches the terminal", async () => {
  await using host = await startFakeHost();
  await seed(host);
  const { exitCode, stdout } = await cli(["logs", "hello", "--url", host.url], {
    terminal: true,
    env: { NO_COLOR: "1" },
  });
  assert.equal(exitCode, 0);
  assert.deepEqual(stdout.split("\n"), [
    "2026-01-02T03:04:05.678Z INFO  v1 req-1 hello",
    "2026-01-02T03:04:06.000Z ERROR v2 req-2 bad \\x1b[2Jthing",
    "    2026-01-02T03:04:07.000Z INFO  v1 forged",
    "",
  ]);
  const json = await cli(["logs", "hello", "--json", "--url", host.url]);
  assert.deepEqual(JSON.parse(json.stdout), { lines: logLines });
});

test("logs -f prints lines as they come and ends with 0 when interrupted", async () => {
  await using host = await startFakeHost();
  await seed(host);
  await using running = startCli(["logs", "hello", "-f", "--json", "--url", host.url]);
  await until(() => running.stdout().split("\n").length === 3, "the recent lines");
  const line = { ...logLines[0], message: "späte" };
  const bytes = Buffer.from(`data: ${JSON.stringify(line)}\n\n`);
  const cut = bytes.indexOf("ä") + 1; // In the middle of a character.
  for (const follower of host.followers) follower.write(bytes.subarray(0, cut));
  for (const follower of host.followers) setImmediate(() => follower.write(bytes.subarray(cut)));
  await until(() => running.stdout().includes("späte"), "the new line");
  running.interrupt();
  const { exitCode, stdout, stderr } = await running.done;
  assert.equal(exitCode, 0, stderr);
  const printed = stdout
    .trimEnd()
    .split("\n")
    .map((text) => JSON.parse(text));
  assert.deepEqual(printed, [...logLines, line]);
});

test("logs -f says so when the host closes the stream or refuses it", async () => {
  await using host = await startFakeHost();
  await seed(host);
  await using running = startCli(["logs", "hello", "-f", "--url", host.url]);
  await until(() => host.followers.size === 1, "the stream");
  for (const follower of host.followers) follower.end();
  const closed = await running.done;
  assert.equal(closed.exitCode, 1);
  assert.match(closed.stderr, /^The host at .* closed the log stream of hello\n$/);
  host.answer = (_request, response) => response.end("event: error\ndata: too many followers\n\n");
  const refused = await cli(["logs", "hello", "-f", "--url", host.url]);
  assert.equal(refused.exitCode, 1);
  assert.match(refused.stderr, /ended the stream: too many followers\n$/);
  await using cutting = startCli(["logs", "hello", "-f", "--url", host.url]);
  host.answer = (_request, response) => {
    response.write(": hello\n\n");
    setImmediate(() => response.destroy());
  };
  const cut = await cutting.done;
  assert.equal(cut.exitCode, 1);
  assert.match(cut.stderr, /^The host at .* cut the stream/);
});
