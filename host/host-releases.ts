// Which versions calls run: the router, the changes of aliases, and the watch over canaries. Wired here for
// `main.ts`.

import type { Logger } from "pino";
import type { HostConfig } from "./config.ts";
import { Releases } from "./deploy/releases.ts";
import { madeEvent } from "./events/cloud-events.ts";
import type { EventQueue } from "./events/queue.ts";
import { HeldDigests } from "./held-digests.ts";
import type { InvokeRouteParts } from "./http/invoke-routes.ts";
import { monotonicMs } from "./invocation.ts";
import { CanaryWatch } from "./invoke/canary-watch.ts";
import type { Modules } from "./invoke/modules.ts";
import { routeCall } from "./invoke/router.ts";
import { plainName } from "./namespace.ts";
import type { FunctionStore } from "./store/function-store.ts";

export type HostReleases = {
  readonly releases: Releases;
  readonly held: HeldDigests;
  /** What the routes of the data plane need of it. */
  readonly routing: Pick<InvokeRouteParts, "route" | "hold">;
  /** A call has ended. */
  readonly onEnd: InvokeRouteParts["onEnd"];
};

export function openReleases(
  { allowUnmetered }: Pick<HostConfig, "allowUnmetered">,
  parts: {
    readonly functions: FunctionStore;
    readonly modules: Pick<Modules, "warm">;
    readonly queue: Pick<EventQueue, "telling">;
    readonly log: Pick<Logger, "warn">;
    readonly onFault: (error: unknown, requestId: string) => void;
  },
): HostReleases {
  const { functions, modules, queue, log, onFault } = parts;
  const releases = new Releases({
    functions,
    allowUnmetered,
    warm: (form) => modules.warm(form),
    telling: (make) => queue.telling(make),
    eventOf: (type, name, data) => {
      const subject = plainName(name);
      const attributes = { type, subject, datacontenttype: "application/json" };
      const source = `/functions/${subject}`;
      return madeEvent(attributes, Buffer.from(JSON.stringify(data)), { source, depth: 0 });
    },
    onTakenBack: ({ alias, canary: { name, version }, reason }) =>
      log.warn(`the canary ${name}@${version} of the alias ${alias.name} was taken back: ${reason}`),
  });
  const canaries = new CanaryWatch({
    functions,
    takeBack: (breach) => releases.takeBack(breach),
    onFault: (error) => onFault(error, ""),
    now: monotonicMs,
  });
  const held = new HeldDigests();
  return {
    releases,
    held,
    routing: {
      route: (name, pin, headers) => routeCall(functions, { name, pin, headers }, allowUnmetered),
      hold: (deployment) => held.hold(deployment),
    },
    onEnd: ({ deployment, outcome, wallMs, status }) => {
      // Of a call that failed it is the host's own status.
      if (deployment?.isCanary) canaries.ended(deployment, outcome, wallMs, outcome === "ok" ? status : 0);
    },
  };
}
