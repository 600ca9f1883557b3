import { once } from "node:events";
import type { Socket } from "node:net";
import { inspect } from "node:util";
import type { ParleyError } from "@parley/core/transport";
import { certificates } from "@parley/test-certificates";
import { describe, expect, test } from "vitest";
import { hasMosquitto, startAedes, startMosquitto, startServer } from "../test/brokers.ts";
import { startFakeBroker } from "../test/fake-broker.ts";
import { message, openLinkTo } from "../test/link.ts";
import { mqtt } from "./mqtt.ts";
import type { MqttOptions } from "./options.ts";

const onMosquitto = test.runIf(hasMosquitto);

async function failureOf(url: URL, options: MqttOptions = {}, signal?: AbortSignal): Promise<ParleyError> {
  const link = await openLinkTo(url, options, signal && { signal }).catch((error: ParleyError) => error);
  if (!(link instanceof Error)) await link.broker.close();
  return link as ParleyError;
}

describe("what is no broker is told", () => {
  test("nothing listens", async () => {
    const gone = await startServer(() => {});
    await gone[Symbol.asyncDispose]();
    const error = await failureOf(gone.url);
    expect(error).toMatchObject({ code: "unavailable", outcome: "not-sent" });
    expect(error.message).toContain("connection refused");
  });

  test.each([
    ["a web server", (socket: Socket) => socket.write("HTTP/1.1 400 Bad Request\r\n\r\n"), "no MQTT broker"],
    ["an SSH server", (socket: Socket) => socket.write("SSH-2.0-OpenSSH_9.2\r\n"), "no MQTT broker"],
    ["one that hangs up", (socket: Socket) => socket.end(), "closed the connection before accepting it; is it"],
    ["one that resets", (socket: Socket) => socket.resetAndDestroy(), "The one with TLS wants mqtts:"],
    [
      "a TLS server",
      (socket: Socket) => socket.write("\x15\x03\x01\x00\x02\x02\x46", "latin1"),
      "wants TLS: say mqtts:",
    ],
    [
      "one that promises an endless packet",
      (socket: Socket) => socket.write("\x20\xff\xff\xff\x7f", "latin1"),
      "packet of 268435455 bytes",
    ],
  ])("%s", async (_, talk, says) => {
    await using server = await startServer(talk);
    const error = await failureOf(server.url);
    expect(error).toMatchObject({ code: "unavailable", outcome: "not-sent" });
    expect(error.message).toContain(says);
  });

  test("one that is silent, after the time to connect; its socket is closed", async () => {
    let hungUp: Promise<unknown> = Promise.resolve();
    await using server = await startServer((socket) => {
      socket.resume();
      hungUp = once(socket, "close");
    });
    expect(await failureOf(server.url)).toMatchObject({ code: "deadline_exceeded", outcome: "not-sent" });
    await hungUp;
    expect(server.open()).toBe(0);
  });

  test("one that accepts and then is silent, after the same time", async () => {
    await using server = await startFakeBroker({ ignoresSubscribe: true });
    const error = await failureOf(server.url);
    expect(error).toMatchObject({ code: "deadline_exceeded", outcome: "not-sent" });
    expect(error.message).toContain("accepted the connection");
    const controller = new AbortController();
    await using other = await startFakeBroker({ ignoresSubscribe: true, subscribing: () => controller.abort() });
    expect(await failureOf(other.url, {}, controller.signal)).toMatchObject({ code: "cancelled" });
  });

  test("one that never confirms presence, after the same time; a signal gives up then too", async () => {
    await using silent = await startFakeBroker({ puback: (topic) => (topic === "here" ? null : 0x10) });
    const presence = { topic: "here" };
    expect(await failureOf(silent.url, { presence })).toMatchObject({ code: "deadline_exceeded", outcome: "not-sent" });
    const controller = new AbortController();
    await using broker = await startFakeBroker({
      puback(topic) {
        if (topic === "here") controller.abort();
        return 0x10;
      },
    });
    expect(await failureOf(broker.url, { presence }, controller.signal)).toMatchObject({ code: "cancelled" });
  });

  test("one that hangs up while presence is being told", async () => {
    const sockets: Socket[] = [];
    await using broker = await startFakeBroker({
      connected: (socket) => sockets.push(socket),
      puback(topic) {
        if (topic === "here") sockets[0]?.destroy();
        return topic === "here" ? null : 0x10;
      },
    });
    const error = await failureOf(broker.url, { presence: { topic: "here" } });
    expect(error).toMatchObject({ code: "unavailable", outcome: "not-sent" });
  });

  test("one that does not deliver what an agent sends to itself", async () => {
    await using broker = await startAedes();
    broker.aedes.authorizeForward = (_client, packet) =>
      (packet.topic.includes("/all/") ? undefined : packet) as typeof packet;
    const url = new URL(`${broker.url.href}/agents/a`);
    const listening = mqtt({ acceptWithinMs: 200 }).listen(url, () => ({}));
    await expect(listening).rejects.toMatchObject({ code: "permission_denied", outcome: "not-sent" });
  });

  test("a signal gives up; nothing stays open", async () => {
    const controller = new AbortController();
    let hungUp: Promise<unknown> = Promise.resolve();
    await using server = await startServer((socket) => {
      socket.resume();
      hungUp = once(socket, "close");
      controller.abort();
    });
    expect(await failureOf(server.url, {}, controller.signal)).toMatchObject({ code: "cancelled" });
    await hungUp;
  });
});

