import { describe, expect, test } from "vitest";
import { hasMosquitto, startAedes, startMosquitto, type TestBroker } from "../test/brokers.ts";
import { message, openLinkTo } from "../test/link.ts";

const brokers: readonly [string, boolean, () => Promise<TestBroker>, 4 | 5 | undefined][] = [
  ["Mosquitto, MQTT 5", hasMosquitto, startMosquitto, undefined],
  ["Mosquitto, MQTT 3.1.1", hasMosquitto, startMosquitto, 4],
  ["aedes", true, startAedes, undefined],
];

describe.each(brokers)("%s", (name, available, start, protocolVersion) => {
  const on = test.runIf(available);
  const options = { protocolVersion };

  on("a call reaches the agent with its sender, and the answer the caller's inbox", async () => {
    await using broker = await start();
    await using caller = await openLinkTo(broker.url, { ...options, clientId: "alice" });
    await using agent = await openLinkTo(broker.url, { ...options, clientId: "bob" }, { answers: true });
    const calls = await agent.subscribe({ agent: "agents/echo" });
    const opener = message({ replyto: caller.broker.inbox, timeoutms: 1_500, credit: "4:9", data: { text: "hé" } });
    caller.broker.publish({ to: "agent", name: "agents/echo", type: opener.type }, opener);
    const call = await calls.next();
    expect(call.message).toEqual(opener);
    expect(call.from).toBe("alice");
    expect(call.principal).toBeUndefined();
    agent.broker.publish(
      { to: "inbox", name: caller.broker.inbox },
      message({ kind: "reply", id: `${opener.id}.r`, data: 7 }),
    );
    expect(await caller.inbox.next()).toMatchObject({ from: "bob", message: { id: `${opener.id}.r`, data: 7 } });
    expect(agent.refused).toEqual([]);
  });

  on("a message to all replicas reaches all", async () => {
    await using broker = await start();
    await using caller = await openLinkTo(broker.url, options);
    await using one = await openLinkTo(broker.url, options, { answers: true });
    const calls = await one.subscribe({ agent: "agents/echo" });
    await caller.confirmed({ to: "replicas", name: "agents/echo" }, message({ kind: "cancel" }));
    expect((await calls.next()).message.kind).toBe("cancel");
  });

  on("publications reach whoever subscribed, also where filters overlap: on MQTT 5 once per subscription", async () => {
    await using broker = await start();
    await using reader = await openLinkTo(broker.url, options);
    await using writer = await openLinkTo(broker.url, options);
    const wide = await reader.subscribe({ filter: "rooms/+/light" });
    const again = await reader.subscribe({ filter: "rooms/+/light" });
    const wider = await reader.subscribe({ filter: "rooms/#" });
    const other = await reader.subscribe({ filter: "doors/#" });
    const sent = message({ kind: "publish", type: "home.light.v1", subject: "rooms/7/light", data: { on: true } });
    await writer.confirmed({ to: "topic", name: "rooms/7/light" }, sent);
    for (const inbox of [wide, again, wider]) expect((await inbox.next()).message).toEqual(sent);
    await again.stop();
    const next = message({ kind: "publish", type: "home.light.v1", subject: "rooms/8/light", data: [1] });
    await writer.confirmed({ to: "topic", name: "rooms/8/light" }, next);
    const marker = message({ kind: "publish", type: "home.door.v1", subject: "doors/1", data: "open" });
    await writer.confirmed({ to: "topic", name: "doors/1" }, marker);
    expect((await other.next()).message).toEqual(marker);
    for (const { arrivals } of [wide, wider]) expect(arrivals.at(-1)?.message).toEqual(next);
    const counts = [wide, wider, other].map(({ arrivals }) => arrivals.length);
    if (name.endsWith("MQTT 5")) expect([...counts, again.arrivals.length]).toEqual([2, 2, 1, 1]);
    else expect(counts[2]).toBe(1);
  });

  on("what is retained reaches each new subscriber once, and says so", async () => {
    await using broker = await start();
    await using writer = await openLinkTo(broker.url, { ...options, retain: (topic) => topic.startsWith("kept/") });
    const sent = message({ kind: "publish", subject: "kept/a", data: 1 });
    await writer.confirmed({ to: "topic", name: "kept/a" }, sent);
    await using reader = await openLinkTo(broker.url, options);
    const first = await reader.subscribe({ filter: "kept/+" });
    expect(await first.next()).toMatchObject({ retained: true, message: sent });
    const second = await reader.subscribe({ filter: "kept/+" });
    expect(await second.next()).toMatchObject({ retained: true, message: sent });
    const live = message({ kind: "publish", subject: "kept/b", data: 2 });
    await writer.confirmed({ to: "topic", name: "kept/b" }, live);
    expect(await first.next()).toMatchObject({ message: live });
    expect(first.arrivals.length).toBe(2);
  });

  on("a process that is killed is told to those who watch it; one that closes is not", async () => {
    await using broker = await start();
    await using watcher = await openLinkTo(broker.url, options);
    await using orderly = await openLinkTo(broker.url, options);
    const victim = await openLinkTo(broker.url, { ...options, clientId: "victim" });
    const gone: string[] = [];
    const both = new Promise<void>((resolve) => {
      watcher.broker.watch?.(orderly.broker.inbox, () => gone.push("orderly"));
      watcher.broker.watch?.(victim.broker.inbox, () => {
        gone.push("victim");
        resolve();
      });
    });
    // The subscriptions of the watches are there when a later one is.
    await watcher.subscribe({ filter: "marker" });
    await orderly.broker.close();
    // A second connection of its name ends the first, as the broker does with one that is lost.
    await using usurper = await openLinkTo(broker.url, { ...options, clientId: "victim" });
    await both;
    expect(gone).toEqual(["victim"]);
    expect(await victim.down).toMatchObject({ name: expect.stringMatching(/Error$/) });
    expect(usurper.broker.inbox).not.toBe(victim.broker.inbox);
  });

  on("what the broker says of itself becomes promises", async () => {
    await using broker = await start();
    await using link = await openLinkTo(broker.url, options, { answers: true });
    const is5 = name.endsWith("MQTT 5");
    expect(link.broker.promises).toEqual({
      replicas: name !== "aedes",
      noResponders: is5,
      senderIdentity: false,
      presence: true,
      lossDetection: "sequence",
      overflow: "drop-new",
      expiryResolutionMs: is5 ? 1_000 : 0,
    });
  });
});
