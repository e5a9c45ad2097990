// Wires the host together: the only file that knows every folder. Started by `host-process.ts` under
// the supervisor, and in process by tests.

import pino, { type Logger } from "pino";
import { Backups } from "./backup/backups.ts";
import type { HostConfig } from "./config.ts";
import { Deployer } from "./deploy/deployer.ts";
import { checkEngine } from "./deploy/engine-check.ts";
import { Inspectors } from "./deploy/inspect.ts";
import type { EndedCall } from "./ended-call.ts";
import type { TriggerKey } from "./event.ts";
import { Deliveries } from "./events/deliveries.ts";
import type { Deployment } from "./function.ts";
import { type HostAccess, openAccess } from "./host-access.ts";
import { type HostObservers, openObservers } from "./host-observers.ts";
import { guestMemoryBytes, inlineCalls, startPools } from "./host-pools.ts";
import { hostReadings } from "./host-readings.ts";
import { openReleases } from "./host-releases.ts";
import { type HostServices, openServices } from "./host-services.ts";
import { type HostState, openState } from "./host-state.ts";
import { type ControlParts, controlApp } from "./http/app.ts";
import { BodyBudget } from "./http/body-budget.ts";
import { InternalCalls } from "./http/internal-calls.ts";
import { type InvokeRouteParts, InvokeRoutes } from "./http/invoke-routes.ts";
import { endServer, listen } from "./http/listen.ts";
import { Routing } from "./http/routing.ts";
import { createHttpServer } from "./http/server.ts";
import type { HostNow } from "./http/traffic-routes.ts";
import type { LogLine } from "./invocation.ts";
import { Admission } from "./invoke/admission.ts";
import { Invoker } from "./invoke/invoker.ts";
import { Modules } from "./invoke/modules.ts";
import type { Pools } from "./invoke/pools.ts";
import { Scheduler } from "./invoke/scheduler.ts";
import { assertLimits, limits } from "./limits.ts";
import { LogStore } from "./observe/log-store.ts";
import { Outbound, type OutboundParts } from "./outbound/outbound.ts";
import { Replications } from "./postgres/replications.ts";
import { digestOf } from "./store/files/artifact-store.ts";
import { type SyncPath, syncDirectly } from "./store/sync.ts";
import { Rewriter } from "./wasm/rewriter.ts";

export type HostOptions = {
  /** A listening socket's descriptor from the supervisor; without one the host binds itself. */
  readonly listenFd?: number;
  readonly log?: Logger;
  /** How files are made durable; directly by default. */
  readonly sync?: SyncPath;
  /** Who tries uploads; called once the data folder is this host's. Processes of its own by default. */
  readonly openInspectors?: () => Promise<Pick<Inspectors, "inspect" | "close">>;
  /** What the memories of live calls may hold together; half of the machine's memory by default. */
  readonly memoryBytesMax?: number;
  /** Events that wait or are dead letters at most; as `limits.queueEventsMax` by default. */
  readonly queueEventsMax?: number;
  /** Versions of a function that are kept; as `limits.versionsPerFunctionMax` by default. */
  readonly versionsMax?: number;
  /** Told of each call that ends, in place of what meters, counts, keeps and traces calls. */
  readonly onCallEnd?: (call: EndedCall) => void;
  /** The addresses of a host name that a guest asks; the system's resolver by default. */
  readonly resolve?: OutboundParts["resolve"];
};

export type Host = {
  /** `http://HOST:PORT` */
  readonly url: string;
  /** As `url`, with a loopback address where the host listens on all addresses. */
  readonly localUrl: string;
  readonly app: ReturnType<typeof controlApp>;
  /** The process ends soon and not by a guest's doing: what runs then is no evidence of a crash. */
  expectEnd(): void;
  /** Takes no new work, lets running work end for `limits.drainTimeoutMs`, writes everything out. */
  stop(): Promise<void>;
};

type OnFault = ControlParts["onFault"];

