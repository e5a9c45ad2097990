// What is measured: a .ts or .wasm file, a folder with one, or a function that is on the host already;
// and what every call of it sends. A folder's example.json says what to send unless options do.

import { readdir, readFile, stat } from "node:fs/promises";
import { basename, extname, join, resolve } from "node:path";
import { z } from "zod";
import { readFunctionName } from "../arguments.ts";
import type { FunctionConfig, HostClient } from "../client.ts";
import { type CommandContext, listOption, textOption } from "../command.ts";
import { CommandFailure, messageOf, WrongUsage } from "../failure.ts";
import { nameOfFile } from "../file-name.ts";
import { readModule } from "../function-source.ts";
import { readHeaders, readMethod, readRequestBody, requestTarget } from "../invoke-request.ts";
import { packFolder } from "../pack-folder.ts";
import type { CallTemplate } from "./calls.ts";
import { readSettings } from "./options.ts";

export type Target = {
  /** For people: the function's name, or that of the file. */
  readonly label: string;
  /** The function on the host, `hello` or `hello@2`; null where bench deploys it. */
  readonly deployed: string | null;
  /** The module's bytes; fetched from the host for a function that is there. */
  readonly wasm: () => Promise<Uint8Array>;
  /** The files that it carries beside; of a function on the host those of the version. */
  readonly files: () => Promise<Uint8Array<ArrayBuffer> | null>;
  /** The settings for what is deployed of it; null for the defaults. */
  readonly config: () => Promise<FunctionConfig | null>;
  readonly path: string;
  readonly template: CallTemplate;
};

const example = z.object({
  request: z.object({
    path: z.string().optional(),
    method: z.string().optional(),
    headers: z.record(z.string(), z.string()).optional(),
    body: z.string().optional(),
  }),
});
type ExampleRequest = z.infer<typeof example>["request"];

const usualNames = ["index.ts", "main.ts", "function.ts", "handler.ts", "src/index.ts"];

/** Compiles a .ts file. `client` is asked only for a function that is on the host. */
export async function readTarget(
  input: string,
  context: CommandContext,
  client: (() => HostClient) | null,
): Promise<Target> {
  const path = resolve(context.io.cwd, input);
  const kind = await kindOf(path);
  if (kind === "none" && extname(input) === "" && !input.includes("/")) {
    return deployedTarget(input, context, client);
  }
  if (kind === "none" && extname(input) === "") {
    throw new WrongUsage(`There is no file or folder ${JSON.stringify(input)}`);
  }
  const file = kind === "folder" ? await sourceIn(path, input) : input;
  const request = kind === "folder" ? await readExample(path) : {};
  const wasm = await readModule(file, context);
  const carried = textOption(context.options, "files");
  const files = carried === undefined ? null : await packFolder(resolve(context.io.cwd, carried), carried);
  const config = readSettings(context.options, null);
  return {
    label: nameOfFile(resolve(context.io.cwd, file)),
    deployed: null,
    wasm: async () => wasm,
    files: async () => files,
    config: async () => config,
    ...(await readCall(context, request)),
  };
}

async function deployedTarget(
  input: string,
  context: CommandContext,
  client: (() => HostClient) | null,
): Promise<Target> {
  const [name = "", pin] = input.split("@");
  const version = pin === undefined ? null : Number(pin);
  readFunctionName(name);
  if (client === null) {
    throw new WrongUsage(
      `There is no file or folder ${JSON.stringify(input)}; for a function of that name say which host has it with --url`,
    );
  }
  if (listOption(context.options, "config").length > 0) {
    throw new WrongUsage(`${name} is measured with the configuration that it has, leave --config away`);
  }
  if (textOption(context.options, "files") !== undefined) {
    throw new WrongUsage(`${name} is measured with the files that it carries, leave --files away`);
  }
  const found = (await client().list()).find((record) => record.name === name);
  if (found === undefined) {
    throw new CommandFailure("function_not_found", `function_not_found: The host has no function "${name}"`);
  }
  return {
    label: input,
    deployed: input,
    wasm: () => client().module(name, version),
    files: () => client().files(name, version),
    config: () => client().requireConfig(name),
    ...(await readCall(context, {})),
  };
}

async function readCall(
  context: CommandContext,
  request: ExampleRequest,
): Promise<Pick<Target, "path" | "template">> {
  const { options, io } = context;
  const data = textOption(options, "data");
  const headers = listOption(options, "header");
  const sent = data === undefined ? request.body : undefined;
  const body = data === undefined ? undefined : await readRequestBody(data, io);
  const method = textOption(options, "request") ?? (data === undefined ? request.method : "POST");
  const template = {
    method: readMethod(method ?? (sent === undefined ? "GET" : "POST")),
    headers: headers.length > 0 ? readHeaders(headers) : readHeaders(pairsOf(request.headers ?? {})),
    body: body ?? (sent === undefined ? undefined : new TextEncoder().encode(sent)),
  };
  const path = textOption(options, "path") ?? request.path ?? "/";
  requestTarget("a", path);
  return { path, template };
}

function pairsOf(headers: Readonly<Record<string, string>>): string[] {
  return Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
}

async function kindOf(path: string): Promise<"file" | "folder" | "none"> {
  try {
    return (await stat(path)).isDirectory() ? "folder" : "file";
  } catch {
    // What stands in the way of reading it is said when it is read.
    return "none";
  }
}

/** The function's file in a folder: one of the usual names, or the only one there is. */
async function sourceIn(folder: string, shown: string): Promise<string> {
  const usual = await Promise.all(
    usualNames.map(async (name) => (await kindOf(join(folder, name))) === "file"),
  );
  const named = usualNames.find((_, index) => usual[index]);
  if (named !== undefined) return join(shown, named);
  const files = await readdir(folder);
  const sources = files.filter((file) => /\.ts$/.test(file) && !/\.(d|test)\.ts$/.test(file));
  const candidates = sources.length > 0 ? sources : files.filter((file) => file.endsWith(".wasm"));
  const [only] = candidates;
  if (only !== undefined && candidates.length === 1) return join(shown, only);
  const found = candidates.length === 0 ? "no .ts and no .wasm file" : candidates.sort().join(", ");
  throw new WrongUsage(`Cannot tell which file of ${JSON.stringify(shown)} is the function: it has ${found}`);
}

async function readExample(folder: string): Promise<ExampleRequest> {
  const file = join(folder, "example.json");
  if ((await kindOf(file)) !== "file") return {};
  try {
    return example.parse(JSON.parse(await readFile(file, "utf8"))).request;
  } catch (error) {
    throw new CommandFailure(
      "file_failed",
      `Cannot read ${JSON.stringify(basename(file))} of the folder: ${messageOf(error)}`,
      { cause: error },
    );
  }
}
