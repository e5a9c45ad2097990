// From a name, a pin and the request's headers to the deployment that runs.

import { isVersionNumber, liveAlias, type Release } from "../alias.ts";
import { HostError } from "../errors.ts";
import { type Deployment, unmeteredWayOut } from "../function.ts";
import type { FunctionStore } from "../store/function-store.ts";
import { type CallHeaders, isCanaryCall, textOf } from "./split.ts";

/** What a call asks for. */
export type Asked = {
  readonly name: string;
  /** The version or alias that its target names; null for none. */
  readonly pin: string | null;
  readonly headers: CallHeaders;
};

/** Pins where the target does not. */
const pinHeader = "x-mayfly-version";

/** Throws `function_not_found` or `function_quarantined`. */
export function routeCall(
  functions: Pick<FunctionStore, "release" | "at">,
  { name, pin, headers }: Asked,
  allowUnmetered: boolean,
): Deployment {
  const asked = pin ?? textOf(headers, pinHeader);
  const found =
    asked === null ? released(functions, name, liveAlias, headers) : pinned(functions, name, asked, headers);
  if (found === null) {
    throw new HostError(
      "function_not_found",
      `No function "${name}"${asked === null ? "" : " of that version or alias"}`,
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

function pinned(
  functions: Pick<FunctionStore, "release" | "at">,
  name: string,
  pin: string,
  headers: CallHeaders,
): Deployment | null {
  return isVersionNumber(pin) ? functions.at(name, Number(pin)) : released(functions, name, pin, headers);
}

function released(
  functions: Pick<FunctionStore, "release">,
  name: string,
  alias: string,
  headers: CallHeaders,
): Deployment | null {
  const release = functions.release(name, alias);
  if (release === null) return null;
  return release.canary === null ? release.stable : chosen(release, release.canary, headers);
}

function chosen({ alias, stable }: Release, canary: Deployment, headers: CallHeaders): Deployment {
  const { share } = alias.canary ?? { share: 0 };
  const isCanary = isCanaryCall({ share }, alias.sticky, {
    headers,
    salt: alias.function,
    random: Math.random,
  });
  return isCanary ? canary : stable;
}
