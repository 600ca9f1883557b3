import { pbkdf2Sync, randomBytes } from "node:crypto";
import { once } from "node:events";
import { globSync } from "node:fs";
import type { Socket } from "node:net";
import { inspect } from "node:util";
import { bearer } from "@parley/core";
import type { ParleyError } from "@parley/core/transport";
import { certificates } from "@parley/test-certificates";
import { describe, expect, test } from "vitest";
import { hasMosquitto, startAedes, startMosquitto, startServer } from "../../test/brokers.ts";
import { startFakeBroker } from "../../test/fake-broker.ts";
import { entered, next } from "../../test/next.ts";
import { CLOSE_TIMEOUT_MS } from "../link-init.ts";
import { MqttClient } from "./mqtt-client.ts";

const onMosquitto = test.runIf(hasMosquitto);
const soon = { baseMs: 1, maxMs: 20 };

function failureOf(attempt: Promise<unknown>): Promise<ParleyError> {
  return attempt.then(
    () => {
      throw new Error("it did not fail");
    },
    (error: ParleyError) => error,
  );
}

describe("a broker that is not there", () => {
  test("refused: the first use fails, not sent, and the next tries again", async () => {
    const gone = await startServer(() => {});
    await gone[Symbol.asyncDispose]();
    await using client = new MqttClient({ url: gone.url });
    for (const attempt of [client.publish("a", 1), client.subscribe("a"), client.connect()])
      expect(await failureOf(attempt)).toMatchObject({ code: "unavailable", outcome: "not-sent" });
    expect(client.state).toBe("idle");
    await using _broker = await startAedes(Number(gone.url.port));
    await client.publish("a", 1);
  });

  test("silent: within the time to connect, or the operation's own; nothing stays open", async () => {
    const sockets: Socket[] = [];
    await using server = await startServer((socket) => sockets.push(socket.resume()));
    await using client = new MqttClient({ url: server.url, connectTimeoutMs: 2_000 });
    const begun = performance.now();
    const waiting = client.publish("a", 1);
    const impatient = await failureOf(client.publish("a", 2, { timeoutMs: 100 }));
    expect(impatient).toMatchObject({ code: "deadline_exceeded", outcome: "not-sent" });
    expect(performance.now() - begun).toBeLessThan(1_900);
    expect(await failureOf(waiting)).toMatchObject({ code: "deadline_exceeded", outcome: "not-sent" });
    expect(performance.now() - begun).toBeLessThan(4_000);
    const controller = new AbortController();
    const given = client.connect({ signal: controller.signal });
    while (sockets.length < 2) await new Promise(setImmediate);
    controller.abort();
    expect(await failureOf(given)).toMatchObject({ code: "cancelled", outcome: "not-sent" });
    await Promise.all(sockets.map((socket) => socket.closed || once(socket, "close")));
  });

  test("closing gives a dial up", async () => {
    await using server = await startServer((socket) => socket.resume());
    const client = new MqttClient({ url: server.url });
    const waiting = failureOf(client.publish("a", 1));
    while (server.open() === 0) await new Promise(setImmediate);
    await client.close();
    expect(await waiting).toMatchObject({ code: "unavailable", outcome: "not-sent" });
    while (server.open() > 0) await new Promise(setImmediate);
  });
});

