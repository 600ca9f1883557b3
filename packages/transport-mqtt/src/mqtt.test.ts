import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { connect, type ParleyError, type RemoteOptions, serve } from "@parley/core";
import { describe, expect, test } from "vitest";
import { hasMosquitto, startAedes, startMosquitto, startTool, type TestBroker, tool } from "../test/brokers.ts";
import { home, homeAgent } from "../test/home.ts";
import { mqtt } from "./mqtt.ts";
import type { MqttOptions } from "./options.ts";

const onMosquitto = test.runIf(hasMosquitto);

const brokers: readonly [string, boolean, () => Promise<TestBroker>, 4 | 5 | undefined][] = [
  ["Mosquitto, MQTT 5", hasMosquitto, startMosquitto, undefined],
  ["Mosquitto, MQTT 3.1.1", hasMosquitto, startMosquitto, 4],
  ["aedes", true, startAedes, undefined],
];

function at({ url }: TestBroker, agent = "agents/home"): URL {
  return new URL(`${url.href}/${agent}`.replace(/([^:])\/\//, "$1/"));
}

function dial(url: URL, options: MqttOptions = {}, more: Partial<RemoteOptions> = {}) {
  return connect(home, url, { transports: [mqtt(options)], ...more });
}

describe.each(brokers)("%s", (name, available, start, protocolVersion) => {
  const on = test.runIf(available);
  const options = { protocolVersion };

  on("every kind of call goes through", async () => {
    await using broker = await start();
    let noted: (text: string) => void = () => {};
    const note = new Promise<string>((resolve) => {
      noted = resolve;
    });
    await using server = await serve(homeAgent({ note: noted }), at(broker), { transports: [mqtt(options)] });
    await using remote = await dial(server.urls[0] as URL, options);
    expect(await remote.double(21)).toBe(42);
    const counted: number[] = [];
    for await (const { n } of remote.count({ to: 1_000 })) counted.push(n);
    expect(counted).toEqual(Array.from({ length: 1_000 }, (_, n) => n + 1));
    expect(await remote.sum([1, 2, 3])).toBe(6);
    const echoed: string[] = [];
    for await (const one of remote.echo(["a", "b"])) echoed.push(one);
    expect(echoed).toEqual(["a", "b"]);
    await remote.note("hello");
    expect(await note).toBe("hello");
    await using subscription = await remote.temperature.subscribe();
    await remote.temperature.publish({ room: "kitchen" }, 21.5);
    for await (const { data, params } of subscription) {
      expect([data, params]).toEqual([21.5, { room: "kitchen" }]);
      break;
    }
  });

  on("64 calls and 16 streams at once all end well", async () => {
    await using broker = await start();
    await using _server = await serve(homeAgent(), at(broker), { transports: [mqtt(options)] });
    await using remote = await dial(at(broker), options);
    const calls = Array.from({ length: 64 }, (_, n) => remote.double(n));
    const streams = Array.from({ length: 16 }, async () => {
      let count = 0;
      for await (const _ of remote.count({ to: 500 })) count++;
      return count;
    });
    expect(await Promise.all(calls)).toEqual(Array.from({ length: 64 }, (_, n) => n * 2));
    expect(await Promise.all(streams)).toEqual(Array.from({ length: 16 }, () => 500));
  });

  on("replicas share the calls, or the second is refused", async () => {
    await using broker = await start();
    const both = () => serve(homeAgent(), at(broker), { transports: [mqtt(options)] });
    await using first = await both();
    if (name === "aedes") {
      const error = await both().catch((error: ParleyError) => error);
      expect(error).toMatchObject({ code: "already_exists", outcome: "not-sent" });
      await using remote = await dial(at(broker), options);
      expect(await remote.double(2)).toBe(4);
      return;
    }
    await using second = await both();
    await using remote = await dial(at(broker), options);
    await Promise.all(Array.from({ length: 20 }, () => remote.slow(20)));
    expect(first.urls).toEqual(second.urls);
  });

  on("an agent that nobody serves is unavailable", async () => {
    await using broker = await start();
    const error = await dial(at(broker), options, { connectTimeoutMs: 5_000 }).catch((error: ParleyError) => error);
    expect(error).toMatchObject({ code: "unavailable", outcome: "not-sent" });
  });

  on("after closing nothing is left, and both can be opened again", async () => {
    await using broker = await start();
    for (let round = 0; round < 2; round++) {
      const server = await serve(homeAgent(), at(broker), { transports: [mqtt(options)] });
      const remote = await dial(at(broker), options);
      expect(await remote.double(1)).toBe(2);
      await remote.close();
      await server.close();
    }
  });
});

describe("failures", () => {
  onMosquitto("a server that is killed fails its calls at once, by its last will", async () => {
    await using broker = await startMosquitto();
    using accepting = acceptances(broker);
    const child = await startServerProcess(at(broker));
    await using remote = await dial(at(broker));
    const failed = (error: ParleyError): ParleyError => error;
    const slow = remote.slow(60_000).catch(failed);
    let seen: () => void = () => {};
    const streaming = new Promise<void>((resolve) => {
      seen = resolve;
    });
    const stream = (async () => {
      for await (const { n } of remote.count({ to: 100_000_000 })) if (n === 10_000) seen();
    })().catch(failed);
    await streaming;
    await accepting.of("home.slow.v1");
    // What came before this answer has come.
    await remote.double(1);
    child.kill("SIGKILL");
    await once(child, "exit");
    const died = performance.now();
    for (const error of await Promise.all([slow, stream])) {
      expect(error).toMatchObject({ code: "unavailable", outcome: "unknown" });
    }
    expect(performance.now() - died).toBeLessThan(3_000);
  });

  onMosquitto("a caller that vanishes stops the handler", async () => {
    await using broker = await startMosquitto();
    using accepting = acceptances(broker);
    let began: () => void = () => {};
    const begun = new Promise<void>((resolve) => {
      began = resolve;
    });
    let stopped: (reason: unknown) => void = () => {};
    const stop = new Promise<unknown>((resolve) => {
      stopped = resolve;
    });
    const slow = (signal: AbortSignal): Promise<string> =>
      new Promise((_, reject) => {
        began();
        signal.addEventListener("abort", () => {
          stopped(signal.reason);
          reject(signal.reason);
        });
      });
    await using _server = await serve(homeAgent({ slow }), at(broker), { transports: [mqtt()] });
    const remote = await dial(at(broker), { clientId: "caller" });
    const call = remote.slow(1).catch((error: ParleyError) => error);
    await begun;
    await accepting.of("home.slow.v1");
    // When it answers this, it watches.
    await remote.double(1);
    await using _usurper = await dial(at(broker), { clientId: "caller" });
    expect(await stop).toMatchObject({ code: expect.stringMatching(/unavailable|cancelled/) });
    expect(await call).toMatchObject({ code: "unavailable", outcome: "unknown" });
    await remote.close();
  });

  onMosquitto("a broker that dies fails all that is under way as unknown", async () => {
    const broker = await startMosquitto();
    await using _server = await serve(homeAgent(), at(broker), { transports: [mqtt()] });
    await using remote = await dial(at(broker), {}, { reconnect: false });
    const calls = Array.from({ length: 50 }, () => remote.slow(60_000).catch((error: ParleyError) => error));
    await remote.double(1);
    await broker[Symbol.asyncDispose]();
    for (const error of await Promise.all(calls))
      expect(error).toMatchObject({ code: "unavailable", outcome: "unknown" });
    expect(await remote.double(1).catch((error: ParleyError) => error)).toMatchObject({ outcome: "not-sent" });
  });

  onMosquitto("a stream larger than the broker's queue arrives whole, since credit bounds it", async () => {
    await using broker = await startMosquitto("listener PORT 127.0.0.1\nallow_anonymous true\nmax_queued_messages 600");
    await using _server = await serve(homeAgent(), at(broker), { transports: [mqtt()] });
    await using remote = await dial(at(broker));
    let count = 0;
    for await (const { n } of remote.count({ to: 3_000, size: 200 })) {
      count++;
      // Time for all that the credit permits, and more, had there been none.
      if (n === 5) for (let round = 0; round < 200; round++) await remote.double(round);
    }
    expect(count).toBe(3_000);
  });
});

test("a URL without a path names no agent, and says what to write", async () => {
  const error = await dial(new URL("mqtt://127.0.0.1:1883")).catch((error: ParleyError) => error);
  expect(error).toMatchObject({ code: "invalid_argument", outcome: "not-sent" });
  expect((error as ParleyError).message).toContain("/agents/summarizer");
});

describe("identity", () => {
  const acl = (user: string): string => `user ${user}\ntopic read home/call/+/+\ntopic read home/all/+\n`;
  const patterns =
    "pattern readwrite parley/inbox/%u/#\npattern write parley/inbox/+/+/%u\npattern write +/call/%u/+\npattern write +/all/%u\npattern write parley/gone/%u/+\npattern read parley/gone/+/+\n";

  onMosquitto(
    "a broker that enforces the sender level makes it the principal; without that there is none",
    async () => {
      const config = "listener PORT 127.0.0.1\nallow_anonymous true\nacl_file DIR/acl";
      await using broker = await startMosquitto(config, { acl: acl("server") + patterns });
      for (const enforcedSenders of [true, false]) {
        const peers: (string | undefined)[] = [];
        const server = await serve(homeAgent(), at(broker, "home"), {
          transports: [mqtt({ username: "server", enforcedSenders })],
          use: [
            (next) => (call) => {
              peers.push(call.context.peer?.principal);
              return next(call);
            },
          ],
        });
        const remote = await dial(at(broker, "home"), { username: "ada", enforcedSenders });
        expect(await remote.double(4)).toBe(8);
        expect(peers.at(-1)).toBe(enforcedSenders ? "ada" : undefined);
        await remote.close();
        await server.close();
      }
    },
  );
});

onMosquitto("mosquitto_rr calls an agent with plain JSON, and mosquitto_pub notifies it", async () => {
  await using broker = await startMosquitto();
  const notes: string[] = [];
  await using _server = await serve(homeAgent({ note: (text) => notes.push(text) }), at(broker), {
    transports: [mqtt()],
  });
  await tool("pub", broker.url, "-V", "5", "-t", "agents/home/call/shell/home.note.v1", "-m", '"psst"');
  const rr = (type: string, data: string): Promise<string> =>
    tool("rr", broker.url, "-V", "5", "-t", `agents/home/call/shell/${type}`, "-e", "answers/1", "-m", data, "-W", "5");
  expect((await rr("home.double.v1", "21")).trim()).toBe("42");
  expect(JSON.parse(await rr("home.none.v1", "21"))).toMatchObject({ code: "unimplemented" });
  expect(notes).toEqual(["psst"]);
});

/** Tells when calls are accepted, which they are after a while: from then on both sides watch each other. */
function acceptances({ url }: TestBroker): Disposable & { of(type: string): Promise<void> } {
  const inboxes = startTool("sub", url, "-V", "5", "-t", "parley/inbox/#");
  return {
    of: (type) => inboxes.wrote(new RegExp(`"type":"${type}","kind":"credit"`)),
    [Symbol.dispose]: () => inboxes.stop(),
  };
}

/** Serves the home in a process of its own; resolves when calls can arrive. */
async function startServerProcess(url: URL): Promise<ChildProcess> {
  const file = fileURLToPath(new URL("../test/server-process.ts", import.meta.url));
  const child = spawn(process.execPath, [file, url.href], { stdio: ["ignore", "pipe", "inherit"] });
  await once(child.stdout as NodeJS.ReadableStream, "data");
  return child;
}
