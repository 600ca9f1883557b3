import { once } from "node:events";
import { describe, expect, test } from "vitest";
import { hasMosquitto, startAedes, startMosquitto, startTool, type TestBroker, tool } from "../../test/brokers.ts";
import { startFakeBroker } from "../../test/fake-broker.ts";
import { next } from "../../test/next.ts";
import { startProxy } from "../../test/proxy.ts";
import { MqttClient } from "./mqtt-client.ts";
import type { MqttClientOptions } from "./options.ts";

const onMosquitto = test.runIf(hasMosquitto);

const brokers: [string, boolean, () => Promise<TestBroker>, Partial<MqttClientOptions>][] = [
  ["Mosquitto, MQTT 5", hasMosquitto, () => startMosquitto(), {}],
  ["Mosquitto, MQTT 3.1.1", hasMosquitto, () => startMosquitto(), { protocolVersion: 4 }],
  ["aedes", true, () => startAedes(), {}],
];

describe.each(brokers)("%s", (_, there, start, options) => {
  const check = test.runIf(there);

  check.each([0, 1, 2] as const)("objects, text and bytes arrive as they were published, at QoS %i", async (qos) => {
    await using broker = await start();
    await using client = new MqttClient({ url: broker.url, ...options });
    const all = await client.subscribe("data/+", { qos });
    await client.publish("data/object", { celsius: 21.5, größe: "€" }, { qos });
    await client.publish("data/text", "grüße", { qos });
    await client.publish("data/bytes", new Uint8Array([0, 255, 128]), { qos });
    const [object, text, bytes] = [await next(all), await next(all), await next(all)];
    expect(object.json()).toEqual({ celsius: 21.5, größe: "€" });
    expect(object).toMatchObject({ topic: "data/object", qos, retained: false, duplicate: false });
    expect(text.text()).toBe("grüße");
    expect(() => text.json()).toThrow(expect.objectContaining({ code: "invalid_argument" }));
    expect([...bytes.bytes()]).toEqual([0, 255, 128]);
    expect(() => bytes.text()).toThrow(expect.objectContaining({ code: "invalid_argument" }));
  });

  check("topics may have any letters, and many publications at once keep their order", async () => {
    await using broker = await start();
    await using client = new MqttClient({ url: broker.url, ...options });
    const all = await client.subscribe("größe/€ 😀/#");
    const sent = Array.from({ length: 300 }, (_, n) => client.publish("größe/€ 😀/x", n));
    for (let n = 0; n < 300; n++) expect((await next(all)).json()).toBe(n);
    await Promise.all(sent);
    await client.publish("größe/€ 😀/y", "last", { qos: 0 });
    expect((await next(all)).topic).toBe("größe/€ 😀/y");
  });

  check("one subscription has several filters, each with its QoS, and gives a message once", async () => {
    await using broker = await start();
    await using client = new MqttClient({ url: broker.url, ...options });
    const both = await client.subscribe(["a/+", { filter: "b/#", qos: 2 }], { qos: 0 });
    expect(both.filters).toEqual([
      { filter: "a/+", qos: 0 },
      { filter: "b/#", qos: 2 },
    ]);
    await client.publish("b/1/2", "one", { qos: 2 });
    expect((await next(both)).qos).toBe(2);
    await client.publish("a/1", "two", { qos: 2 });
    expect((await next(both)).qos).toBe(0);
    expect(both.dropped).toBe(0);
  });

  check("handlers get what their filters match, one message after the other, also after one has failed", async () => {
    await using broker = await start();
    const events: string[] = [];
    await using client = new MqttClient({ url: broker.url, ...options, log: ({ event }) => events.push(event) });
    const seen: string[] = [];
    const third = Promise.withResolvers<void>();
    let running = 0;
    const rooms = await client.onMessage("rooms/+/light", async ({ topic }) => {
      expect(++running).toBe(1);
      await new Promise(setImmediate);
      running--;
      seen.push(topic);
      if (topic === "rooms/3/light") third.resolve();
      if (topic === "rooms/1/light") throw new Error("broken bulb");
    });
    const everything = await client.onMessage("rooms/#", ({ topic }) => seen.push(`# ${topic}`));
    for (const topic of ["rooms/1/light", "rooms/2/light", "rooms/2/door", "rooms/3/light"])
      await client.publish(topic, "on");
    await third.promise;
    expect(seen.filter((one) => !one.startsWith("#"))).toEqual(["rooms/1/light", "rooms/2/light", "rooms/3/light"]);
    expect(events).toEqual(["handler-failed"]);
    await rooms.unsubscribe();
    expect(await rooms.closed).toBeUndefined();
    await client.publish("rooms/4/light", "on");
    await everything.unsubscribe();
    expect(seen).not.toContain("rooms/4/light");
    expect(seen.filter((one) => one.startsWith("#")).length).toBeGreaterThanOrEqual(4);
  });

  check("leaving a subscription takes its filter back", async () => {
    await using broker = await start();
    await using client = new MqttClient({ url: broker.url, ...options });
    const all = await client.subscribe("t");
    await client.publish("t", "one");
    for await (const message of all) {
      expect(message.text()).toBe("one");
      break;
    }
    expect(await all.next()).toEqual({ done: true, value: undefined });
    await client.publish("t", "two");
    await using again = await client.subscribe("t");
    await client.publish("t", "three");
    expect((await next(again)).text()).toBe("three");
  });

  check(
    "what is retained comes first, marked; an empty one takes it away; who does not want it gets none",
    async () => {
      await using broker = await start();
      await using client = new MqttClient({ url: broker.url, ...options });
      await client.publish("kept", "old", { retain: true });
      const all = await client.subscribe("kept");
      expect(await next(all)).toMatchObject({ retained: true });
      const live = await client.subscribe("kept", { retained: false });
      await client.publish("kept", "", { retain: true });
      expect((await next(live)).text()).toBe("");
      expect((await next(all)).retained).toBe(false);
      await using late = await client.subscribe("kept");
      await client.publish("kept", "live");
      expect((await next(late)).text()).toBe("live");
    },
  );

  check("the last will is published when the client vanishes, and not when it closes", async () => {
    await using broker = await start();
    await using watcher = new MqttClient({ url: broker.url, ...options });
    const wills = await watcher.subscribe("gone/+");
    const orderly = new MqttClient({ url: broker.url, ...options, will: { topic: "gone/orderly", data: "x" } });
    await orderly.connect();
    await orderly.close();
    const clientId = "same";
    const will = { topic: "gone/vanished", data: { state: "gone" }, qos: 1 } as const;
    await using vanishing = new MqttClient({ url: broker.url, ...options, clientId, will, reconnect: false });
    await vanishing.connect();
    // A broker ends the connection of whose client id another comes with, and publishes its will.
    await using other = new MqttClient({ url: broker.url, ...options, clientId });
    await other.connect();
    const message = await next(wills);
    expect([message.topic, message.json()]).toEqual(["gone/vanished", { state: "gone" }]);
  });

  check("a client connects at its first use, tells its states and its health, and ends for good", async () => {
    await using broker = await start();
    const client = new MqttClient({ url: broker.url, ...options });
    const states: string[] = [];
    client.onState(({ state }) => states.push(state));
    expect(client.state).toBe("idle");
    expect(await client.health()).toEqual({ state: "idle", lastError: undefined });
    await Promise.all([client.publish("a", 1), client.publish("a", 2), client.connect()]);
    expect(client.connected).toMatchObject({ sessionPresent: false });
    const health = await client.health();
    expect(health.state).toBe("open");
    expect(health.roundTripMs).toBeLessThan(1_000);
    const all = await client.subscribe("a");
    await client.publish("a", "kept until it is read");
    await client.close();
    await client.close();
    expect((await next(all)).text()).toBe("kept until it is read");
    expect(await all.next()).toEqual({ done: true, value: undefined });
    expect(states).toEqual(["connecting", "open", "closed"]);
    await expect(client.publish("a", 1)).rejects.toMatchObject({ code: "unavailable", outcome: "not-sent" });
    await expect(client.connect()).rejects.toMatchObject({ code: "unavailable" });
  });
});