describe("a broker that goes", () => {
  onMosquitto("killed: what was on its way is unknown, what waited its turn is not sent", async () => {
    const broker = await startMosquitto("listener PORT 127.0.0.1\nallow_anonymous true\nmax_inflight_messages 3");
    await using client = new MqttClient({ url: broker.url, reconnect: { ...soon, maxAttempts: 3 } });
    const all = await client.subscribe("a");
    const states: string[] = [];
    client.onState(({ state }) => states.push(state));
    broker.signal("SIGSTOP");
    const outcomes = Array.from({ length: 5 }, (_, n) => failureOf(client.publish("a", n)));
    const over = entered(client, "closed");
    broker.signal("SIGKILL");
    expect((await Promise.all(outcomes)).map(({ code, outcome }) => `${code} ${outcome}`)).toEqual([
      ...Array(3).fill("unavailable unknown"),
      ...Array(2).fill("unavailable not-sent"),
    ]);
    const waiting = failureOf(client.publish("a", "while away"));
    await over;
    expect(await waiting).toMatchObject({ code: "unavailable", outcome: "not-sent" });
    await expect(all.next()).rejects.toMatchObject({ code: "unavailable", outcome: "unknown" });
    expect(states).toEqual(["reconnecting", "reconnecting", "reconnecting", "closed"]);
    await broker[Symbol.asyncDispose]();
  });

  onMosquitto("half open: noticed within one and a half keepalives, and in the time of each operation", async () => {
    await using broker = await startMosquitto();
    await using client = new MqttClient({ url: broker.url, keepaliveSeconds: 1, reconnect: soon });
    await client.connect();
    const away = entered(client, "reconnecting");
    broker.signal("SIGSTOP");
    const begun = performance.now();
    const late = await failureOf(client.publish("a", 1, { timeoutMs: 100 }));
    expect(late).toMatchObject({ code: "deadline_exceeded", outcome: "unknown" });
    expect((await client.health({ timeoutMs: 50 })).lastError).toMatchObject({ code: "deadline_exceeded" });
    await away;
    expect(performance.now() - begun).toBeLessThan(4_000);
    const back = entered(client, "open");
    broker.signal("SIGCONT");
    await back;
    await client.publish("a", 2);
  });

  onMosquitto("back on the same port: the client is back, with its subscriptions", async () => {
    const first = await startMosquitto();
    await using client = new MqttClient({ url: first.url, reconnect: soon });
    const all = await client.subscribe("a");
    const away = entered(client, "reconnecting");
    await first[Symbol.asyncDispose]();
    await away;
    const back = entered(client, "open");
    await using _second = await startAedes(Number(first.url.port));
    await back;
    await client.publish("a", "again");
    expect((await next(all)).text()).toBe("again");
  });

  test("a cut ends a client that does not reconnect", async () => {
    let cut = (): void => {};
    await using broker = await startFakeBroker({
      connected: (socket) => {
        cut = () => socket.resetAndDestroy();
      },
    });
    await using client = new MqttClient({ url: broker.url, reconnect: false });
    const all = await client.subscribe("a");
    cut();
    expect(await all.closed).toMatchObject({ code: "unavailable", outcome: "unknown" });
    expect(client.state).toBe("closed");
  });

  test("another with the same client id ends it for good: neither drives the other out again", async () => {
    await using broker = await startFakeBroker({ afterwards: [0xe0, 2, 0x8e, 0] });
    await using client = new MqttClient({ url: broker.url, clientId: "same", reconnect: soon });
    const over = entered(client, "closed");
    await client.subscribe("a").catch(() => {});
    await over;
    expect((await client.health()).lastError).toMatchObject({ code: "already_exists", details: { reason: 0x8e } });
  });
});

