// Asynchronous calls on a host: acknowledged, made, answered, given up, removed; and what clients are told.

import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { asyncGivenUp } from "../../host/events/async-calls.ts";
import { retryAfterMs } from "../../host/events/attempts.ts";
import { functionConfigDefault } from "../../host/function.ts";
import { prefersAsync } from "../../host/http/respond-async.ts";
import { compiled } from "../support/compiled.ts";
import { RawConnection } from "../support/raw-connection.ts";
import { assertProblem, TestHost } from "../support/test-host.ts";
import { until } from "./supervised-host.ts";

type Shown = {
  id: string;
  state: string;
  attempts: number;
  finishedAt: string | null;
  expiresAt: string | null;
  error: { code: string; message: string; lines: string[] } | null;
  answer: { status: number; headers: Record<string, string>; body_base64: string } | null;
};

let host: TestHost;
before(async () => {
  host = await TestHost.start();
  const module = await compiled(join(import.meta.dirname, "../guest/functions/later.as.ts"));
  await host.deploy("later", module);
  await host.deploy("told", await compiled(join(import.meta.dirname, "../guest/functions/events.as.ts")));
  for (const topic of ["went-well", "went-wrong"]) {
    const trigger = await host.send("PUT", `/v1/functions/told/triggers/${topic}`, { kind: "topic", topic });
    assert.equal(trigger.status, 201, trigger.text);
  }
});
after(() => host.close());

const later = (
  path: string,
  rest: { body?: string; headers?: Record<string, string>; method?: string } = {},
) =>
  host.ask(rest.method ?? "POST", `/fn/later${path}`, {
    ...(rest.body === undefined ? {} : { body: rest.body }),
    headers: { prefer: "respond-async", ...rest.headers },
  });
async function accepted(...ask: Parameters<typeof later>): Promise<string> {
  const answer = await later(...ask);
  assert.equal(answer.status, 202, answer.text);
  assert.equal(answer.header("preference-applied"), "respond-async");
  const { id, state } = answer.json() as { id: string; state: string };
  assert.deepEqual([answer.header("location"), state], [`/v1/invocations/${id}`, "queued"]);
  return id;
}
const show = async (id: string): Promise<Shown> => {
  const answer = await host.ask("GET", `/v1/invocations/${id}`);
  assert.equal(answer.status, 200, answer.text);
  return answer.json() as Shown;
};
async function ended(id: string): Promise<Shown> {
  await until(async () => ["succeeded", "failed"].includes((await show(id)).state), 20_000);
  return show(id);
}
const kept = async (key: string): Promise<string | null> => {
  const { status, text } = await host.ask("GET", `/v1/kv/${key}`);
  return status === 200 ? text : null;
};

test("a call is acknowledged, made as it was sent, and its answer kept", async () => {
  const id = await accepted("/a%20b?c=d", {
    method: "PUT",
    body: "the body",
    headers: { "x-own": "mine", "x-mayfly-attempt": "9" },
  });
  const { state, attempts, answer, error, finishedAt, expiresAt } = await ended(id);
  assert.deepEqual([state, attempts, error, answer?.status], ["succeeded", 1, null, 201]);
  assert.equal(answer?.headers["x-made"], "yes");
  assert.equal(
    Buffer.from(answer?.body_base64 ?? "", "base64").toString(),
    `PUT|http://127.0.0.1:${host.port}/fn/later/a%20b?c=d|mine|1|the body`,
  );
  assert.equal(Date.parse(expiresAt ?? "") - Date.parse(finishedAt ?? ""), 86_400_000);
  const body = await host.ask("GET", `/v1/invocations/${id}/answer`);
  assert.match(body.text, /^PUT\|/);
  assert.equal(body.header("x-mayfly-answer-status"), "201");
  assert.equal((await host.ask("DELETE", `/v1/invocations/${id}`)).status, 204);
  assertProblem(await host.ask("GET", `/v1/invocations/${id}`), 404, "invocation_not_found");
  assertProblem(await host.ask("DELETE", `/v1/invocations/${id}`), 404, "invocation_not_found");
});

