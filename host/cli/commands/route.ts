// `mayfly route …`: own paths and host names of functions, and fixed answers.

import { z } from "zod";
import { defaultNamespace } from "../../namespace.ts";
import { readFunctionName } from "../arguments.ts";
import {
  type CommandGroup,
  type CommandSpec,
  flagOption,
  listOption,
  type OptionValues,
  requiredArgument,
  textOption,
} from "../command.ts";
import { WrongUsage } from "../failure.ts";
import { readAnswer, readJson } from "../host-answer.ts";
import { readHeaders, readRequestBody } from "../invoke-request.ts";
import type { CliIo } from "../io.ts";
import { formatTable } from "../output.ts";
import { terminalLine } from "../terminal-text.ts";

const route = z.looseObject({
  id: z.string(),
  pattern: z.string(),
  function: z.string().optional(),
  pin: z.string().optional(),
  redirect: z.looseObject({ to: z.string(), status: z.number() }).optional(),
  response: z.looseObject({ status: z.number() }).optional(),
  cors: z.looseObject({ origins: z.array(z.string()) }).optional(),
  cache: z.boolean().optional(),
});
const routeList = z.looseObject({ routes: z.array(route) });

const routePath = (id: string): string => `/v1/routes/${encodeURIComponent(id)}`;

const add: CommandSpec = {
  name: "add",
  args: "<id> <pattern> [function]",
  summary: "add a route, or replace the one of that name",
  examples: [
    "mayfly route add users api.example.com/users/:id users",
    "mayfly route add assets '/static/*' site --cache",
    "mayfly route add api '/api/*' api --cors https://app.example",
    "mayfly route add old '/old/*' --redirect https://new.example/ --status 301",
    "mayfly route add robots /robots.txt --respond 'User-agent: *' -H 'content-type: text/plain'",
  ],
  notes: "A pattern is [HOST]/PATH with :name for a segment and * at the end for the rest (docs/routes.md).",
  options: [
    { flags: "--pin <version>", meaning: "call this version or alias of the function" },
    { flags: "--cache", meaning: "keep answers as their Cache-Control allows" },
    { flags: "--cors <origin>", meaning: "let pages of this origin, or *, read answers", repeatable: true },
    { flags: "--redirect <url>", meaning: "answer with a redirect, in place of a function" },
    { flags: "--respond <text>", meaning: "answer with a text; @file or @- reads a file or stdin" },
    { flags: "--status <code>", meaning: "the status of a redirect or response" },
    { flags: "-H, --header <header>", meaning: "a header of a response as 'Name: value'", repeatable: true },
  ],
  usesHost: true,
  async run(args, { client, io, namespace, options, output }) {
    const id = requiredArgument(args, 0);
    const pattern = requiredArgument(args, 1);
    const inNamespace =
      args[2] === undefined || namespace() === defaultNamespace ? {} : { namespace: namespace() };
    const settings = {
      pattern,
      ...(await targetOf(args[2], options, io)),
      ...inNamespace,
      ...shared(options),
    };
    const host = client();
    const bytes = new TextEncoder().encode(JSON.stringify(settings));
    const answer = await host.send("PUT", routePath(id), { type: "application/json", bytes });
    output.value(await readAnswer(host.url, answer));
    const done = answer.statusCode === 201 ? "Added" : "Replaced";
    output.line(`${done} ${terminalLine(id)}: ${terminalLine(pattern)}`);
    return 0;
  },
};

const list: CommandSpec = {
  name: "list",
  args: "",
  summary: "list the routes of the host",
  examples: ["mayfly route list"],
  options: [],
  usesHost: true,
  async run(_args, { client, output }) {
    const host = client();
    const { routes } = await readJson(host.url, await host.send("GET", "/v1/routes"), routeList);
    output.value(routes);
    const rows = routes.map((each) => [
      terminalLine(each.id),
      terminalLine(each.pattern),
      terminalLine(describeTarget(each)),
      [each.cache === true ? "cached" : "", each.cors === undefined ? "" : "cors"].filter(Boolean).join(", "),
    ]);
    for (const line of formatTable(["ROUTE", "PATTERN", "TO", ""], rows)) output.line(line.trimEnd());
    return 0;
  },
};

const remove: CommandSpec = {
  name: "remove",
  args: "<id>",
  summary: "remove a route",
  examples: ["mayfly route remove users"],
  options: [],
  usesHost: true,
  async run(args, { client, output }) {
    const id = requiredArgument(args, 0);
    (await client().send("DELETE", routePath(id))).resume();
    output.value({ removed: id });
    output.line(`Removed ${terminalLine(id)}`);
    return 0;
  },
};

export const routeCommands: CommandGroup = {
  name: "route",
  summary: "own paths and host names of functions",
  examples: ["mayfly route add users api.example.com/users/:id users", "mayfly route list"],
  commands: [add, list, remove],
};

function describeTarget({ function: name, pin, redirect, response }: z.infer<typeof route>): string {
  if (redirect !== undefined) return `${redirect.status} ${redirect.to}`;
  if (response !== undefined) return `a response of ${response.status}`;
  return `${name ?? ""}${pin === undefined ? "" : `@${pin}`}`;
}

/** The one of function, redirect and response that is given. */
async function targetOf(name: string | undefined, options: OptionValues, io: CliIo): Promise<object> {
  const redirect = textOption(options, "redirect");
  const text = textOption(options, "respond");
  if ([name, redirect, text].filter((each) => each !== undefined).length !== 1) {
    throw new WrongUsage("Name a function, or give --redirect URL or --respond TEXT, one of them");
  }
  const status = statusOf(textOption(options, "status"));
  if (name !== undefined) {
    if (status !== undefined) throw new WrongUsage("--status is for --redirect and --respond");
    const pin = textOption(options, "pin");
    return { function: readFunctionName(name), ...(pin !== undefined && { pin }) };
  }
  const withStatus = status === undefined ? {} : { status };
  if (redirect !== undefined) return { redirect: { to: redirect, ...withStatus } };
  const body = Buffer.from(await readRequestBody(text ?? "", io)).toString("utf8");
  return { response: { body, headers: readHeaders(listOption(options, "header")), ...withStatus } };
}

function shared(options: OptionValues): object {
  const origins = listOption(options, "cors");
  return {
    ...(flagOption(options, "cache") && { cache: true }),
    ...(origins.length > 0 && { cors: { origins } }),
  };
}

function statusOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^[1-5]\d\d$/.test(text)) return Number(text);
  throw new WrongUsage(`Cannot read ${JSON.stringify(text)} as a status, want such as 301`);
}
