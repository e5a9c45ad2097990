// What a deploy gets: a module as the whole body, or a form with the module and an archive of its files.

import { HostError } from "../errors.ts";
import type { BodyShare } from "./body-budget.ts";
import { archiveBody, BodyBytes, uploadBody } from "./body-bytes.ts";
import { readForm } from "./form-upload.ts";
import { bodyChunks, readStream } from "./stream-body.ts";

export type Upload = {
  readonly module: Uint8Array;
  /** An archive as it came; null for none. */
  readonly files: Uint8Array | null;
};

const moduleTypes = new Set([
  "",
  "application/wasm",
  "application/octet-stream",
  "application/x-www-form-urlencoded",
]);
const formType = "multipart/form-data";

/** Reads the body of a deploy, counted in `share`; rejects as `readStream` and `readForm`. */
export async function readUpload(request: Request, share: BodyShare): Promise<Upload> {
  const header = request.headers.get("content-type") ?? "";
  const type = header.split(";")[0]?.trim().toLowerCase() ?? "";
  if (moduleTypes.has(type)) return { module: await readStream(request, uploadBody, share), files: null };
  if (type === formType) return readUploadForm(request, header, share);
  throw new HostError(
    "unsupported_media_type",
    `Cannot deploy: content type is ${type}, want application/wasm or ${formType}`,
  );
}

async function readUploadForm(request: Request, contentType: string, share: BodyShare): Promise<Upload> {
  const { files } = await readForm({
    contentType,
    chunks: bodyChunks(request, uploadBody),
    receive: (chunks, field) => gathered(chunks, field, share),
    discard: async () => {},
  });
  const parts = new Map(files.map(({ field, received }) => [field, received]));
  const module = parts.get("module");
  const known = [...parts.keys()].every((field) => field === "module" || field === "files");
  if (module === undefined || !known || parts.size !== files.length) {
    throw new HostError(
      "bad_request",
      "Cannot deploy: want a form of one file in the field module, and one in the field files",
    );
  }
  return { module, files: parts.get("files") ?? null };
}

async function gathered(
  chunks: AsyncIterable<Uint8Array>,
  field: string,
  share: BodyShare,
): Promise<Uint8Array> {
  const body = new BodyBytes(field === "files" ? archiveBody : uploadBody, null, share);
  for await (const chunk of chunks) body.add(chunk);
  return body.whole();
}
