import { setTimeout as sleep } from "node:timers/promises";
import { ParleyError } from "@parley/core";
import type { Environment } from "../environment.ts";
import type { Scenario } from "../scenario.ts";
import type { Tally } from "../serving/deliveries.ts";
import { numbered, pauseMs } from "../serving/numbered.ts";
import { nothingOpen, upTo } from "./expect.ts";
import { Persistent } from "./persistent.ts";
import { attempt, subscribe } from "./subscriber.ts";

/** One in so many items is met with a pause. */
const EVERY = 50;
const PAUSE_MS = 20;
/** Publications that may be on their way together. */
const AHEAD = 64;

/** ORD: what was sent in order arrives in order. */
export const orderScenarios: readonly Scenario[] = [
  {
    id: "ORD-01",
    group: "ORD",
    level: "must",
    title:
      "10 000 numbered messages down a stream, up a stream, and from one publisher on one topic arrive in order at readers who pause for 0 to 20 ms now and then.",
    needs: { kinds: ["request", "server-stream", "client-stream"] },
    mutants: ["dispatches-in-parallel", "hurries-publications"],
    limit: 60,
    async run(env) {
      const connection = await env.connect();
      const n = env.count(1_000, 10_000);
      const down = env.calls.make(connection, "server-stream", "count", { data: { n } });
      const items: unknown[] = [];
      for await (const { data } of await env.within("the acceptance", env.calls.output(down))) {
        items.push(data);
        if (items.length % EVERY === 0) await sleep(pauseMs(items.length, PAUSE_MS));
      }
      env.caller.equal("the items of a stream", items, upTo(n));

      const input = (function* () {
        yield { pause: { every: EVERY, upToMs: PAUSE_MS } };
        for (let k = 1; k <= n; k++) yield numbered(k, 8);
      })();
      const up = env.calls.make(connection, "client-stream", "intake", { input });
      const { data } = await env.within("the reply", env.calls.message(up), 20 * env.t);
      env.handler.equal("the items that went up", data, { count: n, length: 8 * n, disordered: 0 });

      if (env.manifest.kinds.publish !== "none" && env.manifest.kinds.subscribe !== "none") {
        const subscriber = await subscribe(env, await env.another(connection), "in/order");
        const all = env.count(500, 10_000);
        // Order among calls is promised only where the connection keeps it; elsewhere each waits for the one before.
        const together = env.manifest.ordering === "connection" ? AHEAD : 1;
        for (let sent = 0; sent < all; ) {
          const batch = upTo(Math.min(together, all - sent)).map((k) => sent + k);
          const made = batch.map((k) => attempt(env, connection, "in/order", k));
          await env.within("publications", Promise.all(made.map(({ reply }) => reply)));
          sent += batch.length;
          if (sent % EVERY < together) await sleep(pauseMs(sent, PAUSE_MS));
          await subscriber.count(sent - AHEAD);
        }
        await subscriber.count(all);
        env.caller.equal("what was published", subscriber.received, upTo(all));
        await subscriber.unsubscribe();
      }
      await nothingOpen(env, connection);
    },
  },
  {
    id: "ORD-02",
    group: "ORD",
    level: "must",
    title:
      "Order holds across reconnects: what is sent again until it is answered arrives in order, and a subscriber who comes back may have missed something, but sees nothing out of order.",
    needs: { kinds: ["request", "publish", "subscribe"], reconnect: true },
    mutants: ["jumps-the-queue"],
    limit: 60,
    async run(env) {
      const url = await env.url();
      const total = env.count(120, 1_000);
      const caller = new Persistent(env, () => env.dial({ url }), 30 * env.t);
      const lives: number[][] = [];
      const box = `order-${env.random.hex(8)}`;
      let over = false;
      const following = (async () => {
        while (!over) {
          try {
            const subscriber = await subscribe(env, await env.dial({ url }), "order/again");
            lives.push(subscriber.received as number[]);
            await env.until("the end of a subscription", () => over || subscriber.ended !== undefined, 60 * env.t);
          } catch (error) {
            if (!(error instanceof ParleyError) || error.code !== "unavailable") throw error;
            await sleep(2);
          }
        }
      })();
      following.catch(() => {});
      await env.until("a subscription", () => lives.length > 0);
      let cuts = 0;
      for (const n of upTo(total)) {
        if (n % 20 === 10) {
          const before = lives.length;
          env.tap.cut(++cuts % 2 === 0 ? "fin" : "rst");
          if (n % 40 === 30)
            await env.until("the subscription to be back", () => lives.length > before || settledIn(env));
        }
        await caller.request("deliver", { key: `${box}-${n}`, data: { box, n, window: n } });
        await caller.publish("order/again", n, `${box}-topic-${n}`);
      }
      const last = (): number => lives.at(-1)?.at(-1) ?? 0;
      for (let tries = 1; last() < total + tries - 1 || tries === 1; tries++) {
        await caller.publish("order/again", total + tries, `${box}-last-${tries}`);
        await sleep(5);
        if (last() === total + tries) break;
        env.caller.ok("a publication after the last cut to arrive", tries < 200);
      }
      over = true;
      await env.within("the end of the subscriber", following);
      const { data } = await caller.request("tally", { key: `${box}-tally`, data: { box } });
      const { distinct, disordered } = data as Tally;
      env.handler.equal(
        "messages that arrived, and out of order",
        { distinct, disordered },
        { distinct: total, disordered: 0 },
      );
      const seen = lives.flat();
      const backwards = seen.filter((number, at) => number < (seen[at - 1] ?? 0));
      env.caller.equal("publications that came after a later one", backwards, []);
      const holes = lives.flatMap((life) => life.filter((number, at) => at > 0 && number > (life[at - 1] ?? 0) + 1));
      env.caller.equal(
        "publications before which one is missing that nothing told of",
        env.manifest.gaps ? [] : holes,
        [],
      );
      env.wire.ok("the connections to have been cut", cuts > 0 && env.tap.connections > cuts, env.tap.connections);
      await caller.close();
    },
  },
];

/** Where there are sessions a cut may pass without the subscription's noticing. */
function settledIn({ manifest }: Environment): boolean {
  return manifest.resume === "session";
}
