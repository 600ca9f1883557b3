import type { Scenario } from "../scenario.ts";
import { comebackScenarios } from "./comeback.ts";
import { lostConnectionScenarios } from "./lost-connections.ts";
import { outageScenarios } from "./outage.ts";
import { resumeScenarios } from "./resume.ts";

/** REC: connections that are lost, and come back. */
export const lastingScenarios: readonly Scenario[] = [
  ...lostConnectionScenarios,
  ...resumeScenarios,
  ...comebackScenarios,
  ...outageScenarios,
];
