import { type Connection, type Handler, reply } from "@parley/core/transport";
import { isolated } from "../brokers/isolate.ts";
import type { Scenario } from "../scenario.ts";
import { nothingOpen, upTo } from "./expect.ts";
import { agentAtOwnBroker, holds, newAgent } from "./own-broker.ts";
import { publish, subscribe } from "./subscriber.ts";

const needs = { kinds: ["request", "publish", "subscribe"], broker: true } as const;

/** BRK: what is at a broker that others use too. */
export const brokerRemainsScenarios: readonly Scenario[] = [
  {
    id: "BRK-05",
    group: "BRK",
    level: "must",
    title:
      "Once all connections and listeners have closed the broker holds nothing of theirs: no client, no subscription, nothing retained.",
    needs,
    mutants: ["leaves-a-subscription"],
    limit: 20,
    async run(env) {
      const broker = await env.ownBroker();
      const before = await broker.holds();
      const url = await env.listen({ url: (await newAgent(env, broker.url)).href });
      const connections: Connection[] = [];
      for (const n of upTo(3)) {
        const connection = await env.connect({ url });
        connections.push(connection);
        const subscriber = await subscribe(env, connection, `brk5/${n}/#`);
        await publish(env, connection, `brk5/${n}/topic`, n);
        await subscriber.saw(n);
        await env.sentinel(connection);
      }
      await holds(env, broker, "to hold more than before", ({ clients, subscriptions }) => {
        return clients > before.clients && subscriptions > before.subscriptions;
      });
      env.handler.equal("requests that arrived", env.events(undefined, "called").length, 3);
      const graceMs = env.t / 4;
      await env.within("close()", Promise.all(connections.map((connection) => connection.close({ graceMs }))));
      await env.within("close() of the listeners", env.serving.close(graceMs));
      const after = await holds(env, broker, "to hold no more than before", (now) => {
        return now.clients <= before.clients && now.subscriptions <= before.subscriptions;
      });
      env.wire.equal("what it retains", after.retained, before.retained);
    },
  },
  {
    id: "BRK-06",
    group: "BRK",
    level: "must",
    title: "Two that use one broker, with agents and topics of their own, get nothing of each other's.",
    needs,
    mutants: ["has-one-agent", "has-one-set-of-topics"],
    limit: 20,
    async run(env) {
      const { broker, url } = await agentAtOwnBroker(env);
      const otherUrl = await newAgent(env, broker.url);
      const seen: string[] = [];
      const answer: Handler = ({ message }) => {
        // Hello is answered without asking it for more than it has.
        if (!message.type.startsWith("parley.")) seen.push(message.id);
        return { message: reply(message, "/other", "other") };
      };
      const listener = await env.transport.listen(otherUrl, answer, {});
      let stranger: Connection | undefined;
      try {
        const own = await env.connect({ url });
        stranger = await env.transport.connect(otherUrl, { connectTimeoutMs: env.t });
        const other = isolated(stranger, env.random.hex(8));
        const [ours, theirs] = [await subscribe(env, own, "brk6/#"), await subscribe(env, other, "brk6/#")];
        const calls: { readonly id: string; readonly to: "own" | "other" }[] = [];
        for (const n of upTo(20)) {
          for (const [to, connection, times] of [
            ["own", own, 1],
            ["other", other, 2],
          ] as const) {
            // Not in turn: where both were one, its two processes might be served in turn.
            for (const _ of upTo(times)) {
              const made = env.calls.make(connection, "request", "echo", { data: "own" });
              const { data } = await env.within("an answer", env.calls.message(made));
              env.caller.equal("who has answered", data, to);
              calls.push({ id: made.id, to });
            }
            await publish(env, connection, "brk6/topic", `${to} ${n}`);
          }
        }
        await ours.saw("own 20");
        await theirs.saw("other 20");
        env.caller.equal(
          "what came here",
          ours.received,
          upTo(20).map((n) => `own ${n}`),
        );
        env.caller.equal(
          "what came there",
          theirs.received,
          upTo(20).map((n) => `other ${n}`),
        );
        const arrived = env.events(undefined, "called").map(({ call }) => call);
        env.handler.equal(
          "what arrived at the fixture",
          arrived,
          calls.filter(({ to }) => to === "own").map(({ id }) => id),
        );
        env.handler.equal(
          "what arrived at the other",
          seen,
          calls.filter(({ to }) => to === "other").map(({ id }) => id),
        );
        await ours.unsubscribe();
        await theirs.unsubscribe();
        await nothingOpen(env, own);
      } finally {
        await stranger?.close({ graceMs: 0 });
        await listener.close({ graceMs: 0 });
      }
    },
  },
];
