// Who may do what on a host: tokens, namespaces, rates and the audit log over the stores of the data folder. Called
// by `main.ts` at start.

import { Audit } from "./access/audit.ts";
import { Gate } from "./access/gate.ts";
import { MemoryQuotas } from "./access/memory-quotas.ts";
import { Namespaces } from "./access/namespaces.ts";
import { Rates } from "./access/rates.ts";
import { Tokens } from "./access/tokens.ts";
import type { HostConfig } from "./config.ts";
import type { HostServices } from "./host-services.ts";
import type { HostState } from "./host-state.ts";
import type { GuardBounds } from "./http/guard.ts";

export type HostAccess = {
  readonly guard: GuardBounds;
  readonly tokens: Tokens;
  readonly namespaces: Namespaces;
  readonly gate: Gate;
  readonly memory: MemoryQuotas;
  readonly audit: Audit;
  /** Writes out what is not written yet. */
  close(): Promise<void>;
};

export function openAccess(
  { token, hostNames, origins }: Pick<HostConfig, "token" | "hostNames" | "origins">,
  state: Pick<HostState, "tokens" | "namespaces" | "audit">,
  { queue }: Pick<HostServices, "queue">,
  onFault: (error: unknown) => void,
): HostAccess {
  const tokens = new Tokens({ store: state.tokens, root: token, onFault });
  const namespaces = new Namespaces(state.namespaces, (deliveries) => queue.dropped(deliveries));
  const gate = new Gate({ tokens, namespaces, rates: new Rates() });
  const memory = new MemoryQuotas(namespaces);
  const audit = new Audit(state.audit);
  const close = async (): Promise<void> => {
    await audit.close();
    await tokens.close();
  };
  const guard = { hasRoot: token !== null, tokens, hostNames, origins };
  return { guard, tokens, namespaces, gate, memory, audit, close };
}