test("an answer below 500 is an answer; others, traps and limits are tried again, then given up", async () => {
  await host.configure("later", { asyncAttemptsMax: 1 });
  const [refused, failed, trapped] = await Promise.all(
    ["/refuses", "/fails", "/traps"].map(async (path) => ended(await accepted(path))),
  );
  assert.deepEqual([refused?.state, refused?.answer?.status], ["succeeded", 404]);
  assert.deepEqual(failed?.error, {
    code: "refused",
    message: 'The function "later" answered 503: not today',
    lines: ["warn attempt 1"],
  });
  assert.deepEqual(
    [trapped?.state, trapped?.error?.code, trapped?.answer],
    ["failed", "guest_trapped", null],
  );
  assertProblem(await host.ask("GET", `/v1/invocations/${failed?.id}/answer`), 409, "no_answer");
  await host.configure("later", { asyncAttemptsMax: 3 });
  const third = await ended(await accepted("/third"));
  assert.deepEqual([third.state, third.attempts], ["succeeded", 3]);
  assert.equal(await kept(`counts/${third.id}`), "3");
  // Those that were given up are dead letters, too, and are redriven as such.
  const { events } = (await host.ask("GET", "/v1/events?state=dead&function=later")).json() as {
    events: { id: number; trigger: string }[];
  };
  assert.deepEqual(
    events.map(({ trigger }) => trigger),
    ["@async", "@async"],
  );
  await host.ask("DELETE", `/v1/invocations/${trapped?.id}`);
  assert.equal((await host.ask("POST", "/v1/events/redrive?function=later")).text, '{"redriven":1}');
  await until(async () => (await show(failed?.id ?? "")).state !== "failed", 10_000);
  assert.equal((await ended(failed?.id ?? "")).attempts, 3);
  await host.ask("DELETE", `/v1/invocations/${failed?.id}`);
  assert.equal((await host.ask("GET", "/v1/events?function=later")).text.includes("@async"), false);
});

