import type { Transport } from "../../src/transport/transport.ts";
import type { Fault } from "./plan.ts";
import type { SimulatedProcess } from "./simulation.ts";

/** What lies between the processes of a world. */
export interface Network {
  /** A way to it, for one process. */
  transport(process: SimulatedProcess): Transport;
  /** Something goes wrong. What does not fit it does nothing. */
  strike(fault: Fault): void;
  /** A process is gone, and all that it knew. */
  crash(process: SimulatedProcess): void;
  /** What is left when all is over that should not be, a sentence each. */
  remains?(): readonly string[];
}