describe("operations that are given up", () => {
  test("waiting for its turn it is not sent, on its way it is unknown; later ones go on", async () => {
    const onlyOneAtATime = [0x21, 0, 1];
    const seen: string[] = [];
    await using broker = await startFakeBroker({
      connack: onlyOneAtATime,
      puback(topic) {
        seen.push(topic);
        return topic === "stuck" ? null : 0;
      },
    });
    const client = new MqttClient({ url: broker.url });
    await client.connect();
    const controller = new AbortController();
    const sent = failureOf(client.publish("stuck", 1, { signal: controller.signal }));
    const waiting = failureOf(client.publish("waiting", 1, { signal: controller.signal }));
    const late = failureOf(client.publish("late", 1, { timeoutMs: 50 }));
    expect(await late).toMatchObject({ code: "deadline_exceeded", outcome: "not-sent" });
    controller.abort("enough");
    expect(await sent).toMatchObject({ code: "cancelled", outcome: "unknown", cause: "enough" });
    expect(await waiting).toMatchObject({ code: "cancelled", outcome: "not-sent" });
    await client.close({ graceMs: 50 });
    expect(seen).toEqual(["stuck"]);
  });

  test("more than may wait is refused, in number and in bytes", async () => {
    await using broker = await startFakeBroker({ connack: [0x21, 0, 1], puback: () => null });
    for (const [bounds, size] of [
      [{ maxQueued: 2 }, 1],
      [{ maxQueuedBytes: 2_000 }, 1_001],
    ] as const) {
      const client = new MqttClient({ url: broker.url, ...bounds });
      await client.connect();
      const [, , , refused] = [1, 2, 3, 4].map(() => failureOf(client.publish("a", "x".repeat(size))));
      expect(await refused).toMatchObject({ code: "resource_exhausted", outcome: "not-sent" });
      await client.close({ graceMs: 0 });
    }
  });

  test("whoever publishes at QoS 0 waits for a broker that does not read, and beyond a bound is refused", async () => {
    let reads: Socket | undefined;
    await using broker = await startFakeBroker({
      connected: (socket) => {
        reads = socket;
      },
    });
    await using client = new MqttClient({ url: broker.url, maxQueuedBytes: 1_000_000, timeoutMs: 3_000 });
    await client.connect();
    reads?.pause();
    const large = new Uint8Array(8_000_000);
    let written = false;
    const first = client.publish("a", large, { qos: 0 }).then(() => {
      written = true;
    });
    const refused = await failureOf(client.publish("a", 1, { qos: 0 }));
    expect(refused).toMatchObject({ code: "resource_exhausted", outcome: "not-sent" });
    expect(written).toBe(false);
    reads?.resume();
    await first;
  });

  test("a subscription that is given up while it is made is taken back", async () => {
    const filters: string[] = [];
    await using broker = await startFakeBroker({
      suback(filter) {
        filters.push(filter);
        return filter === "silent" ? null : 1;
      },
    });
    await using client = new MqttClient({ url: broker.url });
    await client.connect();
    const late = await failureOf(client.subscribe("silent", { timeoutMs: 100 }));
    expect(late).toMatchObject({ code: "deadline_exceeded", outcome: "unknown" });
    await client.subscribe("other");
    expect(filters).toEqual(["silent", "other"]);
  });

  onMosquitto("a subscription ends with its signal, at any time", async () => {
    await using broker = await startMosquitto();
    await using client = new MqttClient({ url: broker.url });
    const controller = new AbortController();
    const all = await client.subscribe("a", { signal: controller.signal });
    await client.publish("a", 1);
    const waiting = failureOf(next(all).then(() => next(all)));
    await client.publish("b", 1);
    controller.abort();
    expect(await waiting).toMatchObject({ code: "cancelled" });
    expect(await all.closed).toMatchObject({ code: "cancelled" });
    await all.unsubscribe();
    expect(await client.publish("a", 2)).toEqual({ noSubscribers: true });
  });

  test("closing lets publications be confirmed within the grace", async () => {
    let confirm = (): void => {};
    const asked = Promise.withResolvers<void>();
    await using broker = await startFakeBroker({
      connected(socket) {
        confirm = () => socket.write(Buffer.from([0x40, 2, 0, 1]));
      },
      puback() {
        asked.resolve();
        return null;
      },
    });
    const client = new MqttClient({ url: broker.url });
    const sent = client.publish("a", 1);
    await asked.promise;
    const closed = client.close({ graceMs: 4_000 });
    expect(await failureOf(client.publish("a", 2))).toMatchObject({ code: "unavailable", outcome: "not-sent" });
    // Longer than closing takes without a grace.
    await new Promise((resolve) => setTimeout(resolve, 2 * CLOSE_TIMEOUT_MS));
    confirm();
    expect(await sent).toEqual({ noSubscribers: false });
    await closed;
  });
});

