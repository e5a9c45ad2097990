// The error table: every code a caller can meet, with its HTTP status and whose fault it is.
// Everything that fails on purpose throws HostError; anything else is `internal`, is logged whole
// and tells the client nothing. `http/error-response.ts` is the one place that writes them out.

export type Fault = "caller" | "guest" | "host";

type ErrorRow = {
  readonly status: number;
  readonly fault: Fault;
  /** Whether the same request may succeed later without a change. */
  readonly retryable: boolean;
  /** One sentence for docs/errors.md: what it means and the way out. */
  readonly meaning: string;
};

const row = (status: number, fault: Fault, retryable: boolean, meaning: string): ErrorRow => ({
  status,
  fault,
  retryable,
  meaning,
});

export const errorTable = {
  bad_request: row(400, "caller", false, "The request is malformed; the detail names what is wrong"),
  invalid_name: row(
    400,
    "caller",
    false,
    "A name is 1 to 63 of a-z, 0-9 and inner hyphens; choose such a name",
  ),
  invalid_key: row(
    400,
    "caller",
    false,
    "A key is 1 to 1,024 bytes of UTF-8, percent-encoded in a path; choose such a key",
  ),
  invalid_config: row(400, "caller", false, "The configuration is not valid; the detail lists every fault"),
  invalid_alias: row(
    400,
    "caller",
    false,
    "The alias cannot be set or removed so; the detail says what is wrong, docs/releases.md what an alias is",
  ),
  invalid_route: row(
    400,
    "caller",
    false,
    "The route is not valid; the detail names every fault, docs/routes.md what a route is",
  ),
  invalid_trigger: row(400, "caller", false, "The trigger is not valid; the detail names every fault"),
  invalid_event: row(
    400,
    "caller",
    false,
    "The event is none of CloudEvents 1.0; the detail says what is wrong with it",
  ),
  unauthorized: row(
    401,
    "caller",
    false,
    "Send the host's token, or one that it has made and that has not expired, as `Authorization: Bearer TOKEN`",
  ),
  forbidden: row(
    403,
    "caller",
    false,
    "The token is not for this; the detail names the scope, name or namespace. Use another, or have one made",
  ),
  origin_refused: row(
    403,
    "caller",
    false,
    "The control plane answers only its own host name, and no other site's pages; call it from a program or by its own address",
  ),
  loopback_only: row(
    403,
    "caller",
    false,
    "Without a token the control plane answers only loopback peers; start the host with --token",
  ),
  link_refused: row(
    403,
    "caller",
    false,
    "The signed URL has expired, or was made for another request; ask for a new one",
  ),
  quota_exceeded: row(
    403,
    "caller",
    false,
    "There is room for no more of it; the detail names the limit or quota. Remove some, or have the quota raised",
  ),
  not_found: row(404, "caller", false, "No such route; see /openapi.json"),
  function_not_found: row(404, "caller", false, "No function or version of that name; deploy it first"),
  alias_not_found: row(404, "caller", false, "The function has no alias of that name; see its aliases"),
  route_not_found: row(404, "caller", false, "The host has no route of that name; see /v1/routes"),
  trigger_not_found: row(404, "caller", false, "The function has no trigger of that name"),
  event_not_found: row(404, "caller", false, "No such event: it has been delivered, or dropped"),
  invocation_not_found: row(
    404,
    "caller",
    false,
    "No such call: none that is asynchronous, or ended lately; or its time is over",
  ),
  namespace_not_found: row(
    404,
    "caller",
    false,
    "No such namespace; PUT /v1/namespaces/{namespace} makes one",
  ),
  token_not_found: row(404, "caller", false, "No such token; it may have been revoked"),
  secret_not_found: row(404, "caller", false, "The function has no secret of that name"),
  blob_not_found: row(404, "caller", false, "The bucket has no such blob; see the listing of the bucket"),
  key_not_found: row(404, "caller", false, "The store has no such key, or it has expired"),
  method_not_allowed: row(
    405,
    "caller",
    false,
    "The route exists, but not with this method; see the Allow header",
  ),
  request_timeout: row(408, "caller", true, "The request did not arrive complete in time; send it again"),
  route_conflict: row(
    409,
    "caller",
    false,
    "Another route takes the same requests, which the detail names; change or remove that one",
  ),
  route_reserved: row(
    409,
    "caller",
    false,
    "The route would take what is the host's own; choose another path, or a host name of the route's own",
  ),
  no_live_version: row(
    409,
    "caller",
    false,
    "The first version of a function is live; deploy it without live=false",
  ),
  no_canary: row(
    409,
    "caller",
    false,
    "The alias has no canary with a share of its calls; release the version that you mean",
  ),
  no_version_before: row(409, "caller", false, "The alias has led to no other version; name the version"),
  not_a_number: row(
    409,
    "caller",
    false,
    "Only a whole number of 64 bits in decimal digits can be incremented; set the key to one first",
  ),
  namespace_in_use: row(
    409,
    "caller",
    false,
    "The namespace is not empty, or is `default`; remove what is in it first",
  ),
  event_running: row(
    409,
    "caller",
    true,
    "An attempt to deliver the event runs; try again when it has ended",
  ),
  backup_running: row(409, "caller", true, "Another backup is being made; try again when it has ended"),
  no_answer: row(
    409,
    "caller",
    true,
    "The asynchronous call has not ended, or has failed; its state says which",
  ),
  too_deep: row(
    409,
    "caller",
    false,
    "The event stems from events that stem from one another, sixteen deep; a function publishes what starts it",
  ),
  precondition_failed: row(
    412,
    "caller",
    false,
    "The key or blob is not as If-Match or If-None-Match ask; read it again and decide anew",
  ),
  value_too_large: row(413, "caller", false, "The value is over the limit; keep it in a blob"),
  blob_too_large: row(
    413,
    "caller",
    false,
    "The blob is over the limit; keep it in several, or read it in ranges",
  ),
  secret_too_large: row(
    413,
    "caller",
    false,
    "The secret is over the limit; keep what is so large in a blob",
  ),
  event_too_large: row(
    413,
    "caller",
    false,
    "The event is over the limit; keep its data in a blob or a store",
  ),
  body_too_large: row(413, "caller", false, "The request body is over the limit; send less"),
  module_too_large: row(413, "caller", false, "The upload is over the limit; make the module smaller"),
  files_too_large: row(413, "caller", false, "The files of the upload are over the limit; carry fewer"),
  unsupported_media_type: row(
    415,
    "caller",
    false,
    "The body is not of the content type this route takes; the detail names it",
  ),
  range_not_satisfiable: row(
    416,
    "caller",
    false,
    "The blob ends before the range begins; Content-Range has its length",
  ),
  invalid_module: row(
    422,
    "caller",
    false,
    "The upload is no valid WebAssembly module; the detail says what it is",
  ),
  invalid_files: row(
    422,
    "caller",
    false,
    "The files of the upload are no archive, or one of them cannot be taken; it is named",
  ),
  unknown_import: row(
    422,
    "caller",
    false,
    "The module imports what the host does not offer; each import is named",
  ),
  unsupported_feature: row(
    422,
    "caller",
    false,
    "The module uses a feature or size that cannot be contained; it is named with function and offset; a host with --allow-unmetered takes most of them",
  ),
  database_refused: row(
    422,
    "caller",
    false,
    "PostgreSQL does not allow what the trigger needs, or lacks it; the detail says what and the way out",
  ),
  start_failed: row(422, "caller", false, "The trial instantiation trapped or ran out of time"),
  unknown_abi: row(
    422,
    "caller",
    false,
    "The module has no entry point the host knows; build it with `mayfly build`",
  ),
  rate_limited: row(
    429,
    "caller",
    true,
    "More calls than the function, the token or the namespace may have; wait as Retry-After says",
  ),
  concurrency_limited: row(
    429,
    "caller",
    true,
    "The function's concurrency and queue are full; wait as Retry-After says or raise `concurrency`",
  ),
  queue_full: row(
    429,
    "caller",
    true,
    "As many events wait as the host keeps; wait as Retry-After says, or drop dead letters",
  ),
  internal: row(500, "host", true, "Our own fault; the host's log has it under the request id"),
  guest_trapped: row(502, "guest", false, "The function trapped; its log has the reason"),
  memory_exceeded: row(
    502,
    "guest",
    false,
    "The function needs more memory than `memoryMb` allows; raise it or need less (422 when met at deploy)",
  ),
  bad_guest_output: row(
    502,
    "guest",
    false,
    "The function's answer is no valid HTTP response, or is over the limit",
  ),
  database_unreachable: row(
    502,
    "caller",
    true,
    "The database cannot be reached by the trigger's URL; the detail says why. Mend that, and try again",
  ),
  program_failed: row(
    502,
    "guest",
    false,
    "The program ended itself with an exit code other than 0 before its answer had begun to leave; its log says what it wrote to stderr",
  ),
  no_cgi_headers: row(
    502,
    "guest",
    false,
    "The program ended without a header block and an empty line on its stdout; print `Content-Type: text/plain` and an empty line first",
  ),
  bad_cgi_headers: row(
    502,
    "guest",
    false,
    "The header block on the program's stdout breaks the rules of CGI (RFC 3875, section 6); its log names the line",
  ),
  overloaded: row(503, "host", true, "The host is saturated or draining; wait as Retry-After says"),
  worker_lost: row(503, "host", true, "The thread or process ended under the call; try again"),
  function_quarantined: row(
    503,
    "guest",
    false,
    "The version may not run: it was alone when the host process died three times (deploy a new one, or POST its /unquarantine), or is not metered and the host runs without --allow-unmetered",
  ),
  deadline_exceeded: row(504, "guest", true, "The call ran longer than `timeoutMs`, waiting included"),
  cpu_exceeded: row(504, "guest", false, "The call used more CPU time than `cpuMs`"),
  storage_full: row(507, "host", true, "The data folder's disk is full; free some space"),
} as const satisfies Record<string, ErrorRow>;