describe("what MQTT 5 adds", () => {
  onMosquitto("properties arrive, and tools of others read and write them", async () => {
    await using broker = await startMosquitto();
    await using client = new MqttClient({ url: broker.url });
    const all = await client.subscribe("p");
    const properties = {
      contentType: "text/csv",
      userProperties: { unit: "°C", tag: ["a", "b"] },
      expirySeconds: 60,
      responseTopic: "answers/1",
    };
    await client.publish("p", "1,2", { ...properties, correlationData: new Uint8Array([1, 2]) });
    const message = await next(all);
    expect(message).toMatchObject(properties);
    expect([...(message.correlationData ?? [])]).toEqual([1, 2]);
    await client.publish("p", { json: true });
    expect((await next(all)).contentType).toBe("application/json");

    const seen = startTool("sub", broker.url, "-V", "5", "-t", "tool", "-C", "1", "-F", "%C %P %p");
    const args = ["-V", "5", "-t", "p", "-m", "x", "-D", "publish", "user-property", "k", "v", "-D", "publish"];
    await tool("pub", broker.url, ...args, "content-type", "text/plain");
    expect(await next(all)).toMatchObject({ contentType: "text/plain", userProperties: { k: "v" } });
    while ((await client.publish("tool", "y", { contentType: "a/b", userProperties: { k: "v" } })).noSubscribers);
    await seen.closed;
    expect(seen.output()).toContain("a/b k:v y");
  });

  onMosquitto("that nobody has subscribed is told", async () => {
    await using broker = await startMosquitto();
    await using client = new MqttClient({ url: broker.url });
    expect(await client.publish("nobody", 1)).toEqual({ noSubscribers: true });
    expect(await client.publish("nobody", 1, { qos: 0 })).toEqual({ noSubscribers: false });
    await using _all = await client.subscribe("nobody");
    expect(await client.publish("nobody", 1)).toEqual({ noSubscribers: false });
  });

  test("at QoS 2 it is told by the first of the two answers, and so is a refusal", async () => {
    await using broker = await startFakeBroker({ pubrec: (topic) => (topic === "refused" ? 0x97 : 0x10) });
    await using client = new MqttClient({ url: broker.url });
    expect(await client.publish("nobody", 1, { qos: 2 })).toEqual({ noSubscribers: true });
    await expect(client.publish("refused", 1, { qos: 2 })).rejects.toMatchObject({
      code: "resource_exhausted",
      outcome: "rejected",
      details: { reason: 0x97 },
    });
  });

  onMosquitto("subscriptions are shared within a group", async () => {
    await using broker = await startMosquitto();
    await using client = new MqttClient({ url: broker.url });
    await using other = new MqttClient({ url: broker.url });
    const counts = [0, 0];
    const all = Promise.withResolvers<void>();
    for (const [index, one] of [client, other].entries())
      await one.onMessage("$share/workers/jobs/+", () => {
        counts[index] = (counts[index] ?? 0) + 1;
        if ((counts[0] ?? 0) + (counts[1] ?? 0) === 20) all.resolve();
      });
    for (let n = 0; n < 20; n++) await client.publish(`jobs/${n}`, n);
    await all.promise;
    expect(Math.min(...counts)).toBeGreaterThan(0);
  });

  onMosquitto("a will may wait, and bear properties", async () => {
    await using broker = await startMosquitto();
    await using watcher = new MqttClient({ url: broker.url });
    const wills = await watcher.subscribe("w");
    const will = { topic: "w", data: "gone", contentType: "text/plain", delaySeconds: 1, userProperties: { k: "v" } };
    await using proxy = await startProxy(broker.url);
    await using vanishing = new MqttClient({ url: proxy.url, will, sessionExpirySeconds: 10, reconnect: false });
    await vanishing.connect();
    const begun = performance.now();
    proxy.cut();
    expect(await next(wills)).toMatchObject({ contentType: "text/plain", userProperties: { k: "v" } });
    expect(performance.now() - begun).toBeGreaterThan(500);
  });

  test("where the broker speaks 3.1.1, properties are refused before anything is sent", async () => {
    await using broker = await startAedes();
    await using client = new MqttClient({ url: broker.url });
    await expect(client.publish("a", 1, { expirySeconds: 1 })).rejects.toMatchObject({
      code: "failed_precondition",
      outcome: "not-sent",
      message: expect.stringContaining("messageExpiryInterval"),
    });
    expect(client.connected?.protocolVersion).toBe(4);
    const delayed = { topic: "w", data: "x", delaySeconds: 1 };
    await using willing = new MqttClient({ url: broker.url, will: delayed });
    await expect(willing.connect()).rejects.toMatchObject({ code: "failed_precondition", outcome: "not-sent" });
    await using lasting = new MqttClient({ url: broker.url, sessionExpirySeconds: 5 });
    await expect(lasting.connect()).rejects.toMatchObject({ code: "failed_precondition", outcome: "not-sent" });
  });
});

