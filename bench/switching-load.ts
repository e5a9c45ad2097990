// Calls a function at a steady rate while its live version is switched, and holds every answer against what
// was live: for `bench/switching.ts`, and in small for a test.

import { Agent, request } from "node:http";

export type SwitchingLoad = {
  /** `http://HOST:PORT` */
  readonly url: string;
  readonly name: string;
  readonly callsPerSecond: number;
  readonly switches: number;
  /** Between the answer to one switch and the next one. */
  readonly restMs: number;
  /** The versions that take turns; the first is live. */
  readonly versions: readonly number[];
  readonly connections: number;
};

export type SwitchingResult = {
  readonly calls: number;
  /** What went wrong, as texts; of an answer that was no answer. */
  readonly failed: readonly string[];
  /** Answers from a version that was live at no time of their request. */
  readonly wrong: readonly string[];
  /** Calls that answers of each version came to. */
  readonly byVersion: ReadonlyMap<number, number>;
  readonly elapsedMs: number;
  readonly latenciesMs: readonly number[];
  readonly switchesMs: readonly number[];
};

/** From when to when a version may have been live: from the request for it to the answer to the next one. */
type Reign = { readonly version: number; readonly fromMs: number; toMs: number };
type Call = { readonly version: number; readonly startMs: number; readonly endMs: number };

const tickMs = 5;

export async function switchUnderLoad(load: SwitchingLoad): Promise<SwitchingResult> {
  const agent = new Agent({ keepAlive: true, maxSockets: load.connections });
  const reigns: Reign[] = [{ version: load.versions[0] ?? 1, fromMs: 0, toMs: Number.POSITIVE_INFINITY }];
  const calls: Call[] = [];
  const failed: string[] = [];
  const pending = new Set<Promise<void>>();
  const startMs = performance.now();
  let begun = 0;
  const begin = (): void => {
    const due = Math.floor(((performance.now() - startMs) / 1_000) * load.callsPerSecond);
    for (; begun < due; begun += 1) {
      const call = callOnce(load, agent).then(
        (done) => void calls.push(done),
        (error: unknown) => void failed.push(String(error)),
      );
      pending.add(call);
      void call.finally(() => pending.delete(call));
    }
  };
  const timer = setInterval(begin, tickMs);
  const switchesMs: number[] = [];
  for (let count = 1; count <= load.switches; count += 1) {
    const version = load.versions[count % load.versions.length] ?? 1;
    await rest(load.restMs);
    const fromMs = performance.now();
    const last = reigns.at(-1);
    reigns.push({ version, fromMs, toMs: Number.POSITIVE_INFINITY });
    await release(load, version);
    const nowMs = performance.now();
    if (last !== undefined) last.toMs = nowMs;
    switchesMs.push(nowMs - fromMs);
  }
  await rest(load.restMs);
  clearInterval(timer);
  const elapsedMs = performance.now() - startMs;
  await Promise.all(pending);
  agent.destroy();
  return {
    calls: begun,
    failed,
    wrong: wrongOf(calls, reigns),
    byVersion: countsOf(calls),
    elapsedMs,
    latenciesMs: calls.map((call) => call.endMs - call.startMs),
    switchesMs,
  };
}

function wrongOf(calls: readonly Call[], reigns: readonly Reign[]): string[] {
  return calls
    .filter(
      ({ version, startMs, endMs }) =>
        !reigns.some((reign) => reign.version === version && reign.fromMs <= endMs && reign.toMs >= startMs),
    )
    .map(({ version, startMs, endMs }) => `v${version} from ${startMs.toFixed(3)} to ${endMs.toFixed(3)} ms`);
}

function countsOf(calls: readonly Call[]): Map<number, number> {
  const counts = new Map<number, number>();
  for (const { version } of calls) counts.set(version, (counts.get(version) ?? 0) + 1);
  return counts;
}

/** Rejects when the answer is none of the function, or says another version than the one that gave it. */
function callOnce({ url, name }: SwitchingLoad, agent: Agent): Promise<Call> {
  const startMs = performance.now();
  return new Promise((resolve, reject) => {
    const sent = request(`${url}/fn/${name}`, { agent }, (answer) => {
      let text = "";
      answer.setEncoding("utf8").on("data", (chunk: string) => {
        text += chunk;
      });
      answer.on("error", reject);
      answer.on("end", () => {
        const version = Number(answer.headers["x-mayfly-version"]);
        if (answer.statusCode === 200 && text === `v${version}`) {
          resolve({ version, startMs, endMs: performance.now() });
        } else reject(new Error(`${answer.statusCode} of version ${version}: ${text}`));
      });
    });
    sent.on("error", reject);
    sent.end();
  });
}

async function release({ url, name }: SwitchingLoad, version: number): Promise<void> {
  const answer = await fetch(`${url}/v1/functions/${name}/aliases/live`, {
    method: "PUT",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ version }),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`The switch to v${version}: ${answer.status} ${text}`);
}

function rest(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
