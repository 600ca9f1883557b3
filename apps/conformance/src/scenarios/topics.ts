import { client, contract, ParleyError, type Schema, topic } from "@parley/core";
import type { Connection } from "@parley/core/transport";
import type { Environment } from "../environment.ts";
import type { Scenario } from "../scenario.ts";
import { nothingOpen, upTo } from "./expect.ts";
import { attempt, publish, type Subscriber, subscribe } from "./subscriber.ts";
import { filterTable, oddTopics, refusedTopics } from "./topic-tables.ts";

const pubsub = { kinds: ["publish", "subscribe"] } as const;

/** PS: whoever subscribed gets it, once, and nobody else. */
export const topicScenarios: readonly Scenario[] = [
  {
    id: "PS-01",
    group: "PS",
    level: "must",
    title: "Once a subscription has resolved the very next publication arrives, 100 times out of 100.",
    needs: pubsub,
    mutants: ["resolves-early"],
    limit: 14,
    async run(env) {
      const publisher = await env.connect();
      const subscriber = await env.another(publisher);
      for (const n of upTo(100)) {
        const subscription = await subscribe(env, subscriber, `first/${n}`);
        await publish(env, publisher, `first/${n}`, n);
        await subscription.count(1);
        env.caller.equal("what arrived first", subscription.received, [n]);
        await subscription.unsubscribe();
      }
      env.wire.ok("the last publication to have passed the tap", env.tap.contains("listener", "first/100"));
      await nothingOpen(env, subscriber);
    },
  },
  {
    id: "PS-02",
    group: "PS",
    level: "must",
    title:
      "100 messages of one publisher reach each of 10 subscribers, all of them, in order where order is declared, twice only where duplicates are.",
    needs: pubsub,
    mutants: ["delivers-in-turn"],
    async run(env) {
      const publisher = await env.connect();
      const subscribers: Subscriber[] = [];
      for (const _ of upTo(10)) subscribers.push(await subscribe(env, await env.another(publisher), "fan/out"));
      for (const n of upTo(100)) await publish(env, publisher, "fan/out", n);
      for (const [at, { received, count }] of subscribers.entries()) {
        await count(100);
        const seen = env.manifest.duplicates ? [...new Set(received)] : [...received];
        if (env.manifest.ordering === "none") seen.sort((one, other) => Number(one) - Number(other));
        env.caller.equal(`what subscriber ${at + 1} got`, seen, upTo(100));
      }
      taken(env, 100, "fan/out");
    },
  },
  {
    id: "PS-03",
    group: "PS",
    level: "must",
    title: "Of 20 topics each subscriber gets only its own; a publication that nobody subscribed to is accepted.",
    needs: pubsub,
    mutants: ["matches-prefixes"],
    async run(env) {
      const publisher = await env.connect();
      const subscriber = await env.another(publisher);
      const names = upTo(20).map((n) => `room/${n}`);
      const subscribers = await inTurn(names, (name) => subscribe(env, subscriber, name));
      await publish(env, publisher, "room/nobody", "into the void");
      for (const round of upTo(3)) for (const name of names) await publish(env, publisher, name, `${name}:${round}`);
      for (const name of names) await publish(env, publisher, name, "last");
      for (const [at, { saw, received }] of subscribers.entries()) {
        await saw("last");
        env.caller.equal(`what the subscriber to ${names[at]} got`, received, [
          ...upTo(3).map((round) => `${names[at]}:${round}`),
          "last",
        ]);
      }
      taken(env, 1 + 4 * 20, "room/nobody");
    },
  },
  {
    id: "PS-04",
    group: "PS",
    level: "must",
    title: "After a subscription has ended nothing more arrives at it, and others go on.",
    needs: { ...pubsub, cancel: true },
    mutants: ["delivers-late"],
    async run(env) {
      const publisher = await env.connect();
      const connection = await env.another(publisher);
      const [leaving, staying] = [await subscribe(env, connection, "news"), await subscribe(env, connection, "news")];
      await publish(env, publisher, "news", 1);
      await leaving.count(1);
      await leaving.unsubscribe();
      if (env.manifest.broker === null) await env.event(leaving.made.id, "aborted");
      const [bytes, calls] = [env.tap.bytes("listener"), connection.stats().openCalls];
      for (const n of [2, 3, "last"]) await publish(env, publisher, "news", n);
      await staying.saw("last");
      env.caller.equal("what the one that left got", leaving.received, [1]);
      env.caller.equal("what the one that stayed got", staying.received, [1, 2, 3, "last"]);
      env.caller.ok("only one subscription to be open", calls <= 1, calls);
      env.wire.ok("the tap to have seen the rest", env.tap.bytes("listener") > bytes);
    },
  },
  {
    id: "PS-05",
    group: "PS",
    level: "must",
    title:
      "Overlapping subscriptions get a publication once each, and 30 pairs of topic and filter match exactly as MQTT's rules say.",
    needs: { ...pubsub, wildcards: true },
    mutants: ["delivers-twice"],
    limit: 14,
    async run(env) {
      const publisher = await env.connect();
      const connection = await env.another(publisher);
      const overlapping = await inTurn(["a/b", "a/+", "a/#", "#", "a/b"], (filter) =>
        subscribe(env, connection, filter),
      );
      await publish(env, publisher, "a/b", "once");
      await publish(env, publisher, "a/b", "last");
      for (const { saw, received } of overlapping) {
        await saw("last");
        env.caller.equal("what each of the overlapping subscriptions got", received, ["once", "last"]);
      }
      for (const { unsubscribe } of overlapping) await unsubscribe();
      for (const [filter, name, matches] of filterTable) {
        const [tested, marker] = [
          await subscribe(env, connection, filter),
          await subscribe(env, connection, "marker/of/pair"),
        ];
        const refused = await refusal(env, publisher, name);
        await publish(env, publisher, "marker/of/pair", "marker");
        await marker.saw("marker");
        const expected = matches && !refused;
        if (expected) await tested.count(1);
        else await env.sentinel(connection);
        const times = tested.received.filter((data) => data === "tested").length;
        env.caller.equal(`how often ${filter} gets ${name}`, times, expected ? 1 : 0);
        if (expected) env.caller.equal("the topic that arrived", tested.topics[0], name);
        await tested.unsubscribe();
        await marker.unsubscribe();
      }
      taken(env, 2 + 2 * filterTable.length, "marker/of/pair");
    },
  },
  {
    id: "PS-06",
    group: "PS",
    level: "must",
    title: "A late subscriber gets exactly what is declared of earlier publications: nothing, or the last one kept.",
    needs: pubsub,
    mutants: ["replays-old"],
    async run(env) {
      const publisher = await env.connect();
      const connection = await env.another(publisher);
      for (const n of ["old", "older"]) await publish(env, publisher, "late/topic", n);
      // Handed over is not yet taken, and the subscription goes another way. A broker says when it has taken one.
      if (env.manifest.broker === null) await env.until("both publications to be taken", () => publications(env) === 2);
      const subscription = await subscribe(env, connection, "late/topic");
      await publish(env, publisher, "late/topic", "new");
      await subscription.saw("new");
      const expected = env.manifest.lateSubscriber === "retained" ? ["older", "new"] : ["new"];
      env.caller.equal("what the late subscriber got", subscription.received, expected);
      taken(env, 3, "late/topic");
    },
  },
  {
    id: "PS-07",
    group: "PS",
    level: "must",
    title:
      "Topics with unusual characters match only themselves or are refused here, never act as wildcards, and a message that its reader cannot take does not end a subscription.",
    needs: pubsub,
    mutants: ["builds-patterns"],
    limit: 14,
    async run(env) {
      const publisher = await env.connect();
      const connection = await env.another(publisher);
      for (const [name, decoy] of oddTopics) await literalOrRefused(env, publisher, connection, name, decoy);
      for (const name of refusedTopics) {
        const before = env.tap.bytes("dialler");
        const made = attempt(env, publisher, name, "refused");
        const error = await env.within(
          "the refusal",
          env.calls.error(`a publication to ${JSON.stringify(name.slice(0, 20))}`, made.reply),
        );
        env.caller.equal("the code", error.code, "invalid_argument");
        env.wire.ok(
          "nothing to be delivered",
          !env.tap.contains("listener", '"refused"'),
          env.tap.bytes("dialler") - before,
        );
      }
      await survivesBadMessage(env, publisher, connection);
      taken(env, undefined, "marker/of/odd");
    },
  },
];

