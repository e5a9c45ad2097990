// The thread on which a large component is read and rewritten: that takes longer than the main thread may be
// kept from its calls. It runs no guest and touches no file. Started and ended by preparer.ts.

import { parentPort } from "node:worker_threads";
import { type ErrorCode, HostError } from "../errors.ts";
import type { FunctionConfig } from "../function.ts";
import { deriveForm, type PreparedForm } from "../wasm/prepared-form.ts";
import { type PreparedUpload, prepareComponentUpload } from "./prepare-upload.ts";

export type PreparerTask =
  | {
      readonly kind: "prepare";
      readonly upload: Uint8Array;
      readonly config: FunctionConfig;
    }
  | { readonly kind: "derive"; readonly upload: Uint8Array };

export type PreparerReply =
  | { readonly kind: "prepared"; readonly prepared: PreparedUpload }
  | { readonly kind: "derived"; readonly form: PreparedForm }
  | {
      readonly kind: "refused";
      readonly code: ErrorCode;
      readonly message: string;
      readonly status: number;
      readonly extra: Readonly<Record<string, unknown>>;
    };

parentPort?.on("message", (task: PreparerTask) => {
  parentPort?.postMessage(replyTo(task));
});

function replyTo(task: PreparerTask): PreparerReply {
  try {
    if (task.kind === "derive") return { kind: "derived", form: deriveForm(task.upload) };
    return { kind: "prepared", prepared: prepareComponentUpload(task.upload, task.config) };
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    const { code, message, status, extra } = error;
    return { kind: "refused", code, message, status, extra };
  }
}
