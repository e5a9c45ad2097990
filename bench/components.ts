// What calls of components cost: rounds against the AssemblyScript hello on the same host, and the first ever
// call of deployed copies against their later ones. The component that the peers serve is built in; others that
// answer ?name=Ada alike are named in COMPONENTS, files separated by commas. Each runs fresh, and once more
// with `isolation: reuse` where its instances take a second call.

import { readFileSync } from "node:fs";
import { Agent } from "node:http";
import { basename } from "node:path";
import { distinctComponentCopy } from "../host/wasm/component/component-copies.ts";
import { load } from "./load.ts";
import { helloComponent } from "./peers/component/hello-component.ts";
import { configure, helloText, startMayfly, upload } from "./servers.ts";
import { median, percentile, print } from "./statistics.ts";
import { timedCall } from "./timed-call.ts";

const rounds = Number(process.env["ROUNDS"] ?? 5);
const seconds = Number(process.env["SECONDS"] ?? 3);
const copies = Number(process.env["COPIES"] ?? 30);
const connections = 32;
const files = (process.env["COMPONENTS"] ?? "").split(",").filter((file) => file !== "");

const components: [name: string, bytes: Uint8Array][] = [
  ["text", helloComponent],
  ...files.map((file): [string, Uint8Array] => [basename(file, ".wasm"), readFileSync(file)]),
];

await using mayfly = await startMayfly(copies);
const agent = new Agent({ keepAlive: true, maxSockets: 1 });
const first: Record<string, string | number>[] = [];
const targets: [name: string, url: string][] = [["AssemblyScript", urlOf("hello-0")]];

function urlOf(deployment: string): string {
  return `${mayfly.url}/fn/${deployment}?name=Ada`;
}

/** Whether an instance takes a second call: that of a JavaScript engine may not. */
async function isReusable(deployment: string): Promise<boolean> {
  const statuses: number[] = [];
  for (let call = 0; call < 6; call += 1) statuses.push((await fetch(urlOf(deployment))).status);
  return statuses.every((status) => status === 200);
}

/** Later calls in all, of however many deployments. */
const laterCalls = 150;

async function firstCalls(name: string, deployments: readonly string[]): Promise<void> {
  const cold: number[] = [];
  const warm: number[] = [];
  for (const deployment of deployments) {
    cold.push(await timedCall(urlOf(deployment), agent, helloText));
    for (let call = 0; call < laterCalls / deployments.length; call += 1) {
      warm.push(await timedCall(urlOf(deployment), agent, helloText));
    }
  }
  first.push({
    server: name,
    "first p50 ms": percentile(cold, 50).toFixed(2),
    "first p90 ms": percentile(cold, 90).toFixed(2),
    "later p50 ms": percentile(warm, 50).toFixed(2),
  });
}

await firstCalls(
  "AssemblyScript",
  Array.from({ length: copies }, (_, copy) => `hello-${copy}`),
);
for (const [name, bytes] of components) {
  // Of a large one few copies say enough: each takes a second to deploy.
  const count = bytes.byteLength > 1_000_000 ? Math.ceil(copies / 6) : copies;
  const deployments = Array.from({ length: count }, (_, copy) => `${name}-${copy}`);
  for (const [copy, deployment] of deployments.entries())
    await upload(mayfly, deployment, distinctComponentCopy(bytes, copy));
  await firstCalls(name, deployments);
  await configure(mayfly, `${name}-reuse`, { isolation: "reuse" });
  await upload(mayfly, `${name}-reuse`, bytes);
  targets.push([name, urlOf(`${name}-0`)]);
  if (!(await isReusable(`${name}-reuse`))) continue;
  targets.push([`${name}, reuse`, urlOf(`${name}-reuse`)]);
  const again = `${name}-reuse-0`;
  await configure(mayfly, again, { isolation: "reuse" });
  await upload(mayfly, again, distinctComponentCopy(bytes, count));
  await firstCalls(`${name}, reuse`, [again]);
}
agent.destroy();

const perSecond = new Map<string, number[]>();
for (let round = -1; round < rounds; round += 1) {
  for (const [name, url] of targets) {
    const result = await load(url, connections, seconds);
    // The first round warms up.
    if (round >= 0) perSecond.set(name, [...(perSecond.get(name) ?? []), result.perSecond]);
  }
}

const base = median(perSecond.get("AssemblyScript") ?? []);
print("first ever and later calls of deployed copies, one connection", first);
print(
  `hello, ${connections} connections, ${rounds} rounds of ${seconds} s, medians`,
  [...perSecond].map(([name, values]) => ({
    server: name,
    "calls/s": Math.round(median(values)),
    "of AssemblyScript": (median(values) / base).toFixed(2),
  })),
);
