// The control plane as the commands see it: one method per call, answers checked, and every failure a
// CommandFailure that carries the host's own `code`. Calls on functions themselves
// go through `invoke`, never through here: a function must not see the token.

import type { IncomingMessage } from "node:http";
import { z } from "zod";
import { defaultNamespace, isInNamespaces, prefixOf } from "../namespace.ts";
import { readEvents, type ServerEvent } from "./event-stream.ts";
import { CommandFailure, messageOf } from "./failure.ts";
import { readAnswer, readAnswerBytes, readJson, readProblem } from "./host-answer.ts";
import { displayUrl, type RequestBody, sendRequest } from "./http-request.ts";
import { terminalLine } from "./terminal-text.ts";

const functionRecord = z.looseObject({
  name: z.string(),
  version: z.number().nullish(),
  digest: z.string().nullish(),
  bytes: z.number().nullish(),
  url: z.string().nullish(),
  metered: z.boolean().nullish(),
  createdAt: z.union([z.string(), z.number()]).nullish(),
});
const functionList = z.union([
  z.array(functionRecord),
  z.looseObject({ functions: z.array(functionRecord) }).transform((page) => page.functions),
]);
const logLine = z.looseObject({
  time: z.union([z.string(), z.number()]),
  level: z.string(),
  requestId: z.string().nullish(),
  version: z.number().nullish(),
  message: z.string(),
});
const logPage = z.looseObject({ lines: z.array(logLine) });
const functionConfig = z.record(z.string(), z.unknown());

export type FunctionRecord = z.infer<typeof functionRecord>;
export type LogLine = z.infer<typeof logLine>;
export type FunctionConfig = z.infer<typeof functionConfig>;

export type HostClient = {
  readonly url: string;
  /** One request to the control plane, for what has no method of its own here. */
  readonly send: Sender;
  /** Asks for something small: throws where there is no host, or one that does not let us in. */
  readonly check: () => Promise<void>;
  readonly list: () => Promise<readonly FunctionRecord[]>;
  /** `changed` is false when the host answered 200: these bytes were a version already. */
  readonly deploy: (
    name: string,
    wasm: Uint8Array,
    options?: {
      readonly signal?: AbortSignal;
      /** What `packFolder` made. */
      readonly files?: Uint8Array<ArrayBuffer> | null;
      /** False keeps it back: calls go on with what is live. */
      readonly live?: boolean;
    },
  ) => Promise<{ readonly record: FunctionRecord; readonly changed: boolean }>;
  /** The effective values; empty for a function that does not exist yet. */
  readonly readConfig: (name: string) => Promise<FunctionConfig>;
  readonly requireConfig: (name: string) => Promise<FunctionConfig>;
  readonly writeConfig: (name: string, config: FunctionConfig) => Promise<FunctionConfig>;
  /** The bytes of a version as they were uploaded; of the live one where it is null. */
  readonly module: (name: string, version: number | null) => Promise<Uint8Array>;
  /** The files that a version carries, likewise, in the form that `deploy` takes; null for none. */
  readonly files: (name: string, version: number | null) => Promise<Uint8Array<ArrayBuffer> | null>;
  /** To a version, or with null to where the alias was before. */
  readonly rollback: (name: string, version: number | null, alias: string) => Promise<FunctionRecord>;
  readonly promote: (name: string, alias: string) => Promise<FunctionRecord>;
  readonly remove: (name: string) => Promise<void>;
  readonly logs: (name: string) => Promise<readonly LogLine[]>;
  /**
   * Begins with the recent lines unless they are not wanted; ends when the host closes the stream,
   * quietly too when the signal aborts it.
   */
  readonly followLogs: (
    name: string,
    signal: AbortSignal,
    options?: { readonly recent: boolean },
  ) => AsyncGenerator<LogLine>;
};

/** A module and its files as one form. */
async function formOf(wasm: Uint8Array, files: Uint8Array<ArrayBuffer>) {
  const form = new FormData();
  form.set("module", new Blob([new Uint8Array(wasm)], { type: "application/wasm" }), "module.wasm");
  form.set("files", new Blob([files], { type: "application/octet-stream" }), "files");
  const encoded = new Response(form);
  const type = encoded.headers.get("content-type") ?? "";
  return { type, bytes: new Uint8Array(await encoded.arrayBuffer()) };
}

