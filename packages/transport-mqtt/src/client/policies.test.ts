import { type Interceptor, ParleyError } from "@parley/core";
import { expect, test } from "vitest";
import { startAedes, startServer } from "../../test/brokers.ts";
import { packetTypes } from "../../test/fake-broker.ts";
import { next } from "../../test/next.ts";
import { startProxy } from "../../test/proxy.ts";
import { MqttClient } from "./mqtt-client.ts";

/** First byte of the packet (MQTT 3.1.1, 3.10.1). */
const UNSUBSCRIBE = 0xa2;

const failureOf = (attempt: Promise<unknown>): Promise<unknown> =>
  attempt.then(
    () => Promise.reject(new Error("it did not fail")),
    (error: unknown) => error,
  );

test("connecting, publishing and subscribing pass the policies, and are made again when nothing can have arrived", async () => {
  const gone = await startServer(() => {});
  await gone[Symbol.asyncDispose]();
  const types: string[] = [];
  const note: Interceptor = (next) => (call) => {
    types.push(`${call.kind} ${call.message.type}`);
    return next(call);
  };
  await using client = new MqttClient({ url: gone.url, retry: { baseMs: 1, maxAttempts: 2 }, use: [note] });
  const all = ["request mqtt.connect", "publish mqtt.publish", "subscribe mqtt.subscribe"];
  const operations = [() => client.connect(), () => client.publish("a", 1), () => client.subscribe("a")];
  for (const operate of operations)
    expect(await failureOf(operate())).toMatchObject({ code: "unavailable", outcome: "not-sent" });
  expect(types).toEqual(all.flatMap((type) => [type, type]));

  await using _broker = await startAedes(Number(gone.url.port));
  types.length = 0;
  await client.connect();
  const subscription = await client.subscribe("a");
  await client.publish("a", "hello");
  expect((await next(subscription)).text()).toBe("hello");
  expect(types).toEqual([all[0], all[2], all[1]]);
});

test("a subscription that a policy refuses once it is made is taken back; the signal ends one that is kept", async () => {
  await using broker = await startAedes();
  const unsubscribed = Promise.withResolvers<void>();
  await using proxy = await startProxy(broker.url, {
    fromClient: (chunk) => {
      if (packetTypes(chunk).includes(UNSUBSCRIBE)) unsubscribed.resolve();
      return true;
    },
  });
  let refusing = true;
  const refusal = new ParleyError("permission_denied", "not now", { outcome: "not-sent" });
  const gate: Interceptor = (next) => async (call) => {
    const reply = await next(call);
    if (refusing && call.message.type === "mqtt.subscribe") throw refusal;
    return reply;
  };
  await using client = new MqttClient({ url: proxy.url, use: [gate] });
  expect(await failureOf(client.subscribe("a"))).toBe(refusal);
  await unsubscribed.promise;
  refusing = false;
  const controller = new AbortController();
  const subscription = await client.subscribe("a", { signal: controller.signal, timeoutMs: 5_000 });
  controller.abort();
  expect(await failureOf(subscription.next())).toMatchObject({ code: "cancelled" });
});
