// `npm start`: runs the host with the examples deployed, and prints one curl command for each. An
// example is deployed when no function has its name, so what a user deployed under it stays.

import { ConfigError, type HostConfig, parseConfig } from "../host/config.ts";
import { superviseHost } from "../host/supervisor.ts";
import { compileExample, type Example, exampleNames, readExample } from "./examples.ts";

let config: HostConfig;
try {
  const parsed = parseConfig({}, process.env);
  config = parsed.config;
  for (const warning of parsed.warnings) process.stderr.write(`${warning}\n`);
} catch (error) {
  if (!(error instanceof ConfigError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exit(2);
}

// Before the host listens: whoever sees that it does wants to try them.
process.stderr.write("Building the examples ...\n");
const modules = new Map<string, Uint8Array<ArrayBuffer>>();
for (const name of await exampleNames()) {
  try {
    modules.set(name, await compileExample(name));
  } catch (error) {
    process.stderr.write(`Cannot build the example ${name}: ${reasonOf(error)}\n`);
  }
}

process.exit(
  await superviseHost(config, {
    onListening: (url) => {
      deployExamples(url).catch((error: unknown) => {
        process.stderr.write(`The examples could not be deployed: ${reasonOf(error)}\n`);
      });
    },
  }),
);

async function deployExamples(url: string): Promise<void> {
  const lines: string[] = [];
  for (const [name, module] of modules) {
    try {
      await deployIfAbsent(url, name, module);
      lines.push(curlCommand(url, name, await readExample(name)));
    } catch (error) {
      process.stderr.write(`Cannot deploy the example ${name}: ${reasonOf(error)}\n`);
    }
  }
  process.stdout.write(`Try the examples:\n\n${lines.join("\n")}\n\nStop with Ctrl-C.\n`);
}

async function deployIfAbsent(url: string, name: string, module: Uint8Array<ArrayBuffer>): Promise<void> {
  const endpoint = `${url}/v1/functions/${name}`;
  const headers = config.token === null ? {} : { authorization: `Bearer ${config.token}` };
  const found = await fetch(endpoint, { headers });
  if (found.ok) return;
  const answer = await fetch(endpoint, {
    method: "PUT",
    headers: { ...headers, "content-type": "application/wasm" },
    body: module,
  });
  if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`);
  const { triggers = {} } = await readExample(name);
  for (const [trigger, settings] of Object.entries(triggers)) {
    const added = await fetch(`${endpoint}/triggers/${trigger}`, {
      method: "PUT",
      headers: { ...headers, "content-type": "application/json" },
      body: JSON.stringify(settings),
    });
    if (!added.ok) throw new Error(`trigger ${trigger}: ${added.status} ${await added.text()}`);
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function curlCommand(url: string, name: string, { request, expect }: Example): string {
  const words = ["curl", "-sS"];
  if (request.method !== undefined && request.method !== "GET" && request.body === undefined) {
    words.push("-X", request.method);
  }
  for (const [key, value] of Object.entries(request.headers ?? {}))
    words.push("-H", quoted(`${key}: ${value}`));
  if (request.body !== undefined) words.push("--data-binary", quoted(request.body));
  // A terminal shows text; an image goes to a file.
  const [kind, extension] = expect.contentType.split("/");
  if (kind === "image") words.push("-o", quoted(`${name}.${extension?.replace(/[^a-z].*$/, "")}`));
  words.push(quoted(`${url}/fn/${name}${request.path}`));
  return words.join(" ");
}

/** Quoted for a POSIX shell. */
function quoted(text: string): string {
  return /^[A-Za-z0-9_./:=@-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
