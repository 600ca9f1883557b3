import type { Connection } from "@parley/core/transport";
import { leaksWithin, snapshot } from "../hygiene.ts";
import type { Scenario } from "../scenario.ts";
import { nothingOpen, upTo } from "./expect.ts";
import { subscribe } from "./subscriber.ts";
import { visit } from "./visitor.ts";

/** CON: much at once, much one after the other, and an end in the middle of it. */
export const concurrencyScenarios: readonly Scenario[] = [
  {
    id: "CON-01",
    group: "CON",
    level: "must",
    title: "1 000 concurrent requests on one connection, and 20 on each of 200, all get their own reply.",
    needs: { kinds: ["request"] },
    mutants: ["confuses-the-many"],
    limit: 30,
    async run(env) {
      const connection = await env.connect();
      const many = Math.min(1_000, env.manifest.limits.maxCalls);
      const ask = async (on: Connection, who: string): Promise<readonly [string, unknown]> => {
        return [who, (await env.calls.request(on, "echo", { data: who })).data];
      };
      const alone = upTo(many).map((n) => ask(connection, `alone-${n}`));
      const replies = await env.within(`${many} replies`, Promise.all(alone), 5 * env.t);
      env.caller.equal(
        "replies that were not one's own",
        replies.filter(([who, data]) => who !== data),
        [],
      );

      const url = await env.url();
      // Where each connection is a process, two hundred would try the machine and not the wire.
      const peers = env.children ? 2 : env.count(20, 200);
      const together = env.children ? 1 : 10;
      const connections: Connection[] = [];
      for (const group of Array.from({ length: Math.ceil(peers / together) }, (_, at) =>
        Math.min(together, peers - at * together),
      )) {
        connections.push(...(await Promise.all(upTo(group).map(() => env.connect({ url })))));
      }
      const all: (readonly [string, unknown])[] = [];
      // All are open; so many ask at once that it is the wire that is tried, and not how many sockets this machine has.
      for (let at = 0; at < peers; at += 50) {
        const group = connections.slice(at, at + 50);
        const asked = group.flatMap((on, of) => upTo(20).map((n) => ask(on, `${at + of}-${n}`)));
        all.push(...(await env.within(`${asked.length} replies`, Promise.all(asked), 5 * env.t)));
      }
      env.caller.equal(
        "replies of another",
        all.filter(([who, data]) => who !== data),
        [],
      );
      const expected = many + peers * 20;
      await env.until("word of all requests", () => env.events(undefined, "called").length >= expected);
      const seen = env
        .events(undefined, "called")
        .map(({ detail }) => (detail as { message: { data: unknown } }).message.data);
      env.handler.equal("requests that arrived once each", [seen.length, new Set(seen).size], [expected, expected]);
      await Promise.all(connections.map((one) => one.close({ graceMs: env.t / 4 })));
      await nothingOpen(env, connection);
    },
  },
  {
    id: "CON-02",
    group: "CON",
    level: "must",
    title:
      "Closing, ten times in the middle of traffic, lets end what can within the grace, ends the rest, refuses what is new, and waits for no handler beyond it.",
    needs: { kinds: ["request", "server-stream"] },
    mutants: ["waits-for-handlers"],
    limit: 16,
    async run(env) {
      const graceMs = env.t / 2;
      const connection = await env.connect();
      const quick = upTo(5).map((n) =>
        env.calls.make(connection, "request", "delay", { data: { ms: (n * graceMs) / 10 } }),
      );
      const endless = upTo(10).map((n) =>
        env.calls.make(connection, "request", "gate", { data: { gate: `con2-${n}`, stubborn: n % 2 === 0 } }),
      );
      const stream = env.calls.make(connection, "server-stream", "count", { data: { n: 2, gates: "con2-stream-" } });
      const reading = (async () => {
        for await (const _ of await env.calls.output(stream));
      })();
      reading.catch(() => {});
      await env.until("all handlers to be at work", () => {
        return env.events(undefined, "called").length === 16 && env.events(undefined, "gate").length >= 10;
      });
      const start = performance.now();
      const closes = Promise.all(upTo(10).map(() => connection.close({ graceMs })));
      const late = env.calls.make(connection, "request", "echo", { data: "too late" });
      const refused = await env.within(
        "the refusal of a new request",
        env.calls.error("a request after close()", late.reply),
      );
      env.caller.equal(
        "how a request after close() ends",
        [refused.code, refused.outcome],
        ["unavailable", "not-sent"],
      );
      await env.within("close()", closes, graceMs + env.t);
      for (const made of quick) {
        env.caller.ok(
          "what ends within the grace to be answered",
          (await env.within("a reply", made.reply)).message !== undefined,
        );
      }
      const rest = [...endless.map(({ reply }) => reply), reading];
      for (const one of rest) {
        const error = await env.within("the end of a call", env.calls.error("a call beyond the grace", one), env.t / 4);
        env.caller.equal("the code of a call beyond the grace", error.code, "unavailable");
      }
      env.history.note("caller", `closed after ${Math.round(performance.now() - start)} ms`);
      env.caller.equal("the state of the connection", connection.state, "closed");
      const asked = env.calls.error("a sign of life asked for after close()", connection.ping());
      env.caller.equal("how that ends", (await env.within("the refusal to ask", asked)).code, "unavailable");
      await env.sentinel(await env.connect());
      env.handler.equal("requests after close() that arrived", env.events(late.id).length, 0);
      for (const { id } of endless) env.handler.equal("how often each arrived", env.events(id, "called").length, 1);
      await env.serving.release(...upTo(10).map((n) => `con2-${n}`));
    },
  },
  {
    id: "CON-03",
    group: "CON",
    level: "must",
    title:
      "500 connections and 1 000 subscriptions, one after the other, leave nothing behind on either side, and a process that has closed its connection exits by itself within 1 s.",
    needs: { kinds: ["request"], serving: ["snapshot"] },
    mutants: ["leaves-timers"],
    limit: 60,
    async run(env) {
      const url = await env.url();
      // What a first connection brings about for good, such as a listener's one timer, is no leak.
      const warmUp = await env.connect({ url });
      await env.sentinel(warmUp);
      await env.within("close()", warmUp.close({ graceMs: env.t }));
      const before = { caller: snapshot(), serving: await env.serving.snapshot() };
      const first = await env.connect({ url });
      await env.sentinel(first);
      for (let k = 0; k < (env.children ? env.count(3, 50) : env.count(50, 500)); k++) {
        const connection = await env.connect({ url });
        if (k % 10 === 0) await env.sentinel(connection);
        await env.within("close()", connection.close({ graceMs: env.t }));
        env.connections.pop();
      }
      if (env.manifest.kinds.subscribe !== "none") {
        for (let k = 0; k < env.count(100, 1_000); k++)
          await (await subscribe(env, first, `cycle/${k % 10}`)).unsubscribe();
      }
      await nothingOpen(env, first);
      await env.within("close()", first.close({ graceMs: env.t }));
      env.caller.equal(
        "what the caller holds that it did not before",
        await leaksWithin(before.caller, snapshot, env.t),
        [],
      );
      const left = await leaksWithin(before.serving, () => env.serving.snapshot(), env.t);
      env.handler.equal("what the listening side holds that it did not before", left, []);
      env.handler.ok("the caller's requests to have arrived", env.events(undefined, "called").length > 0);
      if (env.module !== undefined) {
        const { exitedAfterMs, code } = await env.within(
          "the exit of a process that has closed",
          visit(env, env.module),
          5 * env.t,
        );
        env.processes.equal("the exit code of a process that has closed its connection", code, 0);
        env.processes.ok("an exit within 1 s", exitedAfterMs <= 1_000 * env.scale, exitedAfterMs);
      }
    },
  },
];