/** Publishes; whether a topic that begins with `$` is refused, as brokers keep those to themselves (MQTT 5, 4.7.2). */
async function refusal(env: Environment, publisher: Connection, name: string): Promise<boolean> {
  const { reply } = attempt(env, publisher, name, "tested");
  if (!name.startsWith("$")) {
    await env.within(`the publication to ${name}`, reply);
    return false;
  }
  const error = await env.within(
    `the publication to ${name}`,
    reply.then(
      () => undefined,
      (thrown: unknown) => thrown,
    ),
  );
  if (!(error instanceof ParleyError)) return false;
  env.caller.equal(`how ${name} is refused`, [error.code, error.outcome], ["invalid_argument", "not-sent"]);
  return true;
}

async function literalOrRefused(
  env: Environment,
  publisher: Connection,
  connection: Connection,
  name: string,
  decoy: string,
): Promise<void> {
  try {
    await literal(env, publisher, connection, name, decoy);
  } catch (error) {
    if (!(error instanceof ParleyError)) throw error;
    const what = `how ${JSON.stringify(name.slice(0, 24))} is refused`;
    env.caller.equal(what, [error.code, error.outcome], ["invalid_argument", "not-sent"]);
  }
}

async function literal(
  env: Environment,
  publisher: Connection,
  connection: Connection,
  name: string,
  decoy: string,
): Promise<void> {
  const what = JSON.stringify(name.slice(0, 24));
  const subscription = await subscribe(env, connection, name);
  const marker = await subscribe(env, connection, "marker/of/odd");
  await publish(env, publisher, decoy, "decoy");
  await publish(env, publisher, name, "literal");
  await publish(env, publisher, "marker/of/odd", "marker");
  await marker.saw("marker");
  await subscription.count(1);
  env.caller.equal(`what a subscriber to ${what} got`, subscription.received, ["literal"]);
  await subscription.unsubscribe();
  await marker.unsubscribe();
}