/** Starts a host; resolves when it listens. Throws DataFolderError when it cannot have its folder. */
export async function start(config: HostConfig, options: HostOptions = {}): Promise<Host> {
  assertLimits();
  const log = options.log ?? pino(pino.destination({ dest: 2, sync: true }));
  const onFault: OnFault = (error, requestId) => log.error({ err: error, requestId }, "internal fault");
  const state = await openState(config, options.sync ?? syncDirectly, log, options.versionsMax);
  const stores = openServices(state, options, (error) => onFault(error, ""));
  const access = openAccess(config, state, stores, (error) => onFault(error, ""));
  const observers = await openObservers(config, state, log, (error) => onFault(error, ""));
  const engine = startEngine(config, options, state, { ...stores, ...access, observers }, log, onFault);
  const { admission, bodies, invokeRoutes, logs, outbound, pools, scheduler } = engine;
  const events = startEvents(state, stores, engine, log, onFault);
  const routing = new Routing({ store: state.routes, hostNames: config.hostNames });
  const inspectors = await (options.openInspectors ?? Inspectors.open)();
  const deployer = newDeployer(config, state, {
    inspectors,
    engine,
    onRemoved: (name) => {
      routing.reload();
      events.functionRemoved(name);
    },
    onFault: (error) => onFault(error, ""),
  });
  await deployer.cleanUp();
  const backups = await openBackups(config, state, deployer, onFault);
  let localUrl = "";
  const app = controlApp({
    ...access,
    functions: state.functions,
    artifacts: state.artifacts,
    deployer,
    releases: engine.releases,
    routes: state.routes,
    routing,
    backups,
    ...stores,
    ...engine.shown,
    events: state.events,
    replications: events.replications,
    onTrigger: (key) => events.triggerChanged(key),
    bodies,
    logs,
    baseUrl: () => localUrl,
    notReady: () => (admission.draining ? "it is shutting down" : null),
    metrics: () => observers.metrics.text(),
    onDeploy: (outcome) => observers.metrics.deploy(outcome),
    onFault,
  });
  const server = createHttpServer({ invokeRoutes, routing, app, onFault, ending: () => admission.draining });
  const bound = await listen(server, config, options.listenFd);
  localUrl = bound.localUrl;
  events.start();
  const ending = new AbortController();
  const checked = checkModules(config, state, { engine, log, onFault, signal: ending.signal });
  return {
    ...bound,
    app,
    expectEnd: () => state.expectEnd(),
    stop: async () => {
      state.expectEnd();
      ending.abort();
      const delivered = events.close();
      await endServer(server, admission.drain(), limits.drainTimeoutMs);
      await checked;
      await pools.close();
      scheduler.close();
      // Calls that were cut off are recorded as such.
      await Promise.race([delivered, timeout(1_000)]);
      for (const part of [stores, outbound, inspectors]) part.close();
      await Promise.all([observers.close(), logs.flush(), access.close()]);
      await state.close();
    },
  };
}

/** What delivers events, and what brings those of databases. */
function startEvents(
  state: HostState,
  { queue, onAsyncEnd }: HostServices,
  engine: Engine,
  log: Logger,
  onFault: OnFault,
) {
  const faulty = (error: unknown): void => onFault(error, "");
  const deliveries = new Deliveries({ ...state, ...engine, queue, onAsyncEnd, onFault: faulty });
  const replications = new Replications({
    store: state.replications,
    queue,
    secrets: state.secretBox,
    onFault: faulty,
    warn: (message) => log.warn(message),
  });
  return {
    replications,
    start: () => {
      deliveries.start();
      replications.refresh();
    },
    triggerChanged: (key: TriggerKey) => {
      deliveries.triggerChanged(key);
      replications.refresh();
    },
    functionRemoved: (name: string) => {
      deliveries.functionRemoved(name);
      replications.refresh();
    },
    close: () => Promise.all([replications.close(), deliveries.close()]),
  };
}

function newDeployer(
  config: HostConfig,
  { functions, artifacts, preparer }: HostState,
  parts: { inspectors: Pick<Inspectors, "inspect">; engine: Engine } & {
    onRemoved: (name: string) => void;
    onFault: (error: unknown) => void;
  },
): Deployer {
  const { inspectors, engine, onRemoved, onFault } = parts;
  return new Deployer({
    functions,
    artifacts,
    preparer,
    inspectors,
    rewriter: new Rewriter(),
    digestOf,
    now: Date.now,
    allowUnmetered: config.allowUnmetered,
    onRemoved: (name) => {
      onRemoved(name);
      engine.shown.functionRemoved(name);
      return engine.logs.remove(name);
    },
    warm: (form) => engine.modules.warm(form),
    onOrphaned: (digest) => engine.modules.drop(digest),
    freed: (digest) => engine.held.freed(digest),
    onFault,
  });
}

function openBackups(
  { dataDir }: HostConfig,
  state: HostState,
  deployer: Deployer,
  onFault: OnFault,
): Promise<Backups> {
  return Backups.open({
    ...state,
    dataDir,
    now: Date.now,
    cleanUp: () => deployer.cleanUp(),
    onFault: (error) => onFault(error, ""),
  });
}

