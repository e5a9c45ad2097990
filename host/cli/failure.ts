// The two ways a command ends badly: wrong usage (exit 2) and a failure (exit 1). Thrown anywhere
// in cli/, printed only by `output.ts`. `code` is what --json shows: the host's own code where it
// answered a problem document.

/** Exit codes of the command line, as docs/cli.md has them. */
export const exitCodes = { done: 0, failed: 1, wrongUsage: 2, interrupted: 130 } as const;

export class CommandFailure extends Error {
  readonly code: string;
  /** Further members of the JSON form. */
  readonly details: Readonly<Record<string, unknown>>;

  constructor(
    code: string,
    message: string,
    options: { readonly details?: Readonly<Record<string, unknown>>; readonly cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "CommandFailure";
    this.code = code;
    this.details = options.details ?? {};
  }
}

export class WrongUsage extends Error {
  /** Further members of the JSON form. */
  readonly details: Readonly<Record<string, unknown>>;

  constructor(message: string, details: Readonly<Record<string, unknown>> = {}) {
    super(message);
    this.name = "WrongUsage";
    this.details = details;
  }
}

/** The message of whatever was thrown. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/** The system's code (ENOENT, ECONNREFUSED …) of whatever was thrown, if it has one. */
export function systemCodeOf(thrown: unknown): string | undefined {
  if (!(thrown instanceof Error) || !("code" in thrown)) return undefined;
  return typeof thrown.code === "string" ? thrown.code : undefined;
}