describe("names and topics are checked before anything is sent", () => {
  test.each([
    { username: "a/b" },
    { username: "a+" },
    { clientId: "#" },
    { clientId: "" },
    { clientId: "x".repeat(129) },
    { clientId: "\u0000" },
    { clientId: "\ud800" },
  ])("%j is no name of a sender", async (options) => {
    expect(await failureOf(new URL("mqtt://127.0.0.1:9"), options)).toMatchObject({ code: "invalid_argument" });
  });

  test("a user name in the URL that is no escaped text is refused without being shown", async () => {
    for (const login of ["ann%ZZ:canary", "ann:canary%"]) {
      const error = await failureOf(new URL(`mqtt://${login}@127.0.0.1:9`));
      expect(error).toMatchObject({ code: "invalid_argument", outcome: "not-sent" });
      expect(inspect(error)).not.toMatch(/canary|ann/);
    }
  });

  test("a topic, a type or an inbox that would break the link is refused, and the link lives", async () => {
    await using broker = await startAedes();
    await using link = await openLinkTo(broker.url);
    const topics = ["a/+", "#", "", "a\u0000b", "\ud800", "$SYS/x", "parley/inbox/a/b", "x".repeat(1_025)];
    const all = [
      ...topics.map((name) => ({ to: "topic", name }) as const),
      ...["a/b", "a+", "#", "", "\u0000"].map((type) => ({ to: "agent", name: "a", type }) as const),
      ...["agents/x/call/a/b.v1", "parley/inbox/a/+", "parley/inbox/a/aaaaaaaaaaaaaaaa/b"].map(
        (name) => ({ to: "inbox", name }) as const,
      ),
    ];
    for (const to of all) {
      await expect(link.confirmed(to, message()), JSON.stringify(to)).rejects.toMatchObject({
        code: "invalid_argument",
        outcome: "not-sent",
      });
    }
    for (const filter of ["a/#/b", "a+", "$share/g/a", "parley/#", ""]) {
      await expect(link.subscribe({ filter }), filter).rejects.toMatchObject({ code: "invalid_argument" });
    }
    await link.confirmed({ to: "topic", name: "fine" }, message({ kind: "publish", subject: "fine" }));
  });
});

describe("QoS", () => {
  test("is chosen by topic and by filter, and the lower of both counts", async () => {
    await using broker = await startAedes();
    const seen: [string, number][] = [];
    broker.aedes.on("publish", ({ topic, qos }, client) => {
      if (client && topic.startsWith("q/")) seen.push([topic, qos]);
    });
    await using writer = await openLinkTo(broker.url, { publishQos: (topic) => Number(topic.slice(2)) as 0 | 1 | 2 });
    await using reader = await openLinkTo(broker.url, { subscribeQos: 2 });
    const inbox = await reader.subscribe({ filter: "q/+" });
    for (const topic of ["q/0", "q/1", "q/2"]) {
      await writer.confirmed({ to: "topic", name: topic }, message({ kind: "publish", subject: topic }));
      expect((await inbox.next()).message.subject).toBe(topic);
    }
    expect(seen).toEqual([
      ["q/0", 0],
      ["q/1", 1],
      ["q/2", 2],
    ]);
  });
});

