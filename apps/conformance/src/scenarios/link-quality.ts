import { bothWays } from "../faults/faults.ts";
import type { Scenario } from "../scenario.ts";
import { numbered, numberOf } from "../serving/numbered.ts";
import { nothingOpen, upTo } from "./expect.ts";
import { linkTo } from "./link.ts";
import { publish, subscribe } from "./subscriber.ts";

const streams = { kinds: ["request", "server-stream", "client-stream"], tcp: true } as const;

/** FLT: links that are slow. Times are parts of T, so that they grow with the machine's. */
export const slowLinkScenarios: readonly Scenario[] = [
  {
    id: "FLT-01",
    group: "FLT",
    level: "must",
    title: "With 300 ± 50 ms of latency each way everything works, and nothing is taken for lost that is on its way.",
    needs: { kinds: ["request", "server-stream"], tcp: true },
    mutants: ["has-a-fixed-timer"],
    limit: 16,
    async run(env) {
      const faults = bothWays({ latencyMs: 0.15 * env.t, jitterMs: 0.025 * env.t });
      const heartbeatMs = env.t / 2;
      const link = await linkTo(env, { faults, tuning: { heartbeatMs } });
      const connection = await link.connect();
      const patience = 3 * env.t;
      const requests = upTo(5).map((n) => env.calls.make(connection, "request", "echo", { data: n }));
      const quiet = env.calls.make(connection, "request", "delay", { data: { ms: 1.5 * heartbeatMs } });
      const stream = env.calls.make(connection, "server-stream", "count", { data: { n: 20 } });
      const reading = (async () => {
        const items: unknown[] = [];
        for await (const item of await env.calls.output(stream)) items.push(item.data);
        return items;
      })();
      const topics = async (): Promise<readonly unknown[]> => {
        const subscriber = await subscribe(env, connection, "slow/link");
        await Promise.all(upTo(3).map((n) => publish(env, connection, "slow/link", n)));
        await subscriber.count(3);
        await subscriber.unsubscribe();
        return [...subscriber.received].sort();
      };
      const published = env.manifest.kinds.subscribe === "none" ? Promise.resolve(upTo(3)) : topics();
      const replies = Promise.all(requests.map((made) => env.calls.message(made)));
      env.caller.equal(
        "the replies",
        (await env.within("5 replies", replies, patience)).map(({ data }) => data),
        upTo(5),
      );
      env.caller.equal("the items of a stream", await env.within("a stream of 20", reading, patience), upTo(20));
      env.caller.equal("what was published", await env.within("3 publications", published, 2 * patience), upTo(3));
      await env.within("a reply that takes its time", env.calls.message(quiet), patience);
      env.caller.equal("the state of the connection", connection.state, "open");
      for (const { id } of [...requests, quiet, stream]) {
        env.handler.equal("how often a call arrived", env.events(id, "called").length, 1);
      }
      if (env.manifest.ordering === "connection") {
        env.wire.equal("connections that were opened", link.proxy.connections, 1);
      }
      env.wire.ok("bytes of both sides to have come through the link", link.proxy.bytes("listener") > 0);
      link.proxy.set({});
      await nothingOpen(env, connection);
    },
  },
  {
    id: "FLT-02",
    group: "FLT",
    level: "must",
    title:
      "Over a narrow link 1 MiB passes each way at the same time, signs of life are not starved, and small calls still pass beside it.",
    needs: streams,
    mutants: ["starves-pings"],
    limit: 30,
    async run(env) {
      const [items, bytes] = [64, 16 * 1024];
      const bytesPerSecond = env.count((items * bytes * 1_000) / env.t, 64 * 1024);
      const heartbeatMs = env.count(env.t / 2, 2 * env.t);
      const link = await linkTo(env, { tuning: { heartbeatMs } });
      const connection = await link.connect();
      link.proxy.set(bothWays({ bytesPerSecond }));
      const allMs = (items * bytes * 1_000) / bytesPerSecond;
      const input = (function* () {
        yield {};
        for (let k = 1; k <= items; k++) yield numbered(k, bytes);
      })();
      let transferring = true;
      const up = env.calls.make(connection, "client-stream", "intake", { input });
      const down = env.calls.make(connection, "server-stream", "flood", { data: { items, bytes } });
      const reading = (async () => {
        const numbers: number[] = [];
        for await (const { data } of await env.calls.output(down)) {
          if (String(data).length === bytes) numbers.push(numberOf(data));
        }
        return numbers;
      })();
      const transfer = Promise.all([env.calls.message(up), reading]).finally(() => {
        transferring = false;
      });
      transfer.catch(() => {});
      const ahead = Math.min(env.manifest.limits.windowBytes, items * bytes);
      const smallMs = (2 * ahead * 1_000) / bytesPerSecond + env.t;
      let small = 0;
      while (env.manifest.backpressure === "stream" && transferring) {
        await env.within(
          "a small call beside a transfer",
          env.calls.request(connection, "echo", { data: ++small }),
          smallMs,
        );
      }
      const [reply, numbers] = await env.within("1 MiB each way", transfer, 2 * allMs + 2 * env.t);
      env.caller.equal("the items that came down", numbers, upTo(items));
      env.handler.equal("what came up", reply.data, { count: items, length: items * bytes, disordered: 0 });
      env.caller.equal("the state of the connection", connection.state, "open");
      for (const from of ["dialler", "listener"] as const) {
        env.wire.ok(
          `at least 1 MiB to have come through the link from the ${from}`,
          link.proxy.bytes(from) >= items * bytes,
        );
      }
      env.wire.equal("connections that were lost", link.proxy.cuts, 0);
      link.proxy.set({});
      await nothingOpen(env, connection);
    },
  },
];
