import { connect, ParleyError, serve } from "@parley/core";
import { decode, type Envelope, encodeMessage, reply } from "@parley/core/transport";
import { connectAsync, type IPublishPacket, type MqttClient } from "mqtt";
import { describe, expect, test } from "vitest";
import { hasMosquitto, startMosquitto, type TestBroker } from "../test/brokers.ts";
import { home, homeAgent } from "../test/home.ts";
import { message, openLinkTo } from "../test/link.ts";
import { mqtt } from "./mqtt.ts";
import type { MqttOptions } from "./options.ts";

const onMosquitto = test.runIf(hasMosquitto);
const EVENTS = "application/cloudevents+ndjson";

interface Seen {
  readonly contentType: string | undefined;
  readonly lines: readonly string[];
}

/** A program without Parley, with what comes to its topics. */
interface Foreigner extends AsyncDisposable {
  readonly client: MqttClient;
  readonly seen: readonly Seen[];
  /** Resolves when so many lines have come. */
  lines(count: number): Promise<void>;
}

async function foreigner({ url }: TestBroker, filter: string): Promise<Foreigner> {
  const client = await connectAsync(url.href, { protocolVersion: 5 });
  const seen: Seen[] = [];
  let told = (): void => {};
  client.on("message", (_, payload, { properties }: IPublishPacket) => {
    seen.push({ contentType: properties?.contentType, lines: payload.toString().split("\n") });
    told();
  });
  await client.subscribeAsync(filter);
  const count = (): number => seen.reduce((sum, { lines }) => sum + lines.length, 0);
  return {
    client,
    seen,
    lines: (wanted) =>
      new Promise((resolve) => {
        told = () => {
          if (count() >= wanted) resolve();
        };
        told();
      }),
    [Symbol.asyncDispose]: () => client.endAsync(true),
  };
}

/** What comes back to the inbox of a Parley when 40 calls are answered at once, as somebody sees it who listens in. */
async function answers(
  broker: TestBroker,
  calling: MqttOptions = {},
  serving: MqttOptions = {},
): Promise<readonly Seen[]> {
  const url = new URL("/agents/home", broker.url);
  await using witness = await foreigner(broker, "parley/inbox/#");
  const all = Promise.withResolvers<void>();
  let come = 0;
  await using _listener = await mqtt(serving).listen(url, async ({ message }) => {
    if (message.type !== "home.double.v1") throw new ParleyError("unimplemented", "not here");
    if (++come === 40) all.resolve();
    await all.promise;
    return { message: reply(message, "/test", 2 * Number(message.data)) };
  });
  await using remote = await connect(home, url, { transports: [mqtt(calling)] });
  const before = witness.seen.length;
  const doubled = await Promise.all(Array.from({ length: 40 }, (_, n) => remote.double(n)));
  expect(doubled).toEqual(Array.from({ length: 40 }, (_, n) => 2 * n));
  await witness.lines(before + 40);
  return witness.seen.filter(({ lines }) => lines.some((line) => /"home.double.v1","kind":"reply"/.test(line)));
}

describe("several answers in one message", () => {
  onMosquitto("are events, one a line, and say so", async () => {
    await using broker = await startMosquitto();
    const seen = await answers(broker);
    expect(seen.map(({ lines, contentType }) => [lines.length, contentType])).toEqual([
      [32, EVENTS],
      [8, EVENTS],
    ]);
    for (const line of seen.flatMap(({ lines }) => lines)) expect(decode(line)).toMatchObject({ kind: "reply" });
  });

  const short = "listener PORT 127.0.0.1\nallow_anonymous true\nmax_packet_size 60000";
  onMosquitto.each<[string, string | undefined, MqttOptions, MqttOptions]>([
    ["a caller on 3.1.1", undefined, { protocolVersion: 4 }, {}],
    ["an agent on 3.1.1", undefined, {}, { protocolVersion: 4 }],
    ["a broker that takes only short packets", short, {}, {}],
  ])("are not sent with %s", async (_, config, calling, serving) => {
    await using broker = await startMosquitto(config);
    const seen = await answers(broker, calling, serving);
    expect(seen).toHaveLength(40);
    for (const { lines, contentType } of seen) expect([lines.length, contentType]).toEqual([1, undefined]);
  });

  onMosquitto.each<[string, Partial<Envelope>]>([
    ["says nothing of what it takes", {}],
    ["takes several items of a stream in an event", { credit: "0:0:32:4194304" }],
    ["takes one event a message", { credit: "0:0:32:4194304:1" }],
  ])("never go to a program that speaks in events, and %s", async (_, terms) => {
    await using broker = await startMosquitto();
    const url = new URL("/agents/home", broker.url);
    await using _server = await serve(homeAgent(), url, { transports: [mqtt()] });
    const inbox = `parley/inbox/device/${"a".repeat(16)}`;
    await using device = await foreigner(broker, `${inbox}/#`);
    for (let n = 0; n < 40; n++) {
      const opener = { ...message({ type: "home.double.v1", replyto: inbox, ...terms, data: n }), call: n + 1 };
      device.client.publish("agents/home/call/device/home.double.v1", encodeMessage(opener));
    }
    await device.lines(40);
    expect(device.seen.map(({ lines }) => decode(lines.join("\n")).data)).toEqual(
      Array.from({ length: 40 }, (_, n) => 2 * n),
    );
  });

  onMosquitto("never go to a program that speaks plainly", async () => {
    await using broker = await startMosquitto();
    const url = new URL("/agents/home", broker.url);
    await using _server = await serve(homeAgent(), url, { transports: [mqtt()] });
    await using device = await foreigner(broker, "answers");
    for (let n = 0; n < 40; n++) {
      const properties = { responseTopic: "answers", correlationData: Buffer.from(String(n)) };
      device.client.publish("agents/home/call/device/home.double.v1", String(n), { properties });
    }
    await device.lines(40);
    expect(device.seen.map(({ lines }) => lines)).toEqual(Array.from({ length: 40 }, (_, n) => [String(2 * n)]));
  });
});