describe("Mosquitto's refusals are typed", () => {
  onMosquitto("no credentials", async () => {
    await using broker = await startMosquitto("listener PORT 127.0.0.1\nallow_anonymous false");
    for (const protocolVersion of [4, 5] as const) {
      const error = await failureOf(broker.url, { protocolVersion, username: "eve", password: "secret" });
      expect(error).toMatchObject({ code: "unauthenticated", details: { reason: 0x87 } });
      expect(error.message).toContain('as "eve"');
      expect(inspect(error)).not.toContain("secret");
    }
  });

  onMosquitto("topics that a client may not read or write", async () => {
    const acl =
      "pattern readwrite parley/inbox/%c/#\npattern write parley/inbox/+/+/%c\ntopic read open\ntopic write agents/a/call/alice/+\n";
    await using broker = await startMosquitto("listener PORT 127.0.0.1\nallow_anonymous true\nacl_file DIR/acl", {
      acl,
    });
    await using link = await openLinkTo(broker.url, { clientId: "alice" });
    const to = { to: "agent", name: "b", type: "text.echo.v1" } as const;
    await expect(link.confirmed(to, message())).rejects.toMatchObject({
      code: "permission_denied",
      outcome: "not-sent",
    });
    const denied = { to: "topic", name: "closed" } as const;
    await expect(link.confirmed(denied, message({ kind: "publish" }))).rejects.toMatchObject({
      message: expect.stringContaining("the message to closed was refused"),
      details: { reason: 0x87 },
    });
    await link.subscribe({ filter: "open" });
  });

  onMosquitto("an agent that nobody serves, and a process that has gone", async () => {
    await using broker = await startMosquitto();
    await using link = await openLinkTo(broker.url);
    const other = await openLinkTo(broker.url);
    await other.broker.close();
    for (const to of [
      { to: "agent", name: "agents/none", type: "text.echo.v1" },
      { to: "inbox", name: other.broker.inbox },
    ] as const) {
      await expect(link.confirmed(to, message())).rejects.toMatchObject({
        code: "unavailable",
        outcome: "not-sent",
        details: { reason: 0x10 },
      });
    }
    await link.confirmed(
      { to: "topic", name: "nobody/listens" },
      message({ kind: "publish", subject: "nobody/listens" }),
    );
  });

  onMosquitto("a message beyond the broker's packet size, before it is sent; the link lives", async () => {
    await using broker = await startMosquitto("listener PORT 127.0.0.1\nallow_anonymous true\nmax_packet_size 20000");
    await using link = await openLinkTo(broker.url);
    expect(link.broker.maxMessageBytes).toBe(20_000 - 2_048);
    const large = message({ kind: "publish", subject: "big", data: "€".repeat(6_700) });
    await expect(link.confirmed({ to: "topic", name: "big" }, large)).rejects.toMatchObject({
      code: "resource_exhausted",
      outcome: "not-sent",
    });
    link.broker.publish({ to: "agent", name: "a", type: "t" }, large);
    const inbox = await link.subscribe({ filter: "big" });
    const fits = message({ kind: "publish", subject: "big", data: "€".repeat(6_000) });
    await link.confirmed({ to: "topic", name: "big" }, fits);
    expect((await inbox.next()).message).toEqual(fits);
  });

  onMosquitto("more at once than the broker's receive maximum wait their turn, within a bound", async () => {
    await using broker = await startMosquitto("listener PORT 127.0.0.1\nallow_anonymous true\nmax_inflight_messages 3");
    await using link = await openLinkTo(broker.url, { maxQueued: 50 });
    const results = Array.from({ length: 60 }, (_, n) =>
      link.confirmed({ to: "topic", name: "many" }, message({ kind: "publish", subject: "many", data: n })).then(
        () => "sent",
        (error: ParleyError) => `${error.code} ${error.outcome}`,
      ),
    );
    expect(link.broker.writable()).toBeInstanceOf(Promise);
    await link.broker.writable();
    const all = await Promise.all(results);
    expect(all.filter((one) => one === "sent").length).toBe(53);
    expect(all.filter((one) => one === "resource_exhausted not-sent").length).toBe(7);
  });
});

