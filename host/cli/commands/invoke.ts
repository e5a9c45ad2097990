// `mayfly invoke NAME [PATH]`: calls a function as curl would and passes its bytes on untouched.
// The host's token is never sent: the function would see it.

import { once } from "node:events";
import { type IncomingMessage, STATUS_CODES } from "node:http";
import { buffer } from "node:stream/consumers";
import { z } from "zod";
import { readToken } from "../arguments.ts";
import {
  type CommandContext,
  type CommandSpec,
  flagOption,
  listOption,
  requiredArgument,
  textOption,
} from "../command.ts";
import { CommandFailure, exitCodes, messageOf } from "../failure.ts";
import { isProblem, problemFailure, readJson } from "../host-answer.ts";
import { displayUrl, sendRequest } from "../http-request.ts";
import { readHeaders, readMethod, readRequestBody, requestTarget } from "../invoke-request.ts";
import type { CliStream } from "../io.ts";
import { terminalLine } from "../terminal-text.ts";

const accepted = z.looseObject({ id: z.string(), url: z.string() });

const problemBytesMax = 64 * 1024;

export const invokeCommand: CommandSpec = {
  name: "invoke",
  args: "<name> [path]",
  summary: "call a function and print its answer",
  examples: [
    "mayfly invoke hello '/greet?name=Ada'",
    "mayfly invoke hello /items -X PUT -d @item.json -H 'content-type: application/json' -i",
    "mayfly invoke hello@2",
  ],
  notes:
    "PATH goes out as typed, percent-encoding and all. The exit code is 1 from status 400 on.\n" +
    "The token is not sent: it is for the control plane, not for functions. For a function that asks\n" +
    "for one, put one with the scope invoke into MAYFLY_INVOKE_TOKEN: the host takes it off.",
  options: [
    { flags: "-X, --request <method>", meaning: "the method (default GET, with -d POST)" },
    { flags: "-d, --data <data>", meaning: "the body; @file or @- sends the bytes of a file or of stdin" },
    { flags: "-H, --header <header>", meaning: "a header as 'Name: value'", repeatable: true },
    { flags: "-i, --include", meaning: "print the status line and headers too" },
    { flags: "--async", meaning: "leave the call with the host, and print its id (mayfly invocations)" },
  ],
  usesHost: true,
  async run(args, context) {
    const { io, options, output } = context;
    const base = context.hostUrl();
    const target = requestTarget(requiredArgument(args, 0), args[1] ?? "", context.namespace());
    const isAsync = flagOption(options, "async");
    const headers = {
      ...invokeToken(io.env.MAYFLY_INVOKE_TOKEN),
      ...readHeaders(listOption(options, "header")),
      ...(isAsync ? { prefer: "respond-async" } : {}),
    };
    const data = textOption(options, "data");
    const method = readMethod(textOption(options, "request") ?? (data === undefined ? "GET" : "POST"));
    const body = data === undefined ? undefined : await readRequestBody(data, io);
    const answer = await sendRequest({ base, method, target, headers, body });
    if (isAsync && answer.statusCode === 202) return await printAccepted(answer, context);
    const failed = (answer.statusCode ?? 0) >= 400;
    try {
      if (output.json) output.value(await answerDocument(answer));
      else await printAnswer(answer, flagOption(options, "include"), context);
    } catch (error) {
      if (error instanceof CommandFailure) throw error;
      const message = `The host at ${displayUrl(base)} cut the answer short: ${messageOf(error)}`;
      throw new CommandFailure("connection_lost", message, { cause: error });
    }
    return failed ? exitCodes.failed : exitCodes.done;
  },
};

function invokeToken(text: string | undefined): Record<string, string> {
  return text === undefined ? {} : { authorization: `Bearer ${readToken(text, "MAYFLY_INVOKE_TOKEN")}` };
}

async function printAccepted(answer: IncomingMessage, context: CommandContext): Promise<number> {
  const document = await readJson(displayUrl(context.hostUrl()), answer, accepted);
  context.output.value(document);
  context.output.line(terminalLine(document.id));
  return exitCodes.done;
}

async function printAnswer(
  answer: IncomingMessage,
  include: boolean,
  { io, output }: CommandContext,
): Promise<void> {
  const status = answer.statusCode ?? 0;
  if (include) io.stdout.write(headOf(answer), "latin1");
  const kept: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of answer) {
    await writeBytes(io.stdout, chunk);
    size += chunk.byteLength;
    if (isProblem(answer) && size <= problemBytesMax) kept.push(chunk);
  }
  if (status < 400) return;
  if (size > 0 && io.stdout.isTTY === true) io.stdout.write("\n");
  const said = `HTTP ${status} ${STATUS_CODES[status] ?? ""}`.trim();
  const problem = kept.length > 0 && size <= problemBytesMax;
  output.note(problem ? `${said}: ${problemFailure(status, Buffer.concat(kept).toString()).message}` : said);
}

async function writeBytes(stream: CliStream, bytes: Uint8Array): Promise<void> {
  if (!stream.write(bytes)) await once(stream, "drain");
}

/** The status line and headers as they came, each byte of a value as one code point. */
function headOf(answer: IncomingMessage): string {
  const lines = [`HTTP/${answer.httpVersion} ${answer.statusCode ?? 0} ${answer.statusMessage ?? ""}`];
  for (let at = 0; at + 1 < answer.rawHeaders.length; at += 2) {
    lines.push(`${answer.rawHeaders[at] ?? ""}: ${answer.rawHeaders[at + 1] ?? ""}`);
  }
  return `${lines.join("\r\n")}\r\n\r\n`;
}

async function answerDocument(answer: IncomingMessage) {
  const bytes = await buffer(answer);
  const text = textOf(bytes);
  return {
    status: answer.statusCode ?? 0,
    headers: { ...answer.headers },
    body: text ?? bytes.toString("base64"),
    bodyEncoding: text === null ? "base64" : "text",
  };
}

/** Null where the bytes are not UTF-8. */
function textOf(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}
