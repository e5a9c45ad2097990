// What the OpenAPI documents of all routes are made of: responses, problems, operations.

import { type ErrorCode, errorTable } from "../errors.ts";

export const json = (schema: unknown) => ({ "application/json": { schema } });
export const ref = (name: string) => ({ $ref: `#/components/schemas/${name}` });

/** A code, with its status where that is not the table's. */
type ListedCode = ErrorCode | readonly [ErrorCode, number];

export const problem = (...codes: ListedCode[]) => {
  const byStatus = new Map<number, ErrorCode[]>();
  for (const listed of codes) {
    const [code, status] = typeof listed === "string" ? [listed, errorTable[listed].status] : listed;
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  return Object.fromEntries(
    [...byStatus].map(([status, names]) => [
      String(status),
      { description: names.join(", "), content: { "application/problem+json": { schema: ref("Problem") } } },
    ]),
  );
};

const always = ["unauthorized", "forbidden", "origin_refused", "loopback_only", "rate_limited"] as const;

export const operation = (
  operationId: string,
  summary: string,
  success: Record<string, unknown>,
  codes: readonly ListedCode[],
  requestBody?: unknown,
) => ({
  operationId,
  summary,
  responses: { ...success, ...problem(...always, ...codes) },
  ...(requestBody === undefined ? {} : { requestBody }),
});

/** An operation that everyone may call. */
export const open = (operationId: string, summary: string, responses: Record<string, unknown>) => ({
  operationId,
  summary,
  security: [],
  responses,
});

export const ok = (description: string, schema: unknown) => ({ 200: { description, content: json(schema) } });

export const list = (property: string, schema: unknown) => ({
  type: "object",
  required: [property],
  properties: { [property]: { type: "array", items: schema } },
});
