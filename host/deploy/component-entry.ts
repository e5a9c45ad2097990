// Whether a component speaks to the host as the host speaks to it: what it exports, and what it imports, by
// interface and by function. Pure functions over what reading it found out.

import type { ComponentPlan } from "../component-plan.ts";
import { HostError } from "../errors.ts";
import { printable } from "../printable.ts";
import type { ComponentInspection, WantedFunction } from "../wasm/component/inspect-component.ts";
import { offeredFunction, offeredInterface } from "../worker/abi/component/interfaces.ts";

const shownMax = 20;

/** Throws `unknown_import` that names each interface, and each function of one, that the host does not have. */
export function assertInterfacesOffered({ interfaces, functions }: ComponentInspection): void {
  const missing = interfaces.filter((name) => offeredInterface(name) === undefined);
  const faults = functions
    .filter(({ source }) => !missing.includes(source.interface))
    .map(functionFault)
    .filter((fault) => fault !== null);
  const all = [...new Set([...missing.map(quoted), ...faults])];
  if (all.length === 0) return;
  const shown = all.slice(0, shownMax).join(", ");
  const more = all.length > shownMax ? ` and ${all.length - shownMax} more` : "";
  throw new HostError(
    "unknown_import",
    `Cannot deploy: the component imports what this host does not offer: ${shown}${more}`,
    { extra: { imports: all.slice(0, 100) } },
  );
}

function functionFault({ source, import: entry }: WantedFunction): string | null {
  const name = source.kind === "drop" ? `the resource ${source.resource}` : source.name;
  const shown = source.interface === "" ? quoted(name) : quoted(`${source.interface} ${name}`);
  const offered = offeredFunction(source);
  if (offered === undefined) return shown;
  const wanted = `(${entry.type?.params.join(", ")}) -> (${entry.type?.results.join(", ")})`;
  const type = offered === "drop" ? { params: ["i32"], results: [] } : offered;
  const own = `(${type.params.join(", ")}) -> (${type.results.join(", ")})`;
  return wanted === own ? null : `${shown} with type ${wanted}, offered is ${own}`;
}

/** How a component is linked; throws `unknown_abi` when it handles no requests. */
export function planOf({ plan, exports }: ComponentInspection): ComponentPlan {
  if (plan !== null) return plan;
  const names = exports.slice(0, shownMax).map(quoted);
  throw new HostError(
    "unknown_abi",
    `Cannot deploy: the component exports ${names.length === 0 ? "nothing" : names.join(", ")}, want "wasi:http/incoming-handler@0.2.x"`,
  );
}

function quoted(text: string): string {
  return JSON.stringify(printable(text.length > 100 ? `${text.slice(0, 100)}...` : text));
}
