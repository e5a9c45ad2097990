// `mayfly secret …`: what a function is given and nobody is shown.

import { z } from "zod";
import { readFunctionName } from "../arguments.ts";
import { type CommandGroup, type CommandSpec, requiredArgument } from "../command.ts";
import { readAnswer, readJson } from "../host-answer.ts";
import { formatTable } from "../output.ts";
import { readSecret } from "../secret-input.ts";
import { terminalLine } from "../terminal-text.ts";

const secretList = z.looseObject({
  secrets: z.array(z.looseObject({ name: z.string(), createdAt: z.string(), updatedAt: z.string() })),
});

const address = (name: string, secret: string): string =>
  `/v1/functions/${name}/secrets/${encodeURIComponent(secret)}`;

const set: CommandSpec = {
  name: "set",
  args: "<function> <secret>",
  summary: "give a function a secret, or another value for one",
  examples: [
    "mayfly secret set shop PAYMENT_KEY",
    "mayfly secret set shop PAYMENT_KEY < payment-key.txt",
    "openssl rand -hex 32 | mayfly secret set shop SESSION_KEY",
  ],
  notes:
    "The value is read from standard input, on a terminal without showing it; one line end behind it\n" +
    "is left away. It is never an argument: others can read those. The function reads it with\n" +
    "secrets.get, from its next call on.",
  options: [],
  usesHost: true,
  async run(args, { client, io, output }) {
    const name = readFunctionName(requiredArgument(args, 0));
    const secret = requiredArgument(args, 1);
    const host = client();
    const bytes = await readSecret(io, `Value of ${terminalLine(secret)}: `);
    const answer = await host.send("PUT", address(name, secret), { type: "text/plain", bytes });
    output.value(await readAnswer(host.url, answer));
    output.line(`${answer.statusCode === 201 ? "Set" : "Replaced"} ${terminalLine(secret)} of ${name}`);
    return 0;
  },
};

const list: CommandSpec = {
  name: "list",
  args: "<function>",
  summary: "list the names of a function's secrets",
  examples: ["mayfly secret list shop"],
  options: [],
  usesHost: true,
  async run(args, { client, output }) {
    const name = readFunctionName(requiredArgument(args, 0));
    const host = client();
    const answer = await host.send("GET", `/v1/functions/${name}/secrets`);
    const { secrets } = await readJson(host.url, answer, secretList);
    output.value(secrets);
    const rows = secrets.map((each) => [terminalLine(each.name), each.createdAt, each.updatedAt]);
    for (const line of formatTable(["SECRET", "CREATED", "UPDATED"], rows)) output.line(line);
    return 0;
  },
};

const remove: CommandSpec = {
  name: "remove",
  args: "<function> <secret>",
  summary: "take a secret away from a function",
  examples: ["mayfly secret remove shop PAYMENT_KEY"],
  options: [],
  usesHost: true,
  async run(args, { client, output }) {
    const name = readFunctionName(requiredArgument(args, 0));
    const secret = requiredArgument(args, 1);
    (await client().send("DELETE", address(name, secret))).resume();
    output.value({ removed: secret, function: name });
    output.line(`Removed ${terminalLine(secret)} of ${name}`);
    return 0;
  },
};

export const secretCommands: CommandGroup = {
  name: "secret",
  summary: "give functions secrets, which nobody is shown",
  examples: ["mayfly secret set shop PAYMENT_KEY", "mayfly secret list shop"],
  commands: [set, list, remove],
};
