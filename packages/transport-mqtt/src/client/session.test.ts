import type { Socket } from "node:net";
import { describe, expect, test } from "vitest";
import { hasMosquitto, startAedes, startMosquitto, type TestBroker } from "../../test/brokers.ts";
import { packetTypes, startFakeBroker } from "../../test/fake-broker.ts";
import { entered, next } from "../../test/next.ts";
import { startProxy } from "../../test/proxy.ts";
import { MqttClient } from "./mqtt-client.ts";
import type { MqttClientOptions } from "./options.ts";

const onMosquitto = test.runIf(hasMosquitto);
const soon = { baseMs: 1, maxMs: 20 };

const SUBSCRIBE = 0x82;
const UNSUBSCRIBE = 0xa2;
const PUBREL = 0x62;

const brokers: [string, boolean, () => Promise<TestBroker>, Partial<MqttClientOptions>][] = [
  ["Mosquitto, MQTT 5", hasMosquitto, () => startMosquitto(), {}],
  ["Mosquitto, MQTT 3.1.1", hasMosquitto, () => startMosquitto(), { protocolVersion: 4 }],
  ["aedes", true, () => startAedes(), {}],
];

describe.each(brokers)("after a cut, %s", (_, there, start, options) => {
  const check = test.runIf(there);

  check(
    "subscriptions are back before the state is open, and what was asked meanwhile is done in its order",
    async () => {
      await using broker = await start();
      await using proxy = await startProxy(broker.url);
      await using client = new MqttClient({ url: proxy.url, reconnect: soon, ...options });
      await using direct = new MqttClient({ url: broker.url, ...options });
      const all = await client.subscribe(["a/+", "b"]);
      const handled: string[] = [];
      await client.onMessage("a/#", ({ topic }) => handled.push(topic));
      const { filters } = all;
      for (let round = 0; round < 3; round++) {
        const [away, back] = [entered(client, "reconnecting"), entered(client, "open")];
        proxy.cut();
        await away;
        const waiting = ["a/1", "b", "a/2"].map((topic) => client.publish(topic, round));
        await back;
        await direct.publish("a/direct", round);
        await Promise.all(waiting);
        const topics = [await next(all), await next(all), await next(all), await next(all)].map(({ topic }) => topic);
        expect(topics.filter((topic) => topic !== "a/direct")).toEqual(["a/1", "b", "a/2"]);
        expect(topics).toContain("a/direct");
      }
      expect(all.filters).toBe(filters);
      expect(handled.length).toBe(9);
      expect(client.connected?.sessionPresent).toBe(false);
    },
  );

  check("retained messages come again, for each subscription", async () => {
    await using broker = await start();
    await using proxy = await startProxy(broker.url);
    await using client = new MqttClient({ url: proxy.url, reconnect: soon, ...options });
    await client.publish("kept", "old", { retain: true });
    const [one, two] = [await client.subscribe("kept"), await client.subscribe("kept")];
    await Promise.all([next(one), next(two)]);
    const back = entered(client, "open");
    proxy.cut();
    await back;
    expect([(await next(one)).retained, (await next(two)).retained]).toEqual([true, true]);
  });
});

test("what is retained goes to the subscription that it was sent for, also where identifiers do not tell", async () => {
  const noIdentifiers = [0x29, 0];
  const retained = (text: string) => Buffer.from([0x31, 8, 0, 4, ...Buffer.from("kept"), 0, ...Buffer.from(text)]);
  let socket: Socket | undefined;
  let asked = 0;
  await using broker = await startFakeBroker({
    connack: noIdentifiers,
    connected: (accepted) => {
      socket = accepted;
    },
    subscribing: () => {
      if (++asked < 2) return;
      // That for the first comes between the second's SUBSCRIBE and SUBACK.
      socket?.write(retained("1"));
      setImmediate(() => socket?.write(retained("2")));
    },
  });
  await using client = new MqttClient({ url: broker.url });
  const [one, two] = [await client.subscribe("kept"), await client.subscribe("kept")];
  expect([(await next(one)).text(), (await next(two)).text()]).toEqual(["1", "2"]);
});

/** Options of a session that lasts, as each version has it. */
const lasting = (clientId: string, protocolVersion: 4 | 5) =>
  ({
    clientId,
    protocolVersion,
    ...(protocolVersion === 5 ? { sessionExpirySeconds: 60 } : { cleanStart: false }),
  }) as const;

