// What functions publish. The operation of guests is in docs/abi.md.

import { HostError } from "../errors.ts";
import { madeEvent, withTrace } from "../events/cloud-events.ts";
import type { EventQueue } from "../events/queue.ts";
import { topicName } from "../key.ts";
import { namespaceOf, plainName } from "../namespace.ts";
import type { Operation } from "./services.ts";

export function eventOperations(queue: Pick<EventQueue, "publish">): Readonly<Record<string, Operation>> {
  return {
    "events.publish": async ({ args: [topic = "", ...pairs], body }, { deployment, depth, trace }) => {
      if (pairs.length % 2 !== 0) throw new HostError("bad_request", "An attribute has no value");
      const attributes: Record<string, string> = {};
      for (let index = 0; index < pairs.length; index += 2) {
        attributes[pairs[index] ?? ""] = pairs[index + 1] ?? "";
      }
      const source = `/functions/${plainName(deployment.name)}`;
      // The body is in the message of the guest, which is moved back to its thread.
      const event = madeEvent(withTrace(attributes, trace), body.slice(), { source, depth: depth + 1 });
      await queue.publish(topicName(topic, namespaceOf(deployment.name)), [event]);
      return { values: [event.attributes["id"] ?? ""] };
    },
  };
}
