// Measures peers against one another: starts all, checks their answers, then goes round. In each round each
// peer has its first calls, its warm calls and its load before the next peer has its own, and every other
// round goes backwards, so that a machine that slows down slows all. A peer that fails is left out from
// there, with its reason; the others go on.

import { Agent } from "node:http";
import { setTimeout as pause } from "node:timers/promises";
import { load } from "../load.ts";
import type { Server } from "../servers.ts";
import { median, percentile } from "../statistics.ts";
import { timedCall } from "../timed-call.ts";
import { type FunctionFolder, type Installed, nameOf, type Peer } from "./peer.ts";
import type { Measured, NotMeasured, PeerFacts, Samples, Settings } from "./report.ts";

type Runner = {
  readonly peer: Peer;
  readonly version: string;
  readonly server: Server;
  readonly samples: Samples;
  failure: string | null;
};

export type Results = {
  readonly measured: readonly Measured[];
  readonly notMeasured: readonly NotMeasured[];
};

/** How many functions a comparison needs: one for warm calls and load, the others for one call each. */
export const functionsNeeded = ({ rounds, coldCalls }: Settings): number => 1 + rounds * coldCalls;

/** Runs the comparison; `say` is told of each step in a few words. */
export async function measure(
  peers: readonly Peer[],
  functions: FunctionFolder,
  settings: Settings,
  say: (step: string) => void,
): Promise<Results> {
  const notMeasured: NotMeasured[] = [];
  const runners: Runner[] = [];
  try {
    for (const peer of peers) {
      say(`${peer.name}: starts`);
      const runner = await startPeer(peer, functions, settings).catch((error: Error) => error.message);
      if (typeof runner === "string") notMeasured.push({ peer: factsOf(peer), reason: runner });
      else runners.push(runner);
    }
    for (let round = 0; round < settings.rounds; round += 1) {
      const alive = runners.filter(({ failure }) => failure === null);
      for (const runner of round % 2 === 0 ? alive : alive.toReversed()) {
        say(`round ${round + 1} of ${settings.rounds}: ${runner.peer.name}`);
        await oneRound(runner, round, settings).catch((error: Error) => {
          runner.failure = `failed in round ${round + 1}: ${error.message}`;
        });
      }
    }
  } finally {
    await Promise.all(runners.map(({ server }) => server[Symbol.asyncDispose]()));
  }
  for (const { peer, failure } of runners) {
    if (failure !== null) notMeasured.push({ peer: factsOf(peer), reason: failure });
  }
  const measured = runners
    .filter(({ failure }) => failure === null)
    .map(({ peer, version, samples }) => ({ peer: factsOf(peer), version, samples }));
  return { measured, notMeasured };
}

function factsOf({ name, newPerCall, firstCall, doesWithout }: Peer): PeerFacts {
  return { name, newPerCall, firstCall, doesWithout };
}

async function startPeer(
  peer: Peer,
  functions: FunctionFolder,
  settings: Settings,
): Promise<Runner | string> {
  const found = await peer.find();
  if ("missing" in found) return found.missing;
  const server = await (found satisfies Installed).start(functions);
  try {
    await checkAnswers(server);
    if (settings.warmUpSeconds > 0) {
      await load(urlOf(server, 0), settings.connections, settings.warmUpSeconds);
    }
  } catch (error) {
    await server[Symbol.asyncDispose]();
    throw error;
  }
  const samples = { callsPerSecond: [], warmP50Ms: [], warmP99Ms: [], coldP50Ms: [], coldMs: [] };
  return { peer, version: found.version, server, samples, failure: null };
}

const urlOf = (server: Server, index: number): string => `${server.url}/fn/${nameOf(index)}?name=Ada`;
/** After a load. */
const restMs = 300;
/** Of calls before a round's first calls. */
const warmUpMs = 250;
const greeting = "Hello, Ada!";

/** The answer has to come from the request: two names, and the header that the guest sets. */
async function checkAnswers(server: Server): Promise<void> {
  for (const name of ["Ada", "Grace"]) {
    const answer = await fetch(`${server.url}/fn/${nameOf(0)}?name=${name}`);
    const text = await answer.text();
    const type = answer.headers.get("content-type");
    if (answer.status !== 200 || text !== `Hello, ${name}!` || type !== "text/plain; charset=utf-8") {
      throw new Error(`it answered ${answer.status} ${type} ${JSON.stringify(text.slice(0, 200))}`);
    }
  }
}

/** The load comes first: compilers of JavaScript are done with a server's own code when calls are timed. */
async function oneRound({ peer, server, samples }: Runner, round: number, settings: Settings): Promise<void> {
  const { perSecond } = await load(urlOf(server, 0), settings.connections, settings.loadSeconds);
  // What the end of the load cut off is over before anything is timed.
  await timedCall(urlOf(server, 0), new Agent(), greeting);
  await pause(restMs);
  if (peer.measuresLater) {
    samples.callsPerSecond.push(perSecond);
    await warmCalls(server, samples, settings);
  }
  await firstCalls(server, samples, round, settings);
}

async function firstCalls(
  server: Server,
  samples: Samples,
  round: number,
  { coldCalls }: Settings,
): Promise<void> {
  using connection = new Connection();
  // What a server does when calls come after a pause (it starts threads, say) is over before a function's
  // first call: that is what is timed.
  const warmMs = performance.now() + warmUpMs;
  while (performance.now() < warmMs) await connection.call(urlOf(server, 0));
  const times: number[] = [];
  for (let call = 0; call < coldCalls; call += 1) {
    times.push(await connection.call(urlOf(server, 1 + round * coldCalls + call)));
  }
  samples.coldMs.push(...times);
  samples.coldP50Ms.push(median(times));
}

async function warmCalls(server: Server, samples: Samples, settings: Settings): Promise<void> {
  using connection = new Connection();
  await connection.call(urlOf(server, 0));
  const times: number[] = [];
  const endMs = performance.now() + settings.warmMsMax;
  while (times.length < settings.warmCallsMax && performance.now() < endMs) {
    times.push(await connection.call(urlOf(server, 0)));
  }
  samples.warmP50Ms.push(median(times));
  samples.warmP99Ms.push(percentile(times, 99));
}

/** One connection that is kept open between calls. */
class Connection {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });

  call(url: string): Promise<number> {
    return timedCall(url, this.#agent, greeting);
  }

  [Symbol.dispose](): void {
    this.#agent.destroy();
  }
}
