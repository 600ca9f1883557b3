import type { Scenario } from "../scenario.ts";
import { certificateScenarios } from "./certificates.ts";
import { claimScenarios } from "./claims.ts";
import { identityScenarios } from "./identity.ts";
import { secretScenarios } from "./secrets.ts";

/** AUTH: who calls, what they may, and what stays between the two. */
export const authScenarios: readonly Scenario[] = [
  ...identityScenarios,
  ...secretScenarios,
  ...certificateScenarios,
  ...claimScenarios,
];
