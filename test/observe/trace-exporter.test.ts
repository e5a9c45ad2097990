// A collector may hang, fail, answer garbage or not be there: calls are not held up, what is lost is counted, and
// it goes on when the collector does.

import assert from "node:assert/strict";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { type AddressInfo, createServer as createTcpServer, type Socket } from "node:net";
import { type TestContext, test } from "node:test";
import { TraceExporter, type TraceExporterBounds } from "../../host/observe/trace-exporter.ts";
import { Traces } from "../../host/trace-context.ts";
import { until } from "../flow/supervised-host.ts";
import { endedCall } from "./ended.ts";

const bounds = {
  queuedMax: 10,
  batchMax: 4,
  gatherMs: 5,
  timeoutMs: 300,
  attemptsMax: 2,
  backoffMs: 5,
} satisfies TraceExporterBounds;

type Exporting = { readonly exporter: TraceExporter; readonly failures: string[]; end(): void };

function exportingTo(context: TestContext, port: number, rest: Partial<TraceExporterBounds> = {}): Exporting {
  const failures: string[] = [];
  const exporter = new TraceExporter({
    endpoint: new URL(`http://127.0.0.1:${port}/v1/traces`),
    headers: { "x-key": "secret" },
    resource: { instance: "run", version: "1", originMs: 0 },
    onFailure: (reason) => failures.push(reason),
    bounds: { ...bounds, ...rest },
  });
  context.after(() => exporter.close(0));
  const traces = new Traces(1);
  return { exporter, failures, end: () => exporter.ended(endedCall({ trace: traces.of(undefined) })) };
}

async function collector(
  context: TestContext,
  answer: (request: IncomingMessage, response: ServerResponse, body: string) => void,
): Promise<number> {
  const server = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (text: string) => {
      body += text;
    });
    request.on("end", () => answer(request, response, body));
  });
  return listening(context, server);
}

async function listening(
  context: TestContext,
  server: Server | ReturnType<typeof createTcpServer>,
): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  context.after(() => {
    if ("closeAllConnections" in server) server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

const spansIn = (body: string): number => (body.match(/"name":"fn hello"/g) ?? []).length;

test("what ended is sent soon, in batches, with the headers that were configured", async (context) => {
  const seen: number[] = [];
  const keys: unknown[] = [];
  const port = await collector(context, (request, response, body) => {
    seen.push(spansIn(body));
    keys.push(request.headers["x-key"], request.headers["content-type"]);
    response.end("{}");
  });
  const { exporter, end, failures } = exportingTo(context, port, { timeoutMs: 20_000 });
  for (let call = 0; call < 6; call += 1) end();
  await until(() => exporter.exported === 6, 20_000);
  assert.deepEqual(seen, [4, 2]);
  assert.deepEqual(keys.slice(0, 2), ["secret", "application/json"]);
  assert.deepEqual([exporter.droppedFull, exporter.droppedFailed, failures.length], [0, 0, 0]);
});

test("a collector that hangs: the queue stays bounded, what does not fit is counted, and later ones arrive", async (context) => {
  let hangs = true;
  const port = await collector(context, (_request, response) => {
    if (!hangs) response.end();
  });
  const { exporter, end, failures } = exportingTo(context, port);
  for (let call = 0; call < 100; call += 1) end();
  assert.ok(exporter.queued <= bounds.queuedMax);
  assert.equal(exporter.droppedFull, 100 - bounds.batchMax - bounds.queuedMax);
  await until(() => exporter.droppedFailed > 0, 20_000);
  hangs = false;
  await until(() => exporter.queued === 0, 20_000);
  end();
  await until(() => exporter.exported > 0, 20_000);
  // Told once, not for each.
  assert.equal(failures.length, 1);
});

test("a collector that sends its answer byte by byte is not waited for longer than for one that hangs", async (context) => {
  const port = await collector(context, (_request, response) => {
    response.writeHead(200);
    const timer = setInterval(() => response.write("x"), 20);
    response.on("close", () => clearInterval(timer));
  });
  const { exporter, end } = exportingTo(context, port, { attemptsMax: 1 });
  end();
  await until(() => exporter.droppedFailed === 1, 20_000);
});

for (const [status, attempts] of [
  [500, 1],
  [400, 1],
  [404, 1],
  [301, 1],
  [429, 2],
  [503, 2],
] as const) {
  test(`a collector that answers ${status} is asked ${attempts} times`, async (context) => {
    let asked = 0;
    const port = await collector(context, (_request, response) => {
      asked += 1;
      response.writeHead(status, { location: "/elsewhere" }).end("no");
    });
    const { exporter, end, failures } = exportingTo(context, port);
    end();
    await until(() => exporter.droppedFailed === 1, 20_000);
    assert.equal(asked, attempts);
    assert.deepEqual(failures, [`it answered ${status}`]);
  });
}

test("a collector that is not there, or speaks no HTTP, or answers without end, is a failure that is counted", async (context) => {
  const closed = await listening(
    context,
    createTcpServer((socket: Socket) => socket.destroy()),
  );
  const garbage = await listening(
    context,
    createTcpServer((socket: Socket) => {
      socket.on("error", () => {});
      socket.end("SSH-2.0-OpenSSH_9.6\r\n");
    }),
  );
  const endless = await collector(context, (_request, response) => {
    response.on("error", () => {});
    const fill = (): void => {
      while (!response.destroyed && response.write(Buffer.alloc(65_536)));
    };
    response.on("drain", fill);
    fill();
  });
  const absent = await new Promise<number>((resolve) => {
    const server = createTcpServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
  for (const port of [closed, garbage, endless, absent]) {
    const { exporter, end, failures } = exportingTo(context, port);
    end();
    await until(() => exporter.droppedFailed === 1, 20_000);
    assert.equal(failures.length, 1);
    assert.equal(exporter.exported, 0);
  }
});

test("close sends what there is, and does not wait for a collector that hangs", async (context) => {
  const seen: number[] = [];
  const good = await collector(context, (_request, response, body) => {
    seen.push(spansIn(body));
    response.end();
  });
  const one = exportingTo(context, good, { gatherMs: 60_000 });
  one.end();
  await one.exporter.close(5_000);
  assert.deepEqual(seen, [1]);
  one.end();
  assert.equal(one.exporter.queued, 0);
  const hanging = await collector(context, () => {});
  const other = exportingTo(context, hanging, { timeoutMs: 60_000 });
  other.end();
  await other.exporter.close(20);
  assert.equal(other.exporter.exported, 0);
});
