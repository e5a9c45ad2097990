// Deploys a module with files, as a form.

import { encodeTree } from "../../host/files/file-tree.ts";
import type { Answer } from "./http-client.ts";
import type { TestHost } from "./test-host.ts";

/** Uploads a module with an archive of its files. */
export async function uploadArchive(
  host: TestHost,
  name: string,
  module: Uint8Array,
  archive: Uint8Array,
): Promise<Answer> {
  const form = new FormData();
  form.set("module", new Blob([new Uint8Array(module)]), "module.wasm");
  form.set("files", new Blob([new Uint8Array(archive)]), "files.tar");
  const encoded = new Response(form);
  return host.ask("PUT", `/v1/functions/${name}`, {
    body: new Uint8Array(await encoded.arrayBuffer()),
    headers: { "content-type": encoded.headers.get("content-type") ?? "" },
  });
}

/** The same with files by path and content. */
export function upload(
  host: TestHost,
  name: string,
  module: Uint8Array,
  files: readonly (readonly [path: string, content: string])[],
): Promise<Answer> {
  const entries = files.map(([path, content]) => ({ path, bytes: Buffer.from(content) }));
  return uploadArchive(host, name, module, encodeTree(entries));
}
