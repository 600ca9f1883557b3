import type { Scenario } from "../scenario.ts";
import { brokerLimitScenarios } from "./broker-limits.ts";
import { brokerPresenceScenarios } from "./broker-presence.ts";
import { brokerRemainsScenarios } from "./broker-remains.ts";
import { brokerRestartScenarios } from "./broker-restarts.ts";

/** BRK: what only wires with a broker have. */
export const brokerScenarios: readonly Scenario[] = [
  ...brokerRestartScenarios,
  ...brokerPresenceScenarios,
  ...brokerLimitScenarios,
  ...brokerRemainsScenarios,
];
