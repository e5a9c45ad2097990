// Every bound of the host, in one table: value, unit and why. Served as GET /v1/limits and held
// against docs/limits.md by a test. Relations between bounds are asserted by `assertLimits`.

import { strict as assert } from "node:assert";

type Limit = { readonly value: number; readonly unit: string; readonly why: string };

const limit = (value: number, unit: string, why: string): Limit => ({ value, unit, why });

export const limitTable = {
  moduleBytesMax: limit(64 * 1024 * 1024, "bytes", "an upload is held in memory while it is inspected"),
  filesBytesMax: limit(64 * 1024 * 1024, "bytes", "files of one version together: each thread may read them"),
  filesMax: limit(10_000, "files", "and empty folders of one version"),
  filePathBytesMax: limit(1_024, "bytes", "of one file's path, from the root"),
  requestBodyBytesMax: limit(6 * 1024 * 1024, "bytes", "a request body is buffered before a thread is held"),
  responseBodyBytesMax: limit(6 * 1024 * 1024, "bytes", "a response body is copied out of the guest at once"),
  streamedRequestBytesMax: limit(
    5 * 1024 * 1024 * 1024,
    "bytes",
    "a request body that its guest reads as it comes; the call's time ends most before",
  ),
  streamedResponseBytesMax: limit(
    5 * 1024 * 1024 * 1024,
    "bytes",
    "a response body that its guest writes in pieces; the call's time ends most before",
  ),
  configBodyBytesMax: limit(256 * 1024, "bytes", "a JSON body of the control plane is parsed at once"),
  responseHeaderBytesMax: limit(
    64 * 1024,
    "bytes",
    "names and values of a guest's response headers together",
  ),
  responseHeadersMax: limit(100, "headers", "more is a mistake or an attack on proxies behind us"),
  requestHeaderBytesMax: limit(16 * 1024, "bytes", "Node's parser answers 431 beyond it"),
  headersTimeoutMs: limit(10_000, "ms", "a client that dribbles its headers is let go"),
  bodyIdleTimeoutMs: limit(10_000, "ms", "a request body that stands still is let go"),
  requestTimeoutMs: limit(300_000, "ms", "the longest a whole request may take to arrive"),
  writeStallTimeoutMs: limit(30_000, "ms", "a reader that stands still is cut off"),
  requestsPerSocketMax: limit(10_000, "requests", "a connection is renewed now and then"),
  functionsMax: limit(100_000, "functions", "the list must stay answerable"),
  versionsPerFunctionMax: limit(100, "versions", "older ones are removed, newest kept"),
  aliasesPerFunctionMax: limit(20, "aliases", "of one function; the versions that they name are kept"),
  routesMax: limit(10_000, "routes", "of one host: the list must stay answerable"),
  routePatternBytesMax: limit(1_024, "bytes", "of one route's pattern"),
  routeSegmentsMax: limit(32, "segments", "of one route's pattern: each may be tried twice"),
  routeBodyBytesMax: limit(64 * 1024, "bytes", "of a route's fixed response, which is in memory"),
  responseCacheBytesMax: limit(
    64 * 1024 * 1024,
    "bytes",
    "of answers kept for routes; least recently used go",
  ),
  responseCacheAnswerBytesMax: limit(1024 * 1024, "bytes", "of one answer that is kept for a route"),
  deploysAtOnceMax: limit(4, "deploys", "each holds its whole upload in memory"),
  prepareTimeoutMs: limit(30_000, "ms", "reading and rewriting a component that is large"),
  inspectStartFunctionTimeoutMs: limit(1_000, "ms", "wall time of the trial instantiation in the inspector"),
  inspectCompileTimeoutMs: limit(10_000, "ms", "wall time of the first compile in the inspector"),
  wasmFunctionBytesMax: limit(256 * 1024, "bytes", "one body: the optimising compiler cannot be interrupted"),
  wasmFunctionsMax: limit(50_000, "functions", "instantiation is linear in it"),
  wasmTypesMax: limit(10_000, "types", "instantiation is linear in it"),
  wasmImportsMax: limit(1_000, "imports", "each is checked and linked at every call"),
  wasmExportsMax: limit(1_000, "exports", "each becomes an object at every call"),
  wasmGlobalsMax: limit(10_000, "globals", "each is set at every call"),
  wasmSegmentsMax: limit(100_000, "segments", "each is copied at every call; V8 takes no more"),
  wasmSegmentElementsMax: limit(
    100_000,
    "elements",
    "of all element segments: they are written at every call, at once",
  ),
  wasmConstantInstructionsMax: limit(
    500_000,
    "operations",
    "of all constant expressions: they run at every call, at once",
  ),
  wasmMemoriesMax: limit(16, "memories", "of a module that is not metered: each reserves address space"),
  wasmTableElementsMax: limit(100_000, "elements", "all tables together; V8 aborts on huge ones"),
  wasmTablesMax: limit(16, "tables", "each is allocated at every call"),
  wasmLocalsMax: limit(50_000, "locals", "per function, as V8 has it"),
  wasmSignatureTypesMax: limit(1_000, "types", "parameters, and results, of one type, as V8 has it"),
  wasmCustomSectionsMax: limit(1_000, "sections", "each costs an object here and in V8"),
  wasmCustomBytesMax: limit(16 * 1024 * 1024, "bytes", "custom sections (names, debug) together"),
  componentInstancesMax: limit(
    32,
    "instances",
    "of core modules in one component: each is made at every call",
  ),
  componentDepthMax: limit(16, "components", "instantiated within one another"),
  componentDefinitionsMax: limit(
    100_000,
    "definitions",
    "of one component, counted anew wherever it is instantiated",
  ),
  listItemsMax: limit(10_000, "items", "of one list that a component hands to the host"),
  allocationChecksMax: limit(
    1_000,
    "checks",
    "some 100,000 instructions each, that a component's allocator may run while the host waits for it",
  ),
  resourcesPerCallMax: limit(10_000, "resources", "that a component holds at one time"),
  listBytesMax: limit(16 * 1024 * 1024, "bytes", "of strings and bytes in one list of a component's"),
  keptBytesMax: limit(
    64 * 1024 * 1024,
    "bytes",
    "of fields, bodies and answers that the host keeps for a component beside its memory",
  ),
  logBytesPerCallMax: limit(64 * 1024, "bytes", "a guest that floods its log is cut"),
  logLinesPerCallMax: limit(1_000, "lines", "a guest that floods its log is cut"),
  logLineBytesMax: limit(8 * 1024, "bytes", "a longer line is cut"),
  logBytesPerFunctionMax: limit(2 * 1024 * 1024, "bytes", "the ring on disk, in two halves"),
  logFollowersMax: limit(100, "connections", "open ?follow=1 streams of one host"),
  hostCallsPerCallMax: limit(100_000, "host calls", "a storm of host calls is a runaway"),
  systemCallsPerCallMax: limit(
    10_000_000,
    "calls",
    "of one call to the system interface (WASI): a program may write byte by byte, and pays with its CPU time",
  ),
  systemCallBytesMax: limit(65_536, "bytes", "moved by one call of it: more is done in several"),
  systemRandomBytesMax: limit(
    4 * 1024 * 1024,
    "bytes",
    "random ones, of one call to the system interface: libraries ask for all they want at once",
  ),
  systemVectorsMax: limit(1_024, "vectors", "of one read or write, and things that one poll waits for"),
  descriptorsMax: limit(1_024, "descriptors", "that one call has open"),
  scratchBytesMax: limit(16 * 1024 * 1024, "bytes", "in /tmp of one call, which is in memory"),
  scratchFilesMax: limit(1_000, "files", "and folders in /tmp of one call"),
  sleepMsMax: limit(900_000, "ms", "one sleep(), no longer than a call can last"),
  instanceUsesMax: limit(1_000, "calls", "on one instance, where the configuration asks for `reuse`"),
  fetchesPerCallMax: limit(1_000, "fetches", "of one call: more is a storm on somebody else"),
  tokensMax: limit(10_000, "tokens", "beside the host's own: all are in memory"),
  tokenSecondsMax: limit(315_360_000, "s", "until a token expires: what is to last for longer does not"),
  namespacesMax: limit(1_000, "namespaces", "of one host: all are in memory"),
  auditEntriesMax: limit(100_000, "entries", "of the audit log, the newest"),
  auditAgeMs: limit(31_536_000_000, "ms", "older entries of the audit log go"),
  auditValueBytesMax: limit(
    16 * 1024,
    "bytes",
    "of what a change has changed, before and after, in its entry",
  ),
  secretBytesMax: limit(32 * 1024, "bytes", "of one secret: a key with its certificates has room"),
  secretsPerFunctionMax: limit(100, "secrets", "of one function: each thread is given them all"),
  kvKeyBytesMax: limit(1_024, "bytes", "a key is compared and listed"),
  kvValueBytesMax: limit(1024 * 1024, "bytes", "a value is read and written whole"),
  kvListMax: limit(1_000, "keys", "of one answer to a listing; the cursor leads to the next ones"),
  blobBytesMax: limit(5 * 1024 * 1024 * 1024, "bytes", "of one blob, as one upload of S3 has it"),
  blobListMax: limit(1_000, "blobs", "of one answer to a listing; the cursor leads to the next ones"),
  blobMetadataBytesMax: limit(2 * 1024, "bytes", "names and values of a blob's metadata: they are headers"),
  formFilesMax: limit(100, "files", "of one form: they become blobs together"),
  linkSecondsMax: limit(604_800, "s", "a signed URL is valid, as those of S3"),
  eventBytesMax: limit(
    256 * 1024,
    "bytes",
    "attributes and data of an event: it is in memory while it is delivered",
  ),
  eventsPerBatchMax: limit(1_000, "events", "that are published together, all or none"),
  queueEventsMax: limit(
    100_000,
    "deliveries",
    "that wait, run or are dead letters; then publishing is refused",
  ),
  triggersPerFunctionMax: limit(100, "triggers", "of one function"),
  missedInstantsMax: limit(100, "instants", "of a schedule that are made up for, the last ones"),
  databaseTimeoutMs: limit(10_000, "ms", "a connection to a trigger's database, and a statement there"),
  asksPerCallMax: limit(1_000, "questions", "of one call to the stores and queues of the host"),
  fetchTimeoutMs: limit(60_000, "ms", "one fetch, redirects included, unless the call ends before"),
  fetchRedirectsMax: limit(5, "redirects", "of one fetch, each checked as the first address was"),
  fetchesAtOnceMax: limit(512, "fetches", "of one host; more wait, and their time goes on"),
  fetchesAtOncePerFunctionMax: limit(64, "fetches", "of one function; more wait, and their time goes on"),
  lookupsAtOnceMax: limit(2, "lookups", "of host names: each blocks a thread that files need too"),
  usageFlushMs: limit(500, "ms", "what was counted is stored this often, while there is something to count"),
  usageRowsPerBatchMax: limit(1_000, "rows", "of usage that are stored in one transaction"),
  usageHoursMax: limit(9_600, "hours", "of usage are kept, those in which nothing was called left out"),
  usageGapsMax: limit(1_000, "gaps", "in the usage are kept, the last ones"),
  usageAnswerRowsMax: limit(10_000, "rows", "of one answer about usage: it is in memory whole"),
  metricFunctionsMax: limit(
    50,
    "functions",
    "that have lines of their own in /metrics; the others share one",
  ),
  trafficWatchersMax: limit(
    16,
    "requests",
    "at once to /v1/traffic, each of which keeps sums of all functions",
  ),
  tracesQueuedMax: limit(
    4_096,
    "calls",
    "sampled ones that wait for the collector of traces; more are dropped",
  ),
  recentCallsMax: limit(5_000, "calls", "that went well are kept one by one, in memory"),
  recentCallsPerSecondMax: limit(100, "calls", "that went well are kept of one second, the first ones"),
  recentFailuresMax: limit(5_000, "calls", "that failed are kept one by one, in memory"),
  callDepthMax: limit(16, "calls", "a function that calls a function that calls a function …"),
  randomBytesMax: limit(65_536, "bytes", "one call of random(), as in the Web Crypto API"),
  hostCallBytesMax: limit(
    32 * 1024,
    "bytes",
    "of one string handed to a host call; a line of the log is less",
  ),
  envEntriesMax: limit(256, "variables", "of one function"),
  envBytesMax: limit(64 * 1024, "bytes", "names and values of a function's env together"),
  liveCallsMax: limit(12_000, "calls", "admitted calls of the host, running or waiting for a thread"),
  bodyBytesHeldMax: limit(
    512 * 1024 * 1024,
    "bytes",
    "bodies of requests and large answers in memory at once",
  ),
  callsPerThreadMax: limit(256, "calls", "that share one thread by turns; those that wait do not count"),
  callsPerThreadAndVersionMax: limit(
    16,
    "calls",
    "of one version that share one thread: the rest wait, and keep no others from it",
  ),
  workersMax: limit(1_024, "threads", "that `--max-workers` may ask for"),
  ownPoolsMax: limit(32, "functions", "that run on threads of their own at one time"),
  ownThreadsMax: limit(8, "threads", "of one function that has threads of its own"),
  modulesCachedMax: limit(1_500, "modules", "compiled modules kept; the least recently used goes first"),
  modulesWarmMax: limit(512, "modules", "compiled modules kept that were deployed and nobody has called yet"),
  modulesCachedBytesMax: limit(256 * 1024 * 1024, "bytes", "bytes of those called, and again in each thread"),
  modulesWarmBytesMax: limit(128 * 1024 * 1024, "bytes", "bytes of those that nobody has called yet"),
  threadStallMs: limit(5, "ms", "calls not begun on a thread that stands still longer are moved to another"),
  stopGraceMs: limit(100, "ms", "a call asked to stop whose thread stands still longer is answered for"),
  stopBackstopMs: limit(1_000, "ms", "a thread that stands still longer with such a call is ended"),
  threadSilenceMs: limit(10_000, "ms", "a thread with work that gives no sign of life is ended"),
  threadIdleMs: limit(30_000, "ms", "a thread with nothing to run ends, beyond those that are kept"),
  threadEndTimeoutMs: limit(2_000, "ms", "a thread that will not end costs the process"),
  drainTimeoutMs: limit(30_000, "ms", "running calls may end after SIGTERM"),
  heartbeatMs: limit(250, "ms", "the host tells the supervisor that its event loop turns"),
  heartbeatTimeoutMs: limit(3_000, "ms", "a host that is silent this long is killed and replaced"),
  dataLockTimeoutMs: limit(5_000, "ms", "a start waits this long for the data folder's lock"),
  crashesMax: limit(3, "crashes", "as the only suspect, then the version is quarantined"),
  crashWindowMs: limit(3_600_000, "ms", "older crashes are forgotten"),
} as const satisfies Record<string, Limit>;

