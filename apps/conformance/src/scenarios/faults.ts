import type { Scenario } from "../scenario.ts";
import { returningLinkScenarios } from "./link-again.ts";
import { cutLinkScenarios } from "./link-cuts.ts";
import { slowLinkScenarios } from "./link-quality.ts";
import { silentLinkScenarios } from "./link-silence.ts";

/** FLT: the link between two sides is slow, silent, cut or gone for a while. */
export const faultScenarios: readonly Scenario[] = [
  ...slowLinkScenarios,
  ...cutLinkScenarios,
  ...silentLinkScenarios,
  ...returningLinkScenarios,
].sort((one, other) => one.id.localeCompare(other.id));