/** Looks at every module when Node is another than before; resolves when that is done. */
function checkModules(
  config: HostConfig,
  { functions, engineFile }: HostState,
  parts: { engine: Engine; log: Logger; onFault: OnFault; signal: AbortSignal },
): Promise<unknown> {
  const { engine, log, onFault, signal } = parts;
  return checkEngine({
    signal,
    file: engineFile,
    // Versions that are not metered are looked at where they may run.
    engine: `node ${process.version}${config.allowUnmetered ? ", unmetered too" : ""}`,
    versions: () => functions.list().filter(({ metered }) => metered || config.allowUnmetered),
    load: (form) => engine.modules.warm(form),
    onBroken: ({ name, version }, error) =>
      log.error({ err: error }, `${name}@${version} cannot run on this Node; deploy it again`),
  }).catch((error: unknown) => onFault(error, ""));
}

type Engine = ReturnType<typeof startEngine>;

type EngineParts = HostServices & HostAccess & { readonly observers: HostObservers };

/** Everything a call passes through, from its routes to the threads. */
function startEngine(
  config: HostConfig,
  options: HostOptions,
  state: HostState,
  { services, laterCalls, queue, secrets, gate, memory, observers }: EngineParts,
  log: Logger,
  onFault: OnFault,
) {
  const { functions, artifacts, runningFile } = state;
  const logs = new LogStore({ folder: state.logFolder, onFault: (error) => onFault(error, "") });
  const exists = (versionId: number): boolean => functions.byId(versionId) !== null;
  const appendLine = lineAppender(logs, (id, name) => functions.live(name)?.id === id || exists(id));
  const admission = new Admission();
  const modules = new Modules(artifacts, new Rewriter(), limits.modulesWarmMax, state.preparer.formOf);
  const memoryBytesMax = options.memoryBytesMax ?? guestMemoryBytes();
  const pools: Pools = startPools(
    config,
    { state, memoryBytesMax, log, onFault },
    {
      onRoom: () => scheduler.dispatch(),
      onEnded: (pool) => scheduler.forget(pool),
      onThreadLost: () => observers.metrics.threadLost(),
    },
  );
  const scheduler: Scheduler = new Scheduler((call) => pools.of(call), functions.suspects());
  const share = { cells: pools.cells, runningFile, memoryBytesMax };
  const inline = inlineCalls(config, share, scheduler);
  const hostNow = (): HostNow => ({
    liveCalls: admission.live,
    waitingCalls: scheduler.waiting,
    threads: pools.threads,
    guestBytes: pools.heldBytes,
  });
  observers.metrics.add(hostReadings({ hostNow, modules, inline, memoryBytesMax, queue, state }));
  const invoker: Invoker = new Invoker({
    admission,
    modules,
    inline,
    scheduler,
    secretsOf: (name) => secrets.of(name),
    holdMemory: (deployment) => memory.hold(deployment),
    log: appendLine,
    exists,
    errands: {
      fetch: (context, message) => outbound.fetch(context, message),
      ask: (context, message) => services.ask(context, message),
    },
    onCleared: (id) => void functions.clearSuspect(id).catch((error: unknown) => onFault(error, "")),
  });
  const { routing, ...released } = openReleases(config, { functions, modules, queue, log, onFault });
  const routeParts: InvokeRouteParts = {
    ...routing,
    invoke: (request) => invoker.invoke(request),
    load: (deployment) => invoker.load(deployment),
    gate,
    later: laterCalls(() => admission.draining),
    bodies: new BodyBudget(),
    onEnd: (call) => {
      (options.onCallEnd ?? observers.onEnd)(call);
      released.onEnd(call);
    },
    traces: observers.traces,
    onFault,
    onGuestFault: (deployment, requestId, message) => {
      appendLine(deployment, hostLine(deployment, requestId, message));
    },
  };
  const invokeRoutes = new InvokeRoutes(routeParts);
  const internalCalls = new InternalCalls(routeParts);
  const outbound: Outbound = new Outbound({
    internalCalls,
    bodies: routeParts.bodies,
    ...(options.resolve && { resolve: options.resolve }),
  });
  return {
    admission,
    bodies: routeParts.bodies,
    held: released.held,
    internalCalls,
    invokeRoutes,
    logs,
    modules,
    outbound,
    pools,
    releases: released.releases,
    scheduler,
    /** What the control plane shows of calls. */
    shown: { ...observers, hostNow },
  };
}

/** What the host says of a call in its function's log. */
function hostLine({ version }: Deployment, requestId: string, message: string): LogLine {
  return { time: new Date().toISOString(), level: "error", requestId, version, message };
}

/** A call may outlive its version: its lines must not begin a log again, nor get into the next one's. */
function lineAppender(logs: LogStore, isThere: (versionId: number, name: string) => boolean) {
  return ({ id, name }: Deployment, line: LogLine): void => {
    if (isThere(id, name)) logs.append(name, line);
  };
}

function timeout(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms).unref();
  });
}
