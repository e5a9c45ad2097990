// The HTTP server alone, on a free port, with a function of JavaScript in place of guests: what is
// tested here are connections. Closes with the test.

import type { IncomingMessage, Server } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { TestContext } from "node:test";
import { Hono } from "hono";
import type { EndedCall } from "../../host/ended-call.ts";
import { type Deployment, functionConfigDefault } from "../../host/function.ts";
import type { ControlEnv } from "../../host/http/app.ts";
import { BodyBudget } from "../../host/http/body-budget.ts";
import { InvokeRoutes } from "../../host/http/invoke-routes.ts";
import { createHttpServer, type ServerParts } from "../../host/http/server.ts";
import type { InvokeRequest } from "../../host/invoke/invoker.ts";
import { Traces } from "../../host/trace-context.ts";
import { readRequestMessage, type SeenRequest } from "../support/messages.ts";
import { RawConnection } from "../support/raw-connection.ts";

const deployment: Deployment = {
  id: 1,
  name: "f",
  version: 1,
  digest: "sha256:",
  abi: "assemblyscript",
  bytes: 0,
  createdAtMs: 0,
  freshCosts: null,
  metered: true,
  files: null,
  quarantined: false,
  config: functionConfigDefault,
  configRevision: 1,
  alias: "live",
  isCanary: false,
};

const loaded = {
  code: new WebAssembly.Module(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0)),
  moduleBytes: 8,
  memory: null,
  resettable: false,
  files: null,
};

export type BareServerOptions = Pick<ServerParts, "keepAliveTimeoutMs" | "writeStallTimeoutMs"> & {
  /** Gives the response message; null when it has gone to the request's `onAnswer`. */
  readonly answer: (request: SeenRequest, whole: InvokeRequest) => Promise<Buffer | null> | Buffer;
  /** Whether long bodies come as they are read. */
  readonly readsBody?: boolean;
  readonly bodies?: BodyBudget;
  /** The function's wall-clock limit; its default unless given. */
  readonly timeoutMs?: number;
};

export class BareServer {
  readonly server: Server;
  readonly #sockets = new Set<Socket>();
  /** What the host counted, in turn. */
  readonly outcomes: string[] = [];
  readonly ended: EndedCall[] = [];
  /** What would be in the function's log. */
  readonly guestFaults: string[] = [];

  private constructor(options: BareServerOptions) {
    const { answer, readsBody = false, bodies = new BodyBudget(), timeoutMs, ...bounds } = options;
    const config = { ...functionConfigDefault, ...(timeoutMs && { timeoutMs }) };
    const fail = (error: unknown): never => {
      throw error;
    };
    const invokeRoutes = new InvokeRoutes({
      route: () => ({ ...deployment, config }),
      hold: () => ({ [Symbol.dispose]: () => {} }),
      invoke: async (request) => ({
        message: await answer(readRequestMessage(Buffer.from(request.message)), request),
        timings: {},
      }),
      load: () => ({ loaded: { ...loaded, readsBody } }),
      gate: {
        isOpen: () => true,
        pass: () => fail(new Error("this server has an open gate")),
        takeRates: () => [],
      },
      later: () => Promise.reject(new Error("this server keeps no calls")),
      bodies,
      onEnd: (call) => {
        this.outcomes.push(call.outcome);
        this.ended.push(call);
      },
      traces: new Traces(null),
      onFault: fail,
      ...(bounds.writeStallTimeoutMs && { writeStallTimeoutMs: bounds.writeStallTimeoutMs }),
      onGuestFault: (_deployment, _requestId, reason) => this.guestFaults.push(reason),
    });
    this.server = createHttpServer({ invokeRoutes, app: new Hono<ControlEnv>(), onFault: fail, ...bounds });
    this.server.on("connection", (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once("close", () => this.#sockets.delete(socket));
    });
  }

  static async start(context: TestContext, options: BareServerOptions): Promise<BareServer> {
    const bare = new BareServer(options);
    await new Promise<void>((resolve) => bare.server.listen(0, "127.0.0.1", resolve));
    context.after(() => {
      bare.server.closeAllConnections();
      bare.server.close();
    });
    return bare;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  open(): Promise<RawConnection> {
    return RawConnection.open(this.port);
  }

  /** The only connection there is, as the server sees it. */
  async socket(): Promise<Socket> {
    await until(() => this.#sockets.size === 1);
    const [socket] = this.#sockets;
    return socket as Socket;
  }

  /** Resolves with the next request once it has been handed to the host. */
  request(): Promise<IncomingMessage> {
    return new Promise((resolve) => this.server.once("request", resolve));
  }
}

/** Resolves when `happened` holds; throws when it does not within the time. */
export async function until(happened: () => boolean, timeoutMs = 10_000): Promise<void> {
  const endMs = performance.now() + timeoutMs;
  while (!happened()) {
    if (performance.now() > endMs) throw new Error("Waited in vain");
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
