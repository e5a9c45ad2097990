// Reads server-sent events (HTML Living Standard, section 9.2.6) from the bytes of an answer and
// yields each event's data. Called by `client.ts` for `logs -f`. It knows nothing of what they
// mean, and never reconnects.

const lineCharactersMax = 4 * 1024 * 1024;

export type ServerEvent = { readonly type: string; readonly data: string };

export async function* readEvents(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<ServerEvent> {
  let data: string[] = [];
  let type = "";
  for await (const line of readLines(bytes)) {
    if (line === "") {
      if (data.length > 0) yield { type: type === "" ? "message" : type, data: data.join("\n") };
      data = [];
      type = "";
      continue;
    }
    const [, field, value = ""] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? [];
    if (field === "data") data.push(value);
    if (field === "event") type = value;
  }
  // An event without the blank line after it is incomplete, and dropped as the standard wants.
}

/** Lines end with CR LF, LF or CR. */
async function* readLines(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of bytes) {
    rest += decoder.decode(chunk, { stream: true });
    // A CR at the very end may be the first half of a CR LF: it waits for the next chunk.
    const lines = rest.split(/\r\n|\n|\r(?!$)/);
    rest = lines.pop() ?? "";
    yield* lines;
    if (rest.length > lineCharactersMax) throw new Error("an event of the stream is too long");
  }
}