describe("a message of several events", () => {
  const event = (id: string, more: Partial<Envelope> = {}): string =>
    encodeMessage({ ...message({ kind: "reply", data: id }), inreplyto: "1", id, ...more });
  const deep = event("deep").replace('"data":"deep"', `"data":${"[".repeat(80)}${"]".repeat(80)}`);

  /** What becomes of one, in an inbox into which anybody may write: what arrives, and what is refused. */
  async function received(lines: readonly string[]) {
    await using broker = await startMosquitto();
    await using caller = await openLinkTo(broker.url);
    await using stranger = await foreigner(broker, "nothing");
    const send = (texts: readonly string[]) =>
      stranger.client.publishAsync(`${caller.broker.inbox}/stranger`, texts.join("\n"), {
        qos: 1,
        properties: { contentType: EVENTS },
      });
    await send(lines);
    await send([event("last")]);
    const arrived: unknown[] = [];
    for (;;) {
      const { message, from, bytes } = await caller.inbox.next();
      if (message.id === "last") return { arrived, ...caller };
      expect([from, bytes]).toEqual(["stranger", encodeMessage(message).length]);
      arrived.push(message.id);
    }
  }

  onMosquitto("arrives one by one, in its order", async () => {
    const ids = Array.from({ length: 32 }, (_, n) => `n${n}`);
    const { arrived, refused } = await received(ids.map((id) => event(id)));
    expect([arrived, refused]).toEqual([ids, []]);
  });

  onMosquitto("may end with a line feed, but not be empty", async () => {
    const ended = await received([event("a"), event("b"), ""]);
    expect([ended.arrived, ended.refused]).toEqual([["a", "b"], []]);
    const empty = await received([]);
    expect([empty.arrived, empty.refused.length]).toEqual([[], 1]);
  });

  onMosquitto("is refused as a whole if it holds more than was offered", async () => {
    const { arrived, refused } = await received(Array.from({ length: 33 }, (_, n) => event(`n${n}`)));
    expect(arrived).toEqual([]);
    expect(refused).toMatchObject([
      { code: "invalid_argument", message: expect.stringContaining("more than 32 events") },
    ]);
  });

  onMosquitto.each([
    ["is no JSON", `${event("bad").slice(0, -1)}x}`],
    ["is too deep", deep],
    ["is empty", ""],
    ["is a list of events", `[${event("bad")}]`],
    ["wants its answer elsewhere", event("bad", { replyto: `parley/inbox/other/${"a".repeat(16)}` })],
  ])("loses only the event that %s", async (_, bad) => {
    const { arrived, refused } = await received([event("before"), bad, event("behind")]);
    expect(arrived).toEqual(["before", "behind"]);
    expect(refused).toHaveLength(1);
  });

  onMosquitto("is no call to an agent", async () => {
    await using broker = await startMosquitto();
    await using agent = await openLinkTo(broker.url, {}, { answers: true });
    const calls = await agent.subscribe({ agent: "a" });
    await using stranger = await foreigner(broker, "nothing");
    const two = [1, 2].map((n) => encodeMessage(message({ data: n }))).join("\n");
    const topic = "a/call/stranger/text.echo.v1";
    await stranger.client.publishAsync(topic, two, { qos: 1, properties: { contentType: EVENTS } });
    await stranger.client.publishAsync(topic, "3", { qos: 1 });
    expect((await calls.next()).message.data).toBe(3);
    expect(agent.refused).toHaveLength(1);
  });
});
