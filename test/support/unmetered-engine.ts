// For test files that run guests which are not metered in their own process: loaded before any guest.

import { setFlagsFromString } from "node:v8";
import { unmeteredFlag } from "../../host/engine-flags.ts";

setFlagsFromString(unmeteredFlag);
