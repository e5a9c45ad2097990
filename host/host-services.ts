// What functions keep and start others by: stores, buckets and the event queue over the stores of the data
// folder. Called by `main.ts` at start.

import { HostError } from "./errors.ts";
import { AsyncCalls } from "./events/async-calls.ts";
import { EventQueue } from "./events/queue.ts";
import type { HostState } from "./host-state.ts";
import { BlobLinks } from "./services/blob-links.ts";
import { blobOperations } from "./services/blob-operations.ts";
import { BlobService } from "./services/blob-service.ts";
import { eventOperations } from "./services/event-service.ts";
import { KvService } from "./services/kv-service.ts";
import { Secrets } from "./services/secrets.ts";
import { Services } from "./services/services.ts";
import { Expiry } from "./store/expiry.ts";

export type HostServices = {
  readonly queue: EventQueue;
  readonly kv: KvService;
  readonly blobs: BlobService;
  readonly links: BlobLinks;
  readonly secrets: Secrets;
  readonly asyncCalls: AsyncCalls;
  /** Stores calls that are to be made later, but for a host that drains. */
  readonly laterCalls: (draining: () => boolean) => AsyncCalls["accept"];
  /** What came of an asynchronous call is kept from now on for its time. */
  readonly onAsyncEnd: () => void;
  /** What guests may ask. */
  readonly services: Services;
  /** Removes nothing any more by itself. */
  close(): void;
};

export function openServices(
  state: HostState,
  { queueEventsMax }: { readonly queueEventsMax?: number },
  onFault: (error: unknown) => void,
): HostServices {
  const queue = new EventQueue(state.events, queueEventsMax);
  const kv: KvService = new KvService(state.kv, queue, (atMs) => expiry.noted(atMs));
  const expiry = new Expiry(kv, onFault);
  const blobs = new BlobService({ store: state.blobs, files: state.blobFiles, queue, onFault });
  const links = new BlobLinks(state.linkKey);
  const services = new Services({
    ...kv.operations,
    ...blobOperations(blobs, links),
    ...eventOperations(queue),
  });
  const asyncCalls = new AsyncCalls({ store: state.async, queue });
  const asyncExpiry = new Expiry(asyncCalls, onFault);
  return {
    queue,
    kv,
    blobs,
    links,
    secrets: new Secrets(state.secrets, state.secretBox),
    asyncCalls,
    laterCalls: (draining) => async (request, body, deployment, depth) => {
      if (!draining()) return asyncCalls.accept(request, body, deployment, depth);
      const retry = { retryAfterS: 1 };
      throw new HostError("overloaded", "Cannot take the call: the host is shutting down", retry);
    },
    onAsyncEnd: () => asyncExpiry.look(),
    services,
    close: () => {
      expiry.close();
      asyncExpiry.close();
    },
  };
}