describe.each([5, 4] as const)("a session that lasts, protocol version %i", (protocolVersion) => {
  onMosquitto("keeps subscriptions and messages for them over a cut, without subscribing again", async () => {
    await using broker = await startMosquitto();
    const sent: number[] = [];
    let isOpen = true;
    await using proxy = await startProxy(broker.url, {
      fromClient: (chunk) => {
        sent.push(...packetTypes(chunk));
        return isOpen;
      },
    });
    await using direct = new MqttClient({ url: broker.url });
    await using client = new MqttClient({
      url: proxy.url,
      reconnect: soon,
      connectTimeoutMs: 150,
      ...lasting("lasts", protocolVersion),
    });
    const all = await client.subscribe("q/+");
    const kept = await client.subscribe("kept");
    const [away, back] = [entered(client, "reconnecting"), entered(client, "open")];
    isOpen = false;
    proxy.cut();
    await away;
    for (let n = 0; n < 5; n++) await direct.publish("q/x", n);
    sent.length = 0;
    isOpen = true;
    await back;
    expect(client.connected?.sessionPresent).toBe(true);
    for (let n = 0; n < 5; n++) expect((await next(all)).json()).toBe(n);
    await direct.publish("kept", "live");
    expect((await next(kept)).text()).toBe("live");
    expect(sent).not.toContain(SUBSCRIBE);
  });

  onMosquitto(
    "gives what was left while away to the process that comes back, also before it has subscribed",
    async () => {
      await using broker = await startMosquitto();
      await using direct = new MqttClient({ url: broker.url });
      const options = { url: broker.url, ...lasting("comes-back", protocolVersion), cleanStart: false };
      const before = new MqttClient(options);
      await before.subscribe(["left/+", "other"]);
      await before.close();
      for (const topic of ["left/1", "other", "left/2"]) await direct.publish(topic, topic);
      await using after = new MqttClient(options);
      // What comes live shows that the messages of the session have come.
      const live = await after.subscribe("live");
      expect(after.connected).toEqual({ sessionPresent: true, protocolVersion });
      await direct.publish("live", "");
      expect((await next(live)).topic).toBe("live");
      const left = await after.subscribe("left/#");
      expect([(await next(left)).text(), (await next(left)).text()]).toEqual(["left/1", "left/2"]);
      const other = await after.subscribe("other");
      expect((await next(other)).text()).toBe("other");
    },
  );

  onMosquitto("forgets a subscription that was left while there was no connection", async () => {
    await using broker = await startMosquitto();
    const sent: number[] = [];
    let isOpen = true;
    await using proxy = await startProxy(broker.url, {
      fromClient: (chunk) => {
        sent.push(...packetTypes(chunk));
        return isOpen;
      },
    });
    await using client = new MqttClient({
      url: proxy.url,
      reconnect: soon,
      connectTimeoutMs: 150,
      ...lasting("leaves", protocolVersion),
    });
    const all = await client.subscribe("q");
    const [away, back] = [entered(client, "reconnecting"), entered(client, "open")];
    isOpen = false;
    proxy.cut();
    await away;
    await all.unsubscribe();
    sent.length = 0;
    isOpen = true;
    await back;
    expect(client.connected?.sessionPresent).toBe(true);
    expect(sent).toContain(UNSUBSCRIBE);
  });

  onMosquitto("loses no message at QoS 2 whose hand-over was cut, and gives none twice", async () => {
    await using broker = await startMosquitto();
    let holding = true;
    const proxied = Promise.withResolvers<void>();
    await using proxy = await startProxy(broker.url, {
      fromBroker(chunk) {
        if (!holding || chunk[0] !== PUBREL) return true;
        holding = false;
        proxied.resolve();
        return false;
      },
    });
    await using direct = new MqttClient({ url: broker.url });
    await using client = new MqttClient({ url: proxy.url, reconnect: soon, ...lasting("reads", protocolVersion) });
    const all = await client.subscribe("twice", { qos: 2 });
    await direct.publish("twice", "one", { qos: 2 });
    await proxied.promise;
    const back = entered(client, "open");
    proxy.cut();
    await back;
    await direct.publish("twice", "two", { qos: 2 });
    expect([(await next(all)).text(), (await next(all)).text()]).toEqual(["one", "two"]);
  });

  onMosquitto("takes no message at QoS 2 for one whose fate was left open", async () => {
    await using broker = await startMosquitto();
    let holding = true;
    const proxied = Promise.withResolvers<void>();
    await using proxy = await startProxy(broker.url, {
      fromClient(chunk) {
        if (!holding || chunk[0] !== PUBREL) return true;
        holding = false;
        proxied.resolve();
        return false;
      },
    });
    await using direct = new MqttClient({ url: broker.url });
    const all = await direct.subscribe("ticks", { qos: 2 });
    await using client = new MqttClient({ url: proxy.url, reconnect: soon, ...lasting("writes", protocolVersion) });
    const first = client.publish("ticks", "tick", { qos: 2 }).catch((error) => error);
    await proxied.promise;
    const back = entered(client, "open");
    proxy.cut();
    expect(await first).toMatchObject({ code: "unavailable", outcome: "unknown" });
    await back;
    await client.publish("ticks", "tick", { qos: 2 });
    await client.publish("ticks", "end", { qos: 2 });
    const texts = [await next(all), await next(all), await next(all)].map((message) => message.text());
    expect(texts).toEqual(["tick", "tick", "end"]);
  });
});