describe("who may do what", () => {
  const users = "listener PORT 127.0.0.1\nallow_anonymous false\npassword_file DIR/users\n";

  /** A line of a password file, as `mosquitto_passwd` writes it. */
  function passwordLine(user: string, password: string): string {
    const salt = randomBytes(12);
    const hash = pbkdf2Sync(password, salt, 101, 64, "sha512");
    return `${user}:$7$101$${salt.toString("base64")}$${hash.toString("base64")}\n`;
  }

  onMosquitto("the wrong password is told, typed, without being shown, and not tried again", async () => {
    await using broker = await startMosquitto(users, { users: passwordLine("ann", "canary-1") });
    const log: unknown[] = [];
    for (const protocolVersion of [5, 4] as const) {
      await using client = new MqttClient({
        url: broker.url,
        protocolVersion,
        username: "ann",
        password: "canary-2",
        log: (entry) => log.push(entry),
      });
      const error = await failureOf(client.publish("a", 1));
      expect(error.code).toMatch(/unauthenticated|permission_denied/);
      expect(error).toMatchObject({ outcome: "not-sent", details: { reason: 0x87 } });
      expect(await failureOf(client.connect())).toMatchObject({ outcome: "rejected" });
      expect(inspect([error, client, log], { depth: 10, showHidden: true })).not.toContain("canary");
    }
    await using right = new MqttClient({ url: broker.url, username: "ann", password: "canary-1" });
    await right.publish("a", 1);
    const inUrl = new URL(broker.url);
    inUrl.username = "ann";
    inUrl.password = "canary-1";
    await using byUrl = new MqttClient({ url: inUrl });
    await byUrl.publish("a", 1);
  });

  /** The plugin that also refuses subscriptions, which the ACL file does not. */
  const dynamicSecurity = `listener PORT 127.0.0.1\nallow_anonymous true
plugin ${globSync("/usr/lib/*/mosquitto_dynamic_security.so")[0]}\nplugin_opt_config_file DIR/rules`;
  const rules = {
    defaultACLAccess: { publishClientSend: true, publishClientReceive: true, subscribe: false, unsubscribe: true },
    groups: [{ groupname: "all", roles: [{ rolename: "open" }] }],
    anonymousGroup: "all",
    roles: [{ rolename: "open", acls: [{ acltype: "subscribePattern", topic: "open/#", priority: 1, allow: true }] }],
  };

  onMosquitto("a publication that the ACL file forbids is refused; later ones go on", async () => {
    const acl = "topic readwrite open/#\n";
    const config = "listener PORT 127.0.0.1\nallow_anonymous true\nacl_file DIR/acl";
    await using broker = await startMosquitto(config, { acl });
    await using client = new MqttClient({ url: broker.url });
    const all = await client.subscribe("open/#");
    for (const qos of [1, 2] as const) {
      const forbidden = await failureOf(client.publish("closed", 1, { qos }));
      expect(forbidden).toMatchObject({ code: "permission_denied", outcome: "rejected", details: { reason: 0x87 } });
      expect(forbidden.message).toContain("closed");
    }
    await client.publish("open/x", 1);
    expect((await next(all)).topic).toBe("open/x");
  });

  onMosquitto("a filter that the broker forbids is refused with each filter's reason, and none is kept", async () => {
    await using broker = await startMosquitto(dynamicSecurity, { rules: JSON.stringify(rules) });
    await using client = new MqttClient({ url: broker.url });
    const refused = await failureOf(client.subscribe(["open/+", { filter: "closed/#", qos: 2 }]));
    expect(refused).toMatchObject({
      code: "permission_denied",
      outcome: "rejected",
      details: {
        reason: 0x87,
        filters: [
          { filter: "open/+", reason: 1 },
          { filter: "closed/#", reason: 0x87 },
        ],
      },
    });
    expect(await client.publish("open/x", 1)).toEqual({ noSubscribers: true });
    const all = await client.subscribe("open/+");
    await client.publish("open/x", 2);
    expect((await next(all)).json()).toBe(2);
  });

  test("credentials are asked for at each connection, and once more when the broker refuses them", async () => {
    const shown: (string | undefined)[] = [];
    const cuts: (() => void)[] = [];
    await using broker = await startFakeBroker({
      connected: (socket) => cuts.push(() => socket.resetAndDestroy()),
      connect: ([user, password]) => {
        shown.push(`${user}:${password}`);
        return password === "expired" ? 0x86 : 0;
      },
    });
    const tokens = ["one", "expired", "two", "expired", "expired"];
    const client = new MqttClient({
      url: broker.url,
      username: "ann",
      credentials: bearer(() => tokens.shift() ?? "none"),
      reconnect: soon,
    });
    await client.connect();
    const back = entered(client, "open");
    cuts.at(-1)?.();
    await back;
    expect(shown).toEqual(["ann:one", "ann:expired", "ann:two"]);
    const over = entered(client, "closed");
    cuts.at(-1)?.();
    await over;
    expect((await client.health()).lastError).toMatchObject({ code: "unauthenticated" });
    expect(tokens).toEqual([]);
  });
});

describe("TLS", () => {
  const { ca, serverCert, serverKey, clientCert, clientKey, strangerCert } = certificates;
  const files = { ca, cert: serverCert, key: serverKey };
  const secure = "listener PORT 127.0.0.1\nallow_anonymous true\ncafile DIR/ca\ncertfile DIR/cert\nkeyfile DIR/key";
  const secured = ({ url }: { readonly url: URL }): string => url.href.replace("mqtt:", "mqtts:");

  onMosquitto("the wrong certificate is refused on either side, and the right one is not", async () => {
    await using broker = await startMosquitto(`${secure}\nrequire_certificate true`, files);
    const url = secured(broker);
    await using trusting = new MqttClient({ url, tls: { ca: strangerCert, cert: clientCert, key: clientKey } });
    const untrusted = await failureOf(trusting.publish("a", 1));
    expect(untrusted).toMatchObject({ code: "unavailable", outcome: "not-sent" });
    expect(untrusted.message).toContain("tls.ca");
    await using unknown = new MqttClient({ url, tls: { ca }, reconnect: false });
    expect(await failureOf(unknown.publish("a", 1))).toMatchObject({ code: "unauthenticated", outcome: "not-sent" });
    await using misnamed = new MqttClient({ url, tls: { ca, cert: clientCert, key: clientKey, servername: "other" } });
    expect(await failureOf(misnamed.publish("a", 1))).toMatchObject({ code: "unavailable", outcome: "not-sent" });
    await using client = new MqttClient({ url, tls: { ca, cert: clientCert, key: clientKey } });
    const all = await client.subscribe("a");
    await client.publish("a", "secret");
    expect((await next(all)).text()).toBe("secret");
  });
});