export function createClient(
  base: URL,
  token: string | null,
  namespace: string = defaultNamespace,
): HostClient {
  const url = displayUrl(base);
  const send = createSender(base, token, namespace);
  const sendJson = (method: string, target: string, value: unknown) =>
    send(method, target, {
      type: "application/json",
      bytes: new TextEncoder().encode(JSON.stringify(value)),
    });
  const functionPath = (name: string, rest = "") => `/v1/functions/${encodeURIComponent(name)}${rest}`;
  const versionQuery = (version: number | null) => (version === null ? "" : `?version=${version}`);
  const requireConfig = async (name: string) =>
    readJson(url, await send("GET", functionPath(name, "/config")), functionConfig);

  return {
    url,
    send,
    requireConfig,
    async check() {
      (await send("GET", "/v1/limits")).resume();
    },
    list: async () => readJson(url, await send("GET", "/v1/functions"), functionList),
    async deploy(name, wasm, { signal, files = null, live = true } = {}) {
      const body = files === null ? { type: "application/wasm", bytes: wasm } : await formOf(wasm, files);
      const answer = await send("PUT", functionPath(name, live ? "" : "?live=false"), body, { signal });
      const record = await readJson(url, answer, functionRecord);
      return { record, changed: answer.statusCode === 201 };
    },
    async readConfig(name) {
      try {
        return await requireConfig(name);
      } catch (error) {
        if (error instanceof CommandFailure && error.code === "function_not_found") return {};
        throw error;
      }
    },
    async writeConfig(name, config) {
      const answer = await readAnswer(url, await sendJson("PUT", functionPath(name, "/config"), config));
      const parsed = functionConfig.safeParse(answer);
      return parsed.success ? parsed.data : requireConfig(name);
    },
    module: async (name, version) =>
      readAnswerBytes(url, await send("GET", functionPath(name, `/module${versionQuery(version)}`))),
    async files(name, version) {
      const answer = await send("GET", functionPath(name, `/files${versionQuery(version)}`));
      const bytes = await readAnswerBytes(url, answer);
      return answer.statusCode === 204 ? null : bytes;
    },
    async rollback(name, version, alias) {
      const body = { ...(version !== null && { version }), ...(alias !== "live" && { alias }) };
      return readJson(url, await sendJson("POST", functionPath(name, "/rollback"), body), functionRecord);
    },
    async promote(name, alias) {
      return readJson(url, await sendJson("POST", functionPath(name, "/promote"), { alias }), functionRecord);
    },
    async remove(name) {
      (await send("DELETE", functionPath(name))).resume();
    },
    logs: async (name) =>
      (await readJson(url, await send("GET", functionPath(name, "/logs")), logPage)).lines,
    async *followLogs(name, signal, { recent } = { recent: true }) {
      const query = recent ? "follow=1" : "follow=1&lines=0";
      const options = { accept: "text/event-stream", signal };
      try {
        const answer = await send("GET", functionPath(name, `/logs?${query}`), undefined, options);
        for await (const event of readEvents(answer)) yield parseLogLine(url, event);
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof CommandFailure) throw error;
        throw new CommandFailure(
          "connection_lost",
          `The host at ${url} cut the stream: ${messageOf(error)}`,
          {
            cause: error,
          },
        );
      }
    },
  };
}

type Sender = (
  method: string,
  target: string,
  body?: { readonly type: string; readonly bytes: RequestBody },
  options?: {
    readonly accept?: string;
    readonly headers?: Readonly<Record<string, string>>;
    readonly signal?: AbortSignal | undefined;
  },
) => Promise<IncomingMessage>;

/** Resolves with a 2xx answer whose body is still to be read; throws on any other. */
function createSender(base: URL, token: string | null, namespace: string): Sender {
  const authorization = token === null ? {} : { authorization: `Bearer ${token}` };
  return async (
    method,
    target,
    body,
    { accept = "application/json, application/problem+json", headers: further = {}, signal } = {},
  ) => {
    const type = body === undefined ? {} : { "content-type": body.type };
    const headers = { accept, ...type, ...further, ...authorization };
    const path = isInNamespaces(target) ? target.replace(/^\/v1/, prefixOf(namespace)) : target;
    const answer = await sendRequest({ base, method, target: path, headers, body: body?.bytes, signal });
    const status = answer.statusCode ?? 0;
    if (status >= 200 && status < 300) return answer;
    throw await readProblem(displayUrl(base), answer);
  };
}

function parseLogLine(url: string, { type, data }: ServerEvent): LogLine {
  if (type === "error") {
    throw new CommandFailure("stream_refused", `The host at ${url} ended the stream: ${terminalLine(data)}`);
  }
  try {
    return logLine.parse(JSON.parse(data));
  } catch (error) {
    throw new CommandFailure("bad_answer", `The host at ${url} sent an event that is no log line`, {
      cause: error,
    });
  }
}
