// What comes of reading and rewriting an upload, as data that goes from thread to thread.

import { inspectModule } from "./inspect.ts";
import type { ModuleInspection } from "./inspection.ts";
import { prepareModule } from "./prepare.ts";
import { type RefusalCode, type RefusalDetails, WasmRefusal } from "./refusal.ts";

export type RefusalReply = RefusalDetails & { readonly code: RefusalCode; readonly message: string };

type Refused = { readonly refusal: RefusalReply };

export type RewriteReply =
  | Refused
  | {
      readonly inspection: ModuleInspection;
      readonly prepared: Refused | { readonly bytes: Uint8Array<ArrayBuffer> };
    };

export function rewriteReply(upload: Uint8Array): RewriteReply {
  return orRefusal(() => {
    const inspection = inspectModule(upload, { metered: true });
    const prepared = orRefusal(() => ({ bytes: prepareModule(upload, inspection, { meter: true }) }));
    return { inspection, prepared };
  });
}

function orRefusal<value>(read: () => value): value | Refused {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof WasmRefusal)) throw error;
    const { code, message, feature, functionIndex, offset } = error;
    return { refusal: { code, message, feature, functionIndex, offset } };
  }
}
