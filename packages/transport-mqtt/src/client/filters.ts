import { errorFor, ParleyError } from "@parley/core/transport";
import { invalid } from "../invalid.ts";
import type { Server } from "../link-init.ts";
import type { Qos } from "../options.ts";
import { checkTopicFilter } from "../topic.ts";
import type { MqttErrorDetails, MqttFilter, MqttFilters, MqttGrant } from "./options.ts";
import { checkQos } from "./publication.ts";

/**
 * The filters of a subscription, each with its QoS.
 * @throws ParleyError `invalid_argument`, outcome `not-sent`
 */
export function checkFilters(filters: MqttFilters, qos: Qos = 1): readonly MqttGrant[] {
  const all: readonly (string | MqttFilter)[] = Array.isArray(filters) ? filters : [filters as string | MqttFilter]; // readonly arrays are not told apart by isArray
  const checked = all.map((one) => {
    const { filter, qos: own = qos }: MqttFilter = typeof one === "string" ? { filter: one } : one;
    return { filter: checkTopicFilter(filter), qos: checkQos(own) };
  });
  if (checked.length === 0) throw invalid("a subscription needs a filter");
  if (new Set(checked.map(({ filter }) => filter)).size < checked.length)
    throw invalid(`a filter is named twice: ${namesOf(checked)}`);
  return checked;
}

/** The filters as errors name them. */
export function namesOf(filters: readonly MqttGrant[]): string {
  const names = filters.map(({ filter }) => filter).join(", ");
  return names.length > 256 ? `${names.slice(0, 256)}…` : names;
}

/**
 * What a broker has said that it cannot do, it would take as a breach of the protocol.
 * @throws ParleyError `failed_precondition`, outcome `not-sent`
 */
export function requireFilters(filters: readonly MqttGrant[], { wildcards, shares }: Server): void {
  for (const { filter } of filters) {
    const isShared = filter.startsWith("$share/");
    if (wildcards && shares) return;
    if ((!isShared || shares) && (wildcards || !/[+#]/.test(filter))) continue;
    const what = isShared && !shares ? "shared subscriptions" : "wildcard subscriptions";
    throw new ParleyError("failed_precondition", `the broker has no ${what}, and ${filter} is one`, {
      outcome: "not-sent",
    });
  }
}

/**
 * What the broker has answered to each filter: all granted, or the error for what it refused.
 * @throws ParleyError with {@link MqttErrorDetails}
 */
export function grantsOf(
  filters: readonly MqttGrant[],
  results: readonly PromiseSettledResult<Qos>[],
): readonly MqttGrant[] {
  const answers = filters.map(({ filter }, index) => ({ filter, reason: reasonOf(results[index]) }));
  const refused = results.find((result) => result.status === "rejected");
  if (!refused) return answers.map(({ filter, reason }) => ({ filter, qos: reason as Qos })); // a grant is a QoS
  const error: unknown = refused.reason;
  const reason = reasonOf(refused);
  if (!(error instanceof ParleyError) || reason === undefined) throw error;
  const { code, message, outcome, cause } = error;
  const known = answers.filter((answer): answer is typeof answer & { reason: number } => answer.reason !== undefined);
  const details: MqttErrorDetails = { reason, filters: known };
  throw errorFor(code, message, { outcome, cause, details });
}

function reasonOf(result: PromiseSettledResult<Qos> | undefined): number | undefined {
  if (result?.status === "fulfilled") return result.value;
  return (result?.reason as { readonly details?: Partial<MqttErrorDetails> } | undefined)?.details?.reason;
}
