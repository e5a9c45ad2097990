// Forms with files (`multipart/form-data`, RFC 7578): each file is taken in as it comes, beside the fields.

import { Readable } from "node:stream";
import { Busboy, type BusboyInstance } from "@fastify/busboy";
import { HostError } from "../errors.ts";
import { limits } from "../limits.ts";
import { ClientGone } from "./request-body.ts";

export type FormFile<received> = {
  /** The name of the form's field. */
  readonly field: string;
  /** Without folders; "" when the form has none. */
  readonly name: string;
  readonly contentType: string;
  readonly received: received;
};

export type Form<received> = {
  readonly files: readonly FormFile<received>[];
  readonly fields: ReadonlyMap<string, string>;
};

export type FormParts<received> = {
  readonly contentType: string;
  readonly chunks: AsyncIterable<Uint8Array>;
  readonly receive: (chunks: AsyncIterable<Uint8Array>, field: string) => Promise<received>;
  readonly discard: (received: readonly received[]) => Promise<void>;
};

const fieldsMax = 100;
const fieldBytesMax = 8 * 1024;

/** Rejects with `bad_request` for what is no form, and with what `receive` rejects with; nothing is left then. */
export async function readForm<received>({
  contentType,
  chunks,
  receive,
  discard,
}: FormParts<received>): Promise<Form<received>> {
  const parser = newParser(contentType);
  const fields = new Map<string, string>();
  const arrivals: Promise<FormFile<received>>[] = [];
  const source = Readable.from(chunks);
  const parsed = Promise.withResolvers<void>();
  const fail = (error: unknown): void => {
    parsed.reject(error);
    source.unpipe(parser);
    source.destroy();
    // Ends the files that are on their way, and with them what takes them in.
    parser.destroy();
  };
  parser.on("file", (field, stream, fileName, _encoding, type) => {
    const arrival = receive(stream, field).then((received) => {
      if (!stream.truncated) return { field, name: fileName, contentType: type, received };
      throw malformed("a file is cut short");
    });
    arrivals.push(arrival);
    arrival.catch(fail);
  });
  parser.on("field", (name, value, nameTruncated, valueTruncated) => {
    if (nameTruncated || valueTruncated) fail(malformed(`a field has more than ${fieldBytesMax} bytes`));
    fields.set(name, value);
  });
  for (const what of ["partsLimit", "filesLimit", "fieldsLimit"] as const) {
    parser.on(what, () => fail(malformed("it has too many parts")));
  }
  parser.on("error", (error) => fail(malformed(messageOf(error), error)));
  parser.on("finish", () => parsed.resolve());
  source.on("error", fail);
  source.pipe(parser);
  const outcomes = async () => Promise.allSettled(arrivals);
  try {
    await parsed.promise;
    return { files: await Promise.all(arrivals), fields };
  } catch (error) {
    const settled = await outcomes();
    await discard(settled.flatMap((each) => (each.status === "fulfilled" ? [each.value.received] : [])));
    throw error;
  }
}

function newParser(contentType: string): BusboyInstance {
  try {
    return new Busboy({
      headers: { "content-type": contentType },
      limits: {
        fields: fieldsMax,
        fieldSize: fieldBytesMax,
        files: limits.formFilesMax,
        fileSize: Number.POSITIVE_INFINITY,
        headerPairs: 20,
      },
    });
  } catch (error) {
    throw malformed(messageOf(error), error);
  }
}

function malformed(reason: string, cause?: unknown): HostError {
  if (cause instanceof HostError || cause instanceof ClientGone) throw cause;
  return new HostError("bad_request", `Cannot read the form: ${reason}`, { cause });
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
