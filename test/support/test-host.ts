// A host in this process, on a free port, in a temporary folder. It remembers every internal fault
// the host logs, and `close` fails when there was one that the test did not expect.

import { strict as assert } from "node:assert";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pino from "pino";
import type { HostConfig } from "../../host/config.ts";
import type { LogLine } from "../../host/invocation.ts";
import { type Host, type HostOptions, start } from "../../host/main.ts";
import { type Answer, type Ask, ask } from "./http-client.ts";

export type TestHostOptions = Partial<HostConfig> &
  Pick<HostOptions, "sync" | "resolve" | "queueEventsMax" | "versionsMax">;

export class TestHost {
  readonly host: Host;
  readonly dataDir: string;
  /** Log lines of level error and above, as JSON text. */
  readonly faults: string[];

  private constructor(host: Host, dataDir: string, faults: string[]) {
    this.host = host;
    this.dataDir = dataDir;
    this.faults = faults;
  }

  static async start(options: TestHostOptions = {}): Promise<TestHost> {
    const { sync, resolve, queueEventsMax, versionsMax, ...config } = options;
    const dataDir = config.dataDir ?? (await mkdtemp(join(tmpdir(), "mayfly-test-")));
    const faults: string[] = [];
    const log = pino({ level: "error" }, { write: (line: string) => void faults.push(line) });
    const host = await start(
      {
        host: "127.0.0.1",
        port: 0,
        minWorkers: 1,
        maxWorkers: 2,
        token: null,
        secretKey: null,
        secretKeyOld: null,
        hostNames: [],
        origins: [],
        allowUnmetered: false,
        threadsOnly: false,
        rates: null,
        traceEndpoint: null,
        traceSample: 0.01,
        traceHeaders: {},
        ...config,
        dataDir,
      },
      {
        log,
        ...(sync && { sync }),
        ...(resolve && { resolve }),
        ...(queueEventsMax !== undefined && { queueEventsMax }),
        ...(versionsMax !== undefined && { versionsMax }),
      },
    );
    return new TestHost(host, dataDir, faults);
  }

  get port(): number {
    return Number(new URL(this.host.url).port);
  }

  ask(method: string, path: string, rest: Ask = {}): Promise<Answer> {
    return ask(this.port, method, path, rest);
  }

  /** Sends JSON. */
  send(method: string, path: string, value: unknown): Promise<Answer> {
    return this.ask(method, path, {
      body: JSON.stringify(value),
      headers: { "content-type": "application/json" },
    });
  }

  upload(name: string, bytes: Uint8Array): Promise<Answer> {
    return this.ask("PUT", `/v1/functions/${name}`, {
      body: bytes,
      headers: { "content-type": "application/wasm" },
    });
  }

  /** Uploads what must be accepted. */
  async deploy(name: string, bytes: Uint8Array): Promise<void> {
    const answer = await this.upload(name, bytes);
    assert.ok(answer.status === 201 || answer.status === 200, `${name}: ${answer.text}`);
  }

  /** Replaces the configuration; it must be accepted. */
  async configure(name: string, config: Readonly<Record<string, unknown>>): Promise<void> {
    const answer = await this.send("PUT", `/v1/functions/${name}/config`, config);
    assert.equal(answer.status, 200, answer.text);
  }

  call(name: string, rest: Ask = {}): Promise<Answer> {
    return this.ask("POST", `/fn/${name}`, rest);
  }

  async logs(name: string): Promise<LogLine[]> {
    const answer = await this.ask("GET", `/v1/functions/${name}/logs?lines=1000`);
    assert.equal(answer.status, 200, answer.text);
    return (answer.json() as { lines: LogLine[] }).lines;
  }

  /** Stops it and removes its folder; fails on an internal fault unless those are expected. */
  async close(options: { readonly expectFaults?: boolean; readonly keepData?: boolean } = {}): Promise<void> {
    await this.host.stop();
    if (options.keepData !== true) {
      await rm(this.dataDir, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
    }
    if (options.expectFaults !== true) assert.deepEqual(this.faults, []);
  }
}

/** The code of a problem document, after a look at its form (RFC 9457). */
export function problemCode(answer: Answer): string {
  assert.equal(answer.header("content-type"), "application/problem+json", `${answer.status} ${answer.text}`);
  const problem = answer.json() as Record<string, unknown>;
  assert.equal(problem["status"], answer.status);
  assert.equal(problem["requestId"], answer.header("x-mayfly-request-id"));
  for (const member of ["type", "title", "detail"]) assert.equal(typeof problem[member], "string");
  return String(problem["code"]);
}

/** Asserts status and code at once, with the whole answer in the message. */
export function assertProblem(answer: Answer, status: number, code: string): void {
  assert.equal(`${answer.status} ${problemCode(answer)}`, `${status} ${code}`, answer.text);
}
