// Reads what the control plane answered: JSON of a known shape, or a problem document (RFC 9457)
// turned into a CommandFailure. Called by `client.ts`. It trusts nothing of the answer: size, type
// and shape are checked, for the URL may name some other server.

import type { IncomingMessage } from "node:http";
import { z } from "zod";
import { CommandFailure, messageOf } from "./failure.ts";
import { terminalBlock, terminalLine } from "./terminal-text.ts";

const answerBytesMax = 128 * 1024 * 1024;

const problemDocument = z.looseObject({
  title: z.string().optional(),
  detail: z.string().optional(),
  code: z.string().optional(),
});

/** The answer's JSON, in the shape that is wanted. */
export async function readJson<T>(url: string, answer: IncomingMessage, shape: z.ZodType<T>): Promise<T> {
  const parsed = shape.safeParse(await readAnswer(url, answer));
  if (parsed.success) return parsed.data;
  throw notMayfly(url, answer, parsed.error);
}

/** The answer's JSON, whatever it is; undefined where there is no body. */
export async function readAnswer(url: string, answer: IncomingMessage): Promise<unknown> {
  const bytes = await readAnswerBytes(url, answer);
  if (bytes.byteLength === 0) return undefined;
  try {
    return JSON.parse(bytes.toString("utf8"));
  } catch (error) {
    throw notMayfly(url, answer, error);
  }
}

/** What an answer that is no success says, as the failure to throw. */
export async function readProblem(url: string, answer: IncomingMessage): Promise<CommandFailure> {
  if (!isProblem(answer)) {
    answer.resume();
    return notMayfly(url, answer, undefined);
  }
  return problemFailure(answer.statusCode ?? 0, (await readAnswerBytes(url, answer)).toString("utf8"));
}

export function isProblem(answer: IncomingMessage): boolean {
  return /^application\/problem\+json\s*(;|$)/i.test(answer.headers["content-type"] ?? "");
}

/** A problem document as `code: detail`. */
export function problemFailure(status: number, text: string): CommandFailure {
  const problem = problemDocument.safeParse(jsonOf(text));
  if (!problem.success)
    return new CommandFailure("bad_answer", `The host answered ${status} without saying why`);
  const { code = "unknown", detail, title } = problem.data;
  const says = detail ?? title ?? `the host answered ${status}`;
  return new CommandFailure(code, `${terminalLine(code)}: ${terminalBlock(says)}`, {
    details: { status, problem: problem.data },
  });
}

/** The answer's bytes, as they are. */
export async function readAnswerBytes(url: string, answer: IncomingMessage): Promise<Buffer<ArrayBuffer>> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of answer) {
      size += chunk.byteLength;
      if (size > answerBytesMax) throw new Error(`the answer is over ${answerBytesMax} bytes`);
      chunks.push(chunk);
    }
  } catch (error) {
    const message = `The host at ${url} cut its answer short: ${messageOf(error)}`;
    throw new CommandFailure("connection_lost", message, { cause: error });
  }
  return Buffer.concat(chunks);
}

function notMayfly(url: string, answer: IncomingMessage, cause: unknown): CommandFailure {
  const said = `${answer.statusCode ?? 0} ${terminalLine(answer.statusMessage ?? "")}`.trim();
  return new CommandFailure(
    "bad_answer",
    `The server at ${url} answered ${said}, and not as a Mayfly host does; check --url or MAYFLY_URL`,
    { details: { url, status: answer.statusCode ?? 0 }, cause },
  );
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Not JSON is the same to the caller as JSON of another shape.
    return undefined;
  }
}
