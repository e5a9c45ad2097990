// What is stored when a canary is taken back.

import type { HostEvent } from "../event.ts";

/** The canary that is to have no share any more, and what is told of it. */
export type TakeBack = {
  readonly name: string;
  readonly alias: string;
  readonly canaryVersion: number;
  readonly reason: string;
  readonly event: HostEvent;
};