describe("a link that is lost", () => {
  onMosquitto("is told once, with what was under way as unknown and what follows as not sent", async () => {
    const broker = await startMosquitto();
    await using link = await openLinkTo(broker.url);
    broker.signal("SIGSTOP");
    const under = link.confirmed({ to: "topic", name: "a" }, message({ kind: "publish" })).catch((error) => error);
    broker.signal("SIGKILL");
    expect(await link.down).toMatchObject({ code: "unavailable" });
    expect(await under).toMatchObject({ code: "unavailable", outcome: "unknown" });
    await expect(link.confirmed({ to: "topic", name: "a" }, message())).rejects.toMatchObject({
      code: "unavailable",
      outcome: "not-sent",
    });
    await expect(link.subscribe({ filter: "a" })).rejects.toMatchObject({ code: "unavailable" });
    await broker[Symbol.asyncDispose]();
  });

  test("the keepalive that a broker asks for takes the place of one's own (MQTT 5, 3.2.2.3.14)", async () => {
    const pinged = Promise.withResolvers<void>();
    const asksForOneSecond = [0x13, 0, 1];
    await using broker = await startFakeBroker({ connack: asksForOneSecond, pinged: pinged.resolve });
    await using link = await openLinkTo(broker.url, { keepaliveSeconds: 600 });
    const opened = performance.now();
    await pinged.promise;
    expect(performance.now() - opened).toBeLessThan(4_000);
    await link.broker.close();
  });

  onMosquitto("half open is noticed within one and a half keepalives", async () => {
    await using broker = await startMosquitto();
    await using link = await openLinkTo(broker.url, { keepaliveSeconds: 1 });
    broker.signal("SIGSTOP");
    const started = performance.now();
    expect(await link.down).toMatchObject({ code: "unavailable" });
    expect(performance.now() - started).toBeLessThan(4_000);
    await expect(link.broker.close()).resolves.toBeUndefined();
  });

  onMosquitto("a broker that does not answer holds up closing for two seconds at most", async () => {
    await using broker = await startMosquitto();
    const link = await openLinkTo(broker.url);
    broker.signal("SIGSTOP");
    const under = link.confirmed({ to: "topic", name: "a" }, message({ kind: "publish" })).catch((error) => error);
    const started = performance.now();
    await link.broker.close();
    expect(performance.now() - started).toBeLessThan(4_000);
    expect(await under).toMatchObject({ code: "unavailable", outcome: "unknown" });
  });

  test("taken over by another with the same client id, and told so", async () => {
    await using broker = await startFakeBroker({ afterwards: [0xe0, 2, 0x8e, 0] });
    await using link = await openLinkTo(broker.url, { clientId: "same" });
    expect(await link.down).toMatchObject({
      code: "already_exists",
      message: expect.stringContaining("another connection has the client id same"),
      details: { reason: 0x8e },
    });
  });

  test("to what may be another with the same client id says so, where MQTT has no word for it", async () => {
    await using broker = await startAedes();
    await using link = await openLinkTo(broker.url, { clientId: "same" });
    await using _other = await openLinkTo(broker.url, { clientId: "same" });
    expect(await link.down).toMatchObject({
      code: "unavailable",
      outcome: "unknown",
      message: expect.stringContaining("client id same"),
    });
  });
});