test("ends are published to the topics that the configuration names", async () => {
  await host.configure("later", { asyncAttemptsMax: 1, onSuccess: "went-well", onFailure: "went-wrong" });
  const [good, bad] = [await accepted("/x"), await accepted("/traps")];
  await Promise.all([ended(good), ended(bad)]);
  const events = async () =>
    (await host.ask("GET", "/v1/kv/seen?prefix=event-")).json() as { keys: { key: string }[] };
  await until(async () => (await events()).keys.length === 2, 10_000);
  const page = await events();
  const told = await Promise.all(page.keys.map(({ key }) => kept(`seen/${encodeURIComponent(key)}`)));
  const [failure = ""] = told.filter((text) => text?.includes(bad));
  assert.match(failure ?? "", /^\/functions\/later\|.*"error":\{"code":"guest_trapped"/);
  const [success = ""] = told.filter((text) => text?.includes(good));
  assert.match(success ?? "", /"attempts":1,"answer":\{"status":201,"headers":\{.*"body_base64":"/);
  await host.configure("later", {});
});

test("calls are listed by function and state, page by page", async () => {
  const ids: string[] = [];
  for (let index = 0; index < 3; index += 1) ids.push(await accepted(`/list-${index}`));
  for (const id of ids) await ended(id);
  type Page = { invocations: { id: string }[]; cursor: string | null };
  const found: string[] = [];
  let cursor: string | null = "";
  while (cursor !== null) {
    const query = new URLSearchParams({ function: "later", state: "succeeded", limit: "2" });
    if (cursor !== "") query.set("cursor", cursor);
    const page = (await host.ask("GET", `/v1/invocations?${query}`)).json() as Page;
    found.push(...page.invocations.map(({ id }) => id));
    cursor = page.cursor;
  }
  assert.deepEqual(found.slice(-3), ids);
  // A page goes on behind one that is gone.
  const before = (
    await host.ask("GET", `/v1/invocations?limit=${found.length - 1}&state=succeeded`)
  ).json() as Page;
  const last = before.invocations.at(-1)?.id;
  assert.equal((await host.ask("DELETE", `/v1/invocations/${last}`)).status, 204);
  const behind = (
    await host.ask("GET", `/v1/invocations?cursor=${before.cursor}&state=succeeded`)
  ).json() as Page;
  assert.deepEqual(
    behind.invocations.map(({ id }) => id),
    ids.slice(-1),
  );
  assertProblem(await host.ask("GET", "/v1/invocations?cursor=x"), 400, "bad_request");
  assert.equal(new Set(found).size, found.length);
  assertProblem(await host.ask("GET", "/v1/invocations?state=odd"), 400, "bad_request");
});

test("what cannot be taken is refused at once", async () => {
  const prefer = { headers: { prefer: "respond-async" } };
  assertProblem(await host.ask("GET", "/fn/absent", prefer), 404, "function_not_found");
  assertProblem(await host.ask("GET", "/fn/later@99", prefer), 404, "function_not_found");
  assertProblem(
    await host.ask("POST", "/fn/later", { ...prefer, body: Buffer.alloc(7_000_000) }),
    413,
    "body_too_large",
  );
  for (const id of ["", "x", "00000000-0000-0000-0000-000000000000", "%00"]) {
    assert.equal((await host.ask("GET", `/v1/invocations/${id}x`)).status, 404);
  }
  for (const config of [{ onSuccess: "No Topic" }, { asyncAttemptsMax: 0 }, { asyncKeepMs: 1 }]) {
    assertProblem(await host.send("PUT", "/v1/functions/later/config", config), 400, "invalid_config");
  }
  const half = await RawConnection.open(host.port);
  half.write("POST /fn/later HTTP/1.1\r\nhost: x\r\nprefer: respond-async\r\ncontent-length: 9\r\n\r\nhalf");
  half.close();
});

test("calls of a function that is removed end as failed, and what came of them expires", async () => {
  const module = await compiled(join(import.meta.dirname, "../guest/functions/later.as.ts"));
  await host.deploy("brief", module);
  await host.configure("brief", { asyncKeepMs: 1_000, asyncAttemptsMax: 100 });
  const answer = await host.ask("POST", "/fn/brief/fails", { headers: { prefer: "respond-async" } });
  const { id } = answer.json() as { id: string };
  await until(async () => (await show(id)).attempts > 0, 10_000);
  assert.equal((await host.ask("DELETE", "/v1/functions/brief")).status, 204);
  const end = await ended(id);
  assert.deepEqual([end.state, end.error?.code], ["failed", "function_not_found"]);
  await until(async () => (await host.ask("GET", `/v1/invocations/${id}`)).status === 404, 10_000);
  assert.equal((await host.ask("GET", "/v1/events?function=brief")).text.includes("@async"), false);
});

test("what is acknowledged is made after a restart", async () => {
  const first = await TestHost.start();
  const module = await compiled(join(import.meta.dirname, "../guest/functions/later.as.ts"));
  await first.deploy("later", module);
  const asked = await first.ask("POST", "/fn/later/third", { headers: { prefer: "respond-async" } });
  assert.equal(asked.status, 202);
  const { id } = asked.json() as { id: string };
  await first.close({ keepData: true });
  const second = await TestHost.start({ dataDir: first.dataDir });
  await until(async () => {
    const found = (await second.ask("GET", `/v1/invocations/${id}`)).json() as Shown;
    return found.state === "succeeded" && found.answer?.status === 201;
  }, 20_000);
  await second.close();
});

test("what a call that is given up before it is tried again tells, its topic hears", () => {
  const request = {
    id: "1",
    function: "f",
    pin: null,
    method: "GET",
    url: "/",
    path: "/",
    query: "",
    headers: [],
  };
  const config = { ...functionConfigDefault, onFailure: "went-wrong" };
  const publication = asyncGivenUp({ live: () => ({ config }) })(
    {
      ...({ id: 1, function: "f", trigger: "@async", state: "ready", attempts: 2, dueAtMs: 0 } as const),
      ...{ createdAtMs: 0, fault: null, expiresAtMs: 0, intact: true },
      event: { attributes: { request: JSON.stringify(request) }, data: new Uint8Array(0), depth: 3 },
    },
    { code: "deadline_exceeded", message: "too old", lines: [] },
  );
  assert.equal(publication?.topic, "went-wrong");
  assert.deepEqual(JSON.parse(Buffer.from(publication?.event.data ?? []).toString()), {
    id: "1",
    function: "f",
    attempts: 2,
    error: { code: "deadline_exceeded", message: "too old", lines: [] },
  });
  assert.deepEqual([publication?.event.depth, publication?.event.attributes["subject"]], [4, "1"]);
});

test("only the preference itself asks for it (RFC 7240)", () => {
  for (const text of [
    "respond-async",
    " Respond-Async ; x=1",
    "wait=10, respond-async",
    "respond-async,wait=1",
  ]) {
    assert.equal(prefersAsync(text), true, text);
  }
  for (const text of ["", "wait=10", "respond-asynchronously", "x=respond-async", "return=minimal"]) {
    assert.equal(prefersAsync(text), false, text);
  }
  assert.equal(prefersAsync(undefined), false);
});

test("Retry-After is seconds or a date, and nothing else", () => {
  const now = Date.parse("2026-11-24T10:00:00Z");
  const of = (text: string) => retryAfterMs(["x", "retry-after", "Retry-After", text], now);
  assert.equal(of("120"), 120_000);
  assert.equal(of("Tue, 24 Nov 2026 10:00:30 GMT"), 30_000);
  for (const text of ["", "-1", "soon", "1.5", "Tue, 24 Nov 2026 09:00:00 GMT", "Tue, never"]) {
    assert.equal(of(text), 0, text);
  }
});
