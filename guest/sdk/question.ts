// Asks the host for something by the name of an operation (docs/abi.md). Internal: the stores and queues
// of the SDK are made of it.

import { ask as hostAsk, result_read } from "./host/mayfly";
import { address, bodyAt, numberAt, textAt, textEnd } from "./request-message";
import { textFieldLength, writeTextField } from "./text-field";
import { decodeUtf8 } from "./utf8";

/** What the host answered: some texts, and bytes. */
export class HostAnswer {
  readonly values: string[];
  private message: ArrayBuffer;

  constructor(message: ArrayBuffer) {
    this.message = message;
    const count = numberAt(message, 4);
    const values = new Array<string>(count);
    for (let i = 0, at = 8; i < count; i++) {
      values[i] = textAt(message, at);
      at = textEnd(message, at);
    }
    this.values = values;
  }

  text(): string {
    const at = bodyAt(this.message);
    return decodeUtf8(address(this.message, at), this.message.byteLength - at);
  }

  get body(): Uint8Array {
    return Uint8Array.wrap(this.message, bodyAt(this.message));
  }
}

/** Waits for the answer; the thread runs other calls meanwhile. Throws what the host says went wrong. */
export function question(operation: string, args: string[], body: Uint8Array | null = null): HostAnswer {
  let headLength = textFieldLength(operation) + 4;
  for (let i = 0; i < args.length; i++) headLength += textFieldLength(args[i]);
  const bodyLength = body === null ? 0 : body.length;
  const message = new ArrayBuffer(4 + headLength + bodyLength);
  const start = changetype<usize>(message);
  store<i32>(start, headLength);
  let at = writeTextField(start + 4, operation);
  store<i32>(at, args.length);
  at += 4;
  for (let i = 0; i < args.length; i++) at = writeTextField(at, args[i]);
  if (body !== null) memory.copy(at, body.dataStart, <usize>bodyLength);
  const length = hostAsk(start, <usize>message.byteLength);
  const result = new ArrayBuffer(abs(length));
  result_read(changetype<usize>(result));
  if (length < 0)
    throw new Error(operation + ": " + decodeUtf8(changetype<usize>(result), result.byteLength));
  return new HostAnswer(result);
}