async function survivesBadMessage(env: Environment, publisher: Connection, connection: Connection): Promise<void> {
  const picky: Schema = {
    "~standard": {
      version: 1,
      vendor: "parley-conformance",
      validate(value) {
        if (value === "bad") throw new Error("a reader that throws");
        return value === "wrong" ? { issues: [{ message: "is wrong" }] } : { value };
      },
    },
  };
  const reader = client(contract("reader", { letters: topic({ path: "letters", data: picky }) }), connection.call);
  const subscription = await env.within("a typed subscription", reader.letters.subscribe());
  const iterator = subscription[Symbol.asyncIterator]();
  for (const data of ["bad", "wrong", "good"]) await publish(env, publisher, "letters", data);
  const next = await env.within("the message behind two bad ones", iterator.next());
  env.caller.equal("the message behind two bad ones", next.value?.data, "good");
  await subscription.close();
}

/** The second witness: the agent that takes publications, or, where a broker does, the wire on both sides of it. */
function taken(env: Environment, count: number | undefined, topic: string): void {
  if (env.manifest.broker) env.wire.ok(`publications to ${topic} on the wire`, env.tap.contains("dialler", topic));
  else if (count === undefined) env.handler.ok("publications to have been taken", publications(env) > 0);
  else env.handler.equal("publications that were taken", publications(env), count);
}

function publications(env: Environment): number {
  return env.events(undefined, "called").filter(({ detail }) => (detail as { kind?: unknown }).kind === "publish")
    .length;
}

async function inTurn<Item, Result>(items: readonly Item[], make: (item: Item) => Promise<Result>): Promise<Result[]> {
  const results: Result[] = [];
  for (const item of items) results.push(await make(item));
  return results;
}
