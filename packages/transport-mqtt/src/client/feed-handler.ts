import type { Log } from "@parley/core/transport";
import type { MqttMessage } from "./message.ts";
import type { MqttSubscription } from "./subscription.ts";

/**
 * Calls a handler with each message of a subscription, one after the other, until that ends. What it throws is logged, and the next message is
 * handled. Never rejects.
 */
export async function feedHandler(
  subscription: MqttSubscription,
  handler: (message: MqttMessage) => unknown,
  log: Log | undefined,
): Promise<void> {
  try {
    for await (const message of subscription) {
      try {
        await handler(message);
      } catch (error) {
        log?.({ level: "error", event: "handler-failed", message: `a handler of ${message.topic} failed`, error });
      }
    }
  } catch (error) {
    log?.({ level: "error", event: "subscription-ended", message: "a subscription with a handler has ended", error });
  }
}
