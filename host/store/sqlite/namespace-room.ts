// Holds changes to the quotas of their namespaces, within their own transactions: a change after which there
// would be too much has never been. Called by other changes on the writer thread, once they are made.

import type { DatabaseSync } from "node:sqlite";
import { HostError } from "../../errors.ts";
import { defaultNamespace, namespaceOf } from "../../namespace.ts";
import { assertWithin, type Quotas } from "../../quotas.ts";
import { bytesIn, functionsIn } from "./namespace-use.ts";
import { StatementCache } from "./statement-cache.ts";

export class NamespaceRoom {
  readonly #sql: StatementCache;

  constructor(database: DatabaseSync) {
    this.#sql = new StatementCache(database);
  }

  /** Throws `quota_exceeded`, as the others do; each is given a name as it is kept. */
  assertFunctions(functionName: string): void {
    const namespace = namespaceOf(functionName);
    const quotas = this.#quotas(namespace);
    if (quotas === null || (quotas.functions === null && quotas.bytes === null)) return;
    const use = functionsIn(this.#sql, namespace);
    assertWithin(namespace, "functions", quotas.functions, use.functions);
    assertWithin(namespace, "bytes", quotas.bytes, use.bytes);
  }

  assertKv(store: string): void {
    const namespace = namespaceOf(store);
    const quotas = this.#quotas(namespace);
    if (quotas === null || quotas.kvBytes === null) return;
    assertWithin(namespace, "kvBytes", quotas.kvBytes, bytesIn(this.#sql, namespace).kv);
  }

  assertBlobs(bucket: string): void {
    const namespace = namespaceOf(bucket);
    const quotas = this.#quotas(namespace);
    if (quotas === null || quotas.blobBytes === null) return;
    assertWithin(namespace, "blobBytes", quotas.blobBytes, bytesIn(this.#sql, namespace).blobs);
  }

  /** Throws `namespace_not_found`: it may have been removed since it was looked for. */
  assertThere(qualified: string): void {
    this.#quotas(namespaceOf(qualified));
  }

  #quotas(namespace: string): Quotas | null {
    const row = this.#sql.get("SELECT quotas_json FROM namespaces WHERE name = ?", namespace);
    if (row !== undefined) return JSON.parse(String(row["quotas_json"]));
    if (namespace === defaultNamespace) return null;
    throw new HostError("namespace_not_found", `No namespace "${namespace}"`);
  }
}
