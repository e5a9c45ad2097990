// From a name and a pin to the deployment that runs.

import { HostError } from "../errors.ts";
import { type Deployment, unmeteredWayOut } from "../function.ts";
import type { FunctionStore } from "../store/function-store.ts";

/** Throws `function_not_found` or `function_quarantined`. */
export function routeCall(
  functions: Pick<FunctionStore, "live" | "at">,
  name: string,
  pin: string | null,
  allowUnmetered: boolean,
): Deployment {
  const found = pin === null ? functions.live(name) : pinned(functions, name, pin);
  if (found === null) {
    throw new HostError(
      "function_not_found",
      `No function "${name}"${pin === null ? "" : " of that version"}`,
    );
  }
  if (found.quarantined) {
    throw new HostError(
      "function_quarantined",
      `Function "${name}" version ${found.version} is quarantined: the host process died three times while it alone was suspect; ` +
        `deploy a new version, or POST /v1/functions/${name}/unquarantine`,
    );
  }
  if (!found.metered && !allowUnmetered) {
    throw new HostError(
      "function_quarantined",
      `Function "${name}" version ${found.version} is not metered and this host does not run such; ${unmeteredWayOut}`,
    );
  }
  return found;
}

function pinned(functions: Pick<FunctionStore, "at">, name: string, pin: string): Deployment | null {
  return /^[1-9]\d{0,8}$/.test(pin) ? functions.at(name, Number(pin)) : null;
}
