// `mayfly bench …`: measurements of one's own functions, on one's own host or one started for it. Each
// command is in bench/; docs/bench.md says what their figures mean.

import { benchBurst } from "../bench/burst.ts";
import { benchCold } from "../bench/cold.ts";
import { benchCompare } from "../bench/compare.ts";
import { benchDensity } from "../bench/density.ts";
import { benchIsolation } from "../bench/isolation.ts";
import { benchThroughput } from "../bench/throughput.ts";
import { benchWarm } from "../bench/warm.ts";
import type { CommandGroup } from "../command.ts";

export const benchCommands: CommandGroup = {
  name: "bench",
  summary: "measure functions: cold and warm calls, throughput, bursts, memory, versions",
  examples: ["mayfly bench cold hello.ts", "mayfly bench compare old.wasm new.wasm --max-regression 10%"],
  notes:
    "A function is a .ts or .wasm file, a folder with one, or the name of a deployed one (with --url).\n" +
    "Without --url a host is started for the run, and what is deployed is removed at its end.",
  commands: [benchCold, benchWarm, benchThroughput, benchBurst, benchIsolation, benchDensity, benchCompare],
};