describe("reason codes of a broker", () => {
  test.each([
    [0x00, "sent"],
    [0x10, "sent"],
    [0x87, "permission_denied"],
    [0x90, "invalid_argument"],
    [0x97, "resource_exhausted"],
    [0x80, "unavailable"],
    [0xfe, "unavailable"],
  ])("%i for a publication is %s", async (reason, expected) => {
    await using broker = await startFakeBroker({ puback: (topic) => (topic === "a" ? reason : 0) });
    await using link = await openLinkTo(broker.url);
    const sent = link.confirmed({ to: "topic", name: "a" }, message({ kind: "publish", subject: "a" }));
    expect(await sent.then(() => "sent").catch((error: ParleyError) => error.code)).toBe(expected);
  });

  test("no PUBACK at all is no hang: later ones wait, and closing ends it, with a goodbye", async () => {
    let goodbyes = 0;
    await using broker = await startFakeBroker({
      disconnected: () => {
        goodbyes++;
      },
      connack: [0x21, 0, 1],
      puback: (topic) => (topic === "a" ? null : 0),
    });
    const link = await openLinkTo(broker.url);
    const outcomes = [1, 2].map(() =>
      link.confirmed({ to: "topic", name: "a" }, message()).catch((error: ParleyError) => error.outcome),
    );
    await link.broker.close();
    expect(await Promise.all(outcomes)).toEqual(["unknown", "not-sent"]);
    expect(goodbyes).toBe(1);
  });

  test("no PUBACK for the end of presence is no hang either", async () => {
    let told = 0;
    await using broker = await startFakeBroker({ puback: (topic) => (topic === "here" && ++told > 1 ? null : 0x10) });
    const link = await openLinkTo(broker.url, { presence: { topic: "here" } });
    await link.broker.close();
    expect(told).toBe(2);
  });

  test.each([
    ["wildcards", [0x28, 0], "failed_precondition"],
    ["retained messages", [0x25, 0], undefined],
  ])("a broker without %s", async (_, connack, code) => {
    await using broker = await startFakeBroker({ connack });
    if (code) return void expect(await failureOf(broker.url)).toMatchObject({ code, outcome: "not-sent" });
    await using link = await openLinkTo(broker.url, { retain: () => true });
    await expect(link.confirmed({ to: "topic", name: "a" }, message())).rejects.toMatchObject({
      code: "failed_precondition",
    });
    const presence = { presence: { topic: "p" } };
    expect(await failureOf(broker.url, presence)).toMatchObject({ code: "failed_precondition" });
  });
});

describe("TLS", () => {
  const { ca, serverCert, serverKey, clientCert, clientKey } = certificates;
  const files = { ca, cert: serverCert, key: serverKey };
  const secure = "listener PORT 127.0.0.1\nallow_anonymous true\ncafile DIR/ca\ncertfile DIR/cert\nkeyfile DIR/key";
  const secured = ({ url }: { readonly url: URL }): URL => new URL(url.href.replace("mqtt:", "mqtts:"));

  onMosquitto("an untrusted certificate is refused, with what to do", async () => {
    await using broker = await startMosquitto(secure, files);
    const error = await failureOf(secured(broker));
    expect(error).toMatchObject({ code: "unavailable", outcome: "not-sent" });
    expect(error.message).toContain("tls.ca");
    await using link = await openLinkTo(secured(broker), { tls: { ca } });
    await link.confirmed({ to: "topic", name: "a" }, message({ kind: "publish", subject: "a" }));
  });

  onMosquitto(
    "a client certificate that is asked for and missing is unauthenticated; with it, its name is the user",
    async () => {
      const strict = `${secure}\nrequire_certificate true\nuse_identity_as_username true\nacl_file DIR/acl`;
      const acl = "pattern readwrite parley/inbox/%u/#\nuser client\ntopic readwrite known\n";
      await using broker = await startMosquitto(strict, { ...files, acl });
      const error = await failureOf(secured(broker), { tls: { ca } });
      expect(error).toMatchObject({ code: "unauthenticated" });
      await using link = await openLinkTo(secured(broker), {
        username: "client",
        tls: { ca, cert: clientCert, key: clientKey },
      });
      await link.confirmed({ to: "topic", name: "known" }, message({ kind: "publish", subject: "known" }));
    },
  );

  onMosquitto("plain MQTT at a TLS port fails, typed, within the time to connect", async () => {
    await using broker = await startMosquitto(secure, files);
    expect((await failureOf(broker.url)).code).toMatch(/unavailable|deadline_exceeded/);
  });
});
