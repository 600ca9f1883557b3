import { groups, type Scenario } from "../scenario.ts";
import { bidiStreamScenarios } from "./bidi-stream.ts";
import { binaryScenarios } from "./binary.ts";
import { clientStreamScenarios } from "./client-stream.ts";
import { deadlineScenarios } from "./deadlines.ts";
import { envelopeScenarios } from "./envelope.ts";
import { errorScenarios } from "./errors.ts";
import { handshakeScenarios } from "./handshake.ts";
import { requestScenarios } from "./request.ts";
import { serverStreamScenarios } from "./server-stream.ts";
import { topicScenarios } from "./topics.ts";

/** The whole catalogue, group by group. */
export const scenarios: readonly Scenario[] = [
  ...envelopeScenarios,
  ...binaryScenarios,
  ...requestScenarios,
  ...serverStreamScenarios,
  ...clientStreamScenarios,
  ...bidiStreamScenarios,
  ...topicScenarios,
  ...handshakeScenarios,
  ...errorScenarios,
  ...deadlineScenarios,
];

/**
 * The scenarios that a list such as `ENV,RR-02` names; all of them without one.
 * @throws RangeError naming what is no scenario or group, and what there is.
 */
export function selectScenarios(names: readonly string[] | undefined): readonly Scenario[] {
  if (names === undefined) return scenarios;
  const wanted = names.map((name) => name.toUpperCase());
  const unknown = wanted.filter((name) => !(name in groups) && !scenarios.some(({ id }) => id === name));
  if (unknown.length > 0) {
    throw new RangeError(
      `there is no scenario or group ${unknown.join(", ")}; groups are ${Object.keys(groups).join(", ")}, and --list shows all`,
    );
  }
  return scenarios.filter(({ id, group }) => wanted.includes(id) || wanted.includes(group));
}
