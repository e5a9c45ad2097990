// wasi:cli 0.2: the function's variables as its environment, its log as its standard streams.

import { option, result, tuple } from "./compound-types.ts";
import type { ComponentGuest } from "./guest.ts";
import { earlyFunc, type Interface } from "./host-function.ts";
import { own } from "./resources.ts";
import { InputStream, OutputStream } from "./streams.ts";
import { list, string, u8 } from "./value-types.ts";

export const environment: Interface = {
  resources: [],
  functions: {
    "get-environment": earlyFunc([], list(tuple(string, string)), ({ state }) => [...state.env]),
    "get-arguments": earlyFunc([], list(string), ({ state }) => state.setting.args),
    "initial-cwd": earlyFunc([], option(string), () => "/"),
  },
};

const exitWith = (guest: ComponentGuest, code: number): void => guest.state.exit(code);

export const exit: Interface = {
  resources: [],
  functions: {
    exit: earlyFunc([result(null, null)], null, (guest, status) =>
      exitWith(guest, status.tag === "ok" ? 0 : 1),
    ),
    "exit-with-code": earlyFunc([u8], null, exitWith),
  },
};

export const stdin: Interface = {
  resources: [],
  functions: { "get-stdin": earlyFunc([], own(InputStream), () => new InputStream(() => null)) },
};

export const stdout: Interface = {
  resources: [],
  functions: {
    "get-stdout": earlyFunc(
      [],
      own(OutputStream),
      (guest) => new OutputStream((bytes) => guest.call.stdout.write(bytes)),
    ),
  },
};

export const stderr: Interface = {
  resources: [],
  functions: {
    "get-stderr": earlyFunc(
      [],
      own(OutputStream),
      (guest) => new OutputStream((bytes) => guest.call.stderr.write(bytes)),
    ),
  },
};

/** There is no terminal. */
class Terminal {}

export const terminalInput: Interface = { resources: ["terminal-input"], functions: {} };
export const terminalOutput: Interface = { resources: ["terminal-output"], functions: {} };

const none = earlyFunc([], option(own(Terminal)), () => undefined);

export const terminalStdin: Interface = { resources: [], functions: { "get-terminal-stdin": none } };
export const terminalStdout: Interface = { resources: [], functions: { "get-terminal-stdout": none } };
export const terminalStderr: Interface = { resources: [], functions: { "get-terminal-stderr": none } };