export type ErrorCode = keyof typeof errorTable;

/** How a call went, for the metrics. */
export type CallOutcome = "ok" | "client_gone" | ErrorCode;

export type HostErrorOptions = {
  /** Overrides the table's status: `memory_exceeded` is 422 at a deploy, `bad_request` 417 or 431 where HTTP has a status of its own. */
  readonly status?: number;
  /** Seconds for Retry-After. */
  readonly retryAfterS?: number;
  /** Further fields of the answer; names and values alternate. */
  readonly headers?: readonly string[];
  /** Further members of the problem document (RFC 9457, section 3.2). */
  readonly extra?: Readonly<Record<string, unknown>>;
  readonly cause?: unknown;
};

/** A failure with a code of the table; `message` is shown to the caller, so it holds nothing secret. */
export class HostError extends Error {
  readonly code: ErrorCode;
  readonly status: number;
  readonly retryAfterS: number | undefined;
  readonly headers: readonly string[];
  readonly extra: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, message: string, options: HostErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "HostError";
    this.code = code;
    this.status = options.status ?? errorTable[code].status;
    this.retryAfterS = options.retryAfterS;
    this.headers = options.headers ?? [];
    this.extra = options.extra ?? {};
  }
}

/** The client of a call went away before it had its answer: the call was stopped, and nobody is told. */
export class CallAbandoned extends Error {}
