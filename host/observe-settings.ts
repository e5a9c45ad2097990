// The settings of metering and tracing as texts: what each may be, and what it becomes. Used by `config.ts`.

import { z } from "zod";
import { type RateCard, rateCardSchema } from "./rate-card.ts";

/** JSON, which says what is wrong with it. */
export const rateCardText = z.string().transform((text, context): RateCard => {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    context.addIssue({
      code: "custom",
      message: "want a rate card in JSON, or @FILE that holds one and can be read",
    });
    return z.NEVER;
  }
  const card = rateCardSchema.safeParse(value);
  if (card.success) return Object.freeze(card.data);
  const faults = card.error.issues.map(({ path, message }) => [...path, message].join(": "));
  context.addIssue({ code: "custom", message: `want a rate card: ${faults.join("; ")}` });
  return z.NEVER;
});

export const headersText = z
  .string()
  .transform((text) => text.split(",").map((pair) => pair.trim()))
  .refine((pairs) => pairs.every((pair) => /^[!#$%&'*+.^_`|~0-9A-Za-z-]+=[\x20-\x7e]+$/.test(pair)), {
    error: "want NAME=VALUE, separated by commas, or @FILE that holds them and can be read",
  })
  .transform((pairs) => {
    return Object.freeze(
      Object.fromEntries(
        pairs.map((pair): [string, string] => {
          const at = pair.indexOf("=");
          return [pair.slice(0, at).toLowerCase(), pair.slice(at + 1).trim()];
        }),
      ),
    );
  });

export const endpointText = z.string().refine(isTraceEndpoint, {
  error: "want an http or https URL without user name, such as http://127.0.0.1:4318/v1/traces",
});

export const shareText = z
  .string()
  .refine((text) => /^(0|1|[01]?\.\d{1,9})$/.test(text) && Number(text) <= 1, {
    error: "want a number from 0 to 1, such as 0.01",
  })
  .transform(Number);

function isTraceEndpoint(text: string): boolean {
  const url = URL.parse(text);
  return url !== null && /^https?:$/.test(url.protocol) && url.username === "" && url.password === "";
}
