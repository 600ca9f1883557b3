import { expect, test } from "vitest";
import { startFakeBroker } from "../../test/fake-broker.ts";
import { MqttClient } from "./mqtt-client.ts";

test("a broker that does not confirm it holds nobody up who leaves a loop", async () => {
  // A message to the topic "a".
  await using broker = await startFakeBroker({ ignoresUnsubscribe: true, afterwards: [0x30, 5, 0, 1, 0x61, 0, 0x78] });
  const events: string[] = [];
  await using client = new MqttClient({ url: broker.url, timeoutMs: 200, log: ({ event }) => events.push(event) });
  for await (const message of await client.subscribe("a")) {
    expect(message.text()).toBe("x");
    break;
  }
  expect(events).toContain("unsubscribe-failed");
});