onMosquitto("a session is begun anew once, where that is wanted, and not at each connection", async () => {
  await using broker = await startMosquitto();
  const options = { url: broker.url, clientId: "anew", sessionExpirySeconds: 60 };
  const before = new MqttClient({ ...options, cleanStart: false });
  await before.subscribe("old");
  await before.close();
  await using proxy = await startProxy(broker.url);
  await using client = new MqttClient({ ...options, url: proxy.url, reconnect: soon });
  expect(await client.connect()).toMatchObject({ sessionPresent: false });
  const back = entered(client, "open");
  proxy.cut();
  await back;
  expect(client.connected).toMatchObject({ sessionPresent: true });
});

onMosquitto("a session ends with its connection unless it is to last", async () => {
  await using broker = await startMosquitto();
  await using proxy = await startProxy(broker.url);
  await using client = new MqttClient({ url: proxy.url, reconnect: soon, clientId: "short", cleanStart: false });
  const all = await client.subscribe("a");
  const back = entered(client, "open");
  proxy.cut();
  await back;
  expect(client.connected).toMatchObject({ sessionPresent: false });
  await client.publish("a", "still");
  expect((await next(all)).text()).toBe("still");
});

test("what comes in one segment with the broker's acceptance is not lost, nor by a subscription that fails", async () => {
  const publish = [0x30, 6, 0, 1, 0x77, 0, 0x68, 0x69];
  const answers = [0x97, 1];
  await using broker = await startFakeBroker({ welcome: publish, suback: () => answers.shift() ?? null });
  await using client = new MqttClient({ url: broker.url, clientId: "a", cleanStart: false });
  await client.connect();
  await expect(client.subscribe("w")).rejects.toMatchObject({ code: "resource_exhausted", outcome: "rejected" });
  const all = await client.subscribe("w");
  expect((await next(all)).text()).toBe("hi");
});

test("a filter that is refused on coming back ends its subscription, and no other", async () => {
  let subscribed = 0;
  let cut = (): void => {};
  await using broker = await startFakeBroker({
    connected: (socket) => {
      cut = () => socket.resetAndDestroy();
    },
    suback: (filter) => (filter === "refused" && ++subscribed > 1 ? 0x87 : 1),
  });
  await using client = new MqttClient({ url: broker.url, reconnect: soon });
  const refused = await client.subscribe("refused");
  const other = await client.subscribe("other");
  const back = entered(client, "open");
  cut();
  await back;
  expect(await refused.closed).toMatchObject({ code: "permission_denied", details: { reason: 0x87 } });
  await expect(refused.next()).rejects.toMatchObject({ code: "permission_denied" });
  expect(client.state).toBe("open");
  await client.close();
  expect(await other.closed).toBeUndefined();
});

test("a broker that accepts, and does not give the subscriptions back in time, is tried again", async () => {
  let connections = 0;
  let cut = (): void => {};
  await using broker = await startFakeBroker({
    connected: (socket) => {
      connections++;
      cut = () => socket.resetAndDestroy();
    },
    suback: () => (connections === 2 ? null : 1),
  });
  await using client = new MqttClient({ url: broker.url, reconnect: soon, connectTimeoutMs: 200 });
  await client.subscribe("a");
  const back = entered(client, "open");
  cut();
  await back;
  expect(connections).toBe(3);
  expect((await client.health()).lastError).toMatchObject({ code: "deadline_exceeded" });
});
