// The contract of where routes are kept. Reads are synchronous and answer from committed state; changes
// resolve once they are durable.

import type { Route, RouteSettings } from "../route.ts";

export interface RouteStore {
  /** In the order of their ids. */
  all(): Route[];
  get(id: string): Route | null;
  /**
   * Whether it is new; rejects with `route_conflict` when another one takes the same requests, and with
   * `function_not_found`.
   */
  put(id: string, settings: RouteSettings): Promise<boolean>;
  /** Whether it was there. */
  remove(id: string): Promise<boolean>;
}
