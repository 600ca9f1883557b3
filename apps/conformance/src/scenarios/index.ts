import { groups, type Scenario } from "../scenario.ts";
import { authScenarios } from "./auth.ts";
import { backpressureScenarios } from "./backpressure.ts";
import { bidiStreamScenarios } from "./bidi-stream.ts";
import { binaryScenarios } from "./binary.ts";
import { brokerScenarios } from "./broker.ts";
import { clientStreamScenarios } from "./client-stream.ts";
import { concurrencyScenarios } from "./concurrency.ts";
import { deadlineScenarios } from "./deadlines.ts";
import { duplicateScenarios } from "./duplicates.ts";
import { envelopeScenarios } from "./envelope.ts";
import { errorScenarios } from "./errors.ts";
import { faultScenarios } from "./faults.ts";
import { handshakeScenarios } from "./handshake.ts";
import { lastingScenarios } from "./lasting.ts";
import { limitScenarios } from "./limits.ts";
import { malformedScenarios } from "./malformed.ts";
import { orderScenarios } from "./order.ts";
import { processScenarios } from "./processes.ts";
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
  ...backpressureScenarios,
  ...orderScenarios,
  ...concurrencyScenarios,
  ...limitScenarios,
  ...lastingScenarios,
  ...duplicateScenarios,
  ...authScenarios,
  ...malformedScenarios,
  ...faultScenarios,
  ...brokerScenarios,
  ...processScenarios,
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