test("what makes no sense is refused before anything is sent", async () => {
  let connections = 0;
  await using broker = await startFakeBroker({ connected: () => connections++ });
  const { url } = broker;
  for (const options of [
    { url: "http://127.0.0.1" },
    { url: "mqtt//x" },
    { url, cleanStart: false },
    { url, receiveMaximum: 0 },
    { url, sessionExpirySeconds: -1 },
    { url, clientId: "a\u0000" },
    { url, clientId: "" },
    { url, will: { topic: "a/+", data: "" } },
    { url, reconnect: { baseMs: -1 } },
  ] as MqttClientOptions[]) {
    expect(() => new MqttClient(options), JSON.stringify(options)).toThrow(
      expect.objectContaining({ code: "invalid_argument", outcome: "not-sent" }),
    );
  }
  await using client = new MqttClient({ url });
  const wrong: (() => Promise<unknown>)[] = [
    () => client.publish("a/+", 1),
    () => client.publish("", 1),
    () => client.publish("a", undefined as never),
    () => client.publish("a", { at: new Map() }),
    () => client.publish("a", 1, { qos: 3 as never }),
    () => client.publish("a", 1, { expirySeconds: 0.5 }),
    () => client.publish("a", 1, { responseTopic: "#" }),
    () => client.publish("a", 1, { userProperties: { k: "\ud800" } }),
    () => client.publish("a", 1, { correlationData: new Uint8Array(65_536) }),
    () => client.subscribe("a#"),
    () => client.subscribe([]),
    () => client.subscribe(["a", "a"]),
    () => client.subscribe("a", { maxUnread: 0 }),
    () => client.publish("a", 1, { signal: AbortSignal.abort() }),
  ];
  for (const attempt of wrong) await expect(attempt(), String(attempt)).rejects.toMatchObject({ outcome: "not-sent" });
  expect(connections).toBe(0);
  await client.connect();
  expect(connections).toBe(1);
});

test("a message beyond what this broker does is refused before it is sent", async () => {
  const [noRetain, qos1, noWildcards, noShares] = [
    [0x25, 0],
    [0x24, 1],
    [0x28, 0],
    [0x2a, 0],
  ];
  const connack = [...(noRetain ?? []), ...(qos1 ?? []), ...(noWildcards ?? []), ...(noShares ?? [])];
  await using broker = await startFakeBroker({ connack });
  await using client = new MqttClient({ url: broker.url });
  for (const attempt of [
    () => client.publish("a", 1, { retain: true }),
    () => client.publish("a", 1, { qos: 2 }),
    () => client.subscribe("a/+"),
    () => client.subscribe("$share/g/a"),
  ])
    await expect(attempt(), String(attempt)).rejects.toMatchObject({
      code: "failed_precondition",
      outcome: "not-sent",
    });
  await client.publish("a", 1);
});

test("nothing is left open after close: the process of a program ends", async () => {
  await using broker = await startAedes();
  await using client = new MqttClient({ url: broker.url });
  await client.subscribe("a");
  const left = once(broker.aedes, "clientDisconnect");
  await client.close();
  await left;
  expect(broker.aedes.connectedClients).toBe(0);
});
