// What guests ask of the host while they wait: finds the operation that a question names, and puts its
// answer, or why there is none, in the form that the guest reads (docs/abi.md).

import { HostError } from "../errors.ts";
import type { ErrandContext, ErrandReply } from "../invocation.ts";
import { decodeQuestion, encodeAnswer, MessageError, type Question } from "../messages.ts";

export type Answer = { readonly values: readonly string[]; readonly body?: Uint8Array };

/** Throws HostError for what the guest is to be told. */
export type Operation = (question: Question, context: ErrandContext) => Answer | Promise<Answer>;

const noBody = new Uint8Array(0);

export class Services {
  readonly #operations: ReadonlyMap<string, Operation>;

  /** By name: `kv.get`. */
  constructor(operations: Readonly<Record<string, Operation>>) {
    this.#operations = new Map(Object.entries(operations));
  }

  /** Rejects with nothing but faults of ours. */
  async ask(context: ErrandContext, message: Uint8Array): Promise<ErrandReply> {
    try {
      const question = decodeQuestion(message);
      const operation = this.#operations.get(question.operation);
      if (operation === undefined) {
        const shown = JSON.stringify(question.operation.slice(0, 80));
        throw new HostError("not_found", `This host has no operation ${shown}`);
      }
      const { values, body = noBody } = await operation(question, context);
      return { failed: false, message: encodeAnswer(values, body) };
    } catch (error) {
      return { failed: true, message: new TextEncoder().encode(reasonOf(error)) };
    }
  }
}

/** A word, a colon and a sentence; rethrows what is no business of the guest. */
function reasonOf(error: unknown): string {
  if (error instanceof MessageError) return `bad_request: ${error.message}`;
  if (error instanceof HostError) return `${error.code}: ${error.message}`;
  throw error;
}
