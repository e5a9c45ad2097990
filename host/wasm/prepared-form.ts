// What workers compile of a component, and what has to be known of it before: derived from the upload alone, so
// it can be derived again, and kept as bytes where that takes long.

import { createHash } from "node:crypto";
import type { ComponentPlan } from "../component-plan.ts";
import { inspectComponent } from "./component/inspect-component.ts";
import { prepareComponent } from "./component/prepare-component.ts";
import type { ModuleMemory } from "./inspection.ts";

export type PreparedForm = {
  readonly modules: readonly Uint8Array<ArrayBuffer>[];
  /** How they are linked. */
  readonly plan: ComponentPlan;
  /** The declared bounds of its memory, in pages; where several are declared, the sum. */
  readonly memory: { readonly initialPages: number; readonly maximumPages: number | null } | null;
  /** Whether an instance can be set back to an image: its whole state is its memory and its globals. */
  readonly resettable: boolean;
};

/** Of a component that was accepted once; throws a WasmRefusal. */
export function deriveForm(upload: Uint8Array): PreparedForm {
  const inspection = inspectComponent(upload);
  const { modules, resettable } = prepareComponent(inspection);
  const { plan, memoryModule } = inspection;
  if (plan === null) throw new Error("The stored component has no handler");
  const memory = declaredBounds(inspection.modules[memoryModule ?? -1]?.inspection.memories[0]);
  return { modules, plan, memory, resettable };
}

export function declaredBounds(memory: ModuleMemory | undefined): PreparedForm["memory"] {
  return memory === undefined
    ? null
    : { initialPages: memory.initialPages, maximumPages: memory.maximumPages };
}

/** Counts up when what is derived from the same upload becomes another: kept bytes are then derived anew. */
const revision = 2;
const checkBytes = 32;

type Head = Omit<PreparedForm, "modules"> & {
  readonly revision: number;
  readonly lengths: readonly number[];
};

/** A form as bytes: a digest of all that follows, the head's length, the head as JSON, the modules. */
export function encodeForm({ modules, plan, memory, resettable }: PreparedForm): Uint8Array {
  const lengths = modules.map(({ byteLength }) => byteLength);
  const head = Buffer.from(JSON.stringify({ revision, lengths, plan, memory, resettable } satisfies Head));
  const size = Buffer.alloc(4);
  size.writeUInt32LE(head.byteLength);
  const rest = Buffer.concat([size, head, ...modules]);
  return Buffer.concat([digestOf(rest), rest]);
}

/** Null for bytes that are damaged, or of another revision. */
export function decodeForm(bytes: Uint8Array<ArrayBuffer>): PreparedForm | null {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const rest = buffer.subarray(checkBytes);
  if (!digestOf(rest).equals(buffer.subarray(0, checkBytes))) return null;
  const headEnd = 4 + rest.readUInt32LE(0);
  const head = JSON.parse(rest.toString("utf8", 4, headEnd)) as Head;
  if (head.revision !== revision) return null;
  let at = headEnd;
  const modules = head.lengths.map((length) => {
    at += length;
    return new Uint8Array(bytes.buffer, rest.byteOffset + at - length, length);
  });
  return { modules, plan: head.plan, memory: head.memory, resettable: head.resettable };
}

const digestOf = (bytes: Uint8Array): Buffer => createHash("sha256").update(bytes).digest();