export type LimitName = keyof typeof limitTable;

/** The bare values, by name. */
export const limits = Object.freeze(
  Object.fromEntries(Object.entries(limitTable).map(([name, row]) => [name, row.value])),
) as { readonly [name in LimitName]: number };

/** Asserts the relations between bounds; called once at start. */
export function assertLimits(): void {
  assert(limits.wasmFunctionBytesMax < limits.moduleBytesMax);
  assert(limits.heartbeatMs * 4 <= limits.heartbeatTimeoutMs);
  assert(limits.logBytesPerCallMax <= limits.logBytesPerFunctionMax / 2);
  assert(limits.logLineBytesMax <= limits.logBytesPerCallMax);
  assert(limits.threadEndTimeoutMs < limits.heartbeatTimeoutMs);
  assert(limits.stopGraceMs < limits.stopBackstopMs && limits.stopBackstopMs < limits.threadSilenceMs);
  assert(limits.moduleBytesMax * 2 <= limits.modulesCachedBytesMax);
  assert(limits.moduleBytesMax * 2 <= limits.modulesWarmBytesMax);
  assert(limits.requestBodyBytesMax <= limits.bodyBytesHeldMax);
  // Each names up to three versions, and the newest is kept too.
  assert(limits.aliasesPerFunctionMax * 3 < limits.versionsPerFunctionMax);
  assert(limits.filesBytesMax <= limits.moduleBytesMax);
}
