import type { ClientState } from "@parley/core/transport";
import type { MqttMessage } from "../src/client/message.ts";
import type { MqttClient } from "../src/client/mqtt-client.ts";
import type { MqttSubscription } from "../src/client/subscription.ts";

/** The next message of a subscription, which must not have ended. */
export async function next(subscription: MqttSubscription): Promise<MqttMessage> {
  const { value } = await subscription.next();
  if (!value) throw new Error("the subscription has ended");
  return value;
}

/** Resolves when a client enters a state. */
export function entered(client: MqttClient, wanted: ClientState): Promise<void> {
  return new Promise((resolve) => {
    const stop = client.onState(({ state }) => {
      if (state !== wanted) return;
      stop();
      resolve();
    });
  });
}
