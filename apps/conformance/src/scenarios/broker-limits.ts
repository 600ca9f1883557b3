import { setTimeout as sleep } from "node:timers/promises";
import type { Connection } from "@parley/core/transport";
import type { OwnBroker } from "../brokers/own-broker.ts";
import type { Made } from "../calls.ts";
import type { Environment } from "../environment.ts";
import type { Scenario } from "../scenario.ts";
import { refusedHere, upTo } from "./expect.ts";
import { agentAtOwnBroker, newAgent } from "./own-broker.ts";
import { attempt, publish, subscribe } from "./subscriber.ts";

const limits = { maxMessageBytes: 64 * 1024, maxInFlight: 3 };

/** After so long a broker that counts in whole seconds (MQTT 5, 3.3.2.3.3) has let go of what lives for less than one. */
const BROKER_EXPIRY_MS = 2_100;

/** BRK: brokers that lack something, or take little. */
export const brokerLimitScenarios: readonly Scenario[] = [
  {
    id: "BRK-04",
    group: "BRK",
    level: "must",
    title:
      "A broker that lacks what calls need is refused with the name of it; what a broker says that it takes at most is kept to, what has expired is neither published nor delivered, and the connection works on.",
    needs: { kinds: ["request", "publish", "subscribe"], broker: true },
    mutants: [
      "does-not-say-what-is-missing",
      "hangs-at-broker-limits",
      "publishes-the-expired",
      "forgets-when-it-expires",
    ],
    limit: 20,
    async run(env) {
      const lacking = await env.lackingBrokers();
      try {
        for (const { url, feature, met } of lacking) {
          const dialling = env.dial({ url: await newAgent(env, url) });
          const error = await env.within(
            "the refusal",
            env.calls.error("connect() to a broker that lacks much", dialling),
          );
          const how = [error.code, error.outcome];
          env.caller.equal(`how a broker without ${feature} is refused`, how, ["failed_precondition", "not-sent"]);
          env.caller.ok(`the error to name ${feature}`, feature.test(error.message), error.message);
          env.wire.ok("that broker to have been met", met());
        }
      } finally {
        await Promise.all(lacking.map(({ close }) => close()));
      }
      const { broker, url } = await agentAtOwnBroker(env, { limits });
      const connection = await env.connect({ url: await env.tap.through(url) });
      if (broker.limited) {
        const data = "x".repeat(2 * limits.maxMessageBytes);
        const refusal = { code: "resource_exhausted", outcome: "not-sent" } as const;
        const tooLong = () => env.calls.make(connection, "request", "echo", { data });
        await refusedHere(env, "a request that the broker does not take", tooLong, refusal);
        const published = () => attempt(env, connection, "brk4/topic", data);
        await refusedHere(env, "a publication that the broker does not take", published, refusal);
        const asked = { text: "x", times: data.length };
        const made = env.calls.make(connection, "request", "repeat", { data: asked });
        const error = await env.within("the refusal", env.calls.error("an answer that it does not take", made.reply));
        env.caller.equal("the code for an answer that it does not take", error.code, "resource_exhausted");
        env.handler.equal("runs of its handler", env.events(made.id, "called").length, 1);
      } else {
        env.history.note("suite", `${broker.program} has no limits that it could be given`);
      }
      const subscriber = await subscribe(env, connection, "brk4/topic");
      const many = upTo(40 * limits.maxInFlight);
      await env.within("many at once", Promise.all(many.map((n) => attempt(env, connection, "brk4/topic", n).reply)));
      await subscriber.count(many.length);
      env.caller.equal("what arrived", subscriber.received, many);
      await expired(env, connection, await env.connect({ url }), broker);
      env.caller.equal("the state of the connection", connection.state, "open");
      await env.sentinel(connection);
      env.handler.ok("an echo to have arrived", env.events(undefined, "called").length > 0);
    },
  },
];

/** Nothing is published that has expired, nor delivered that did at the broker while the reader took nothing. */
async function expired(env: Environment, reader: Connection, writer: Connection, broker: OwnBroker): Promise<void> {
  const lasting = (topic: string, data: unknown, ms: number): Made => {
    const attributes = { subject: topic, expirytime: new Date(Date.now() + ms).toISOString() };
    return env.calls.make(writer, "publish", "topics", { data, attributes });
  };
  const refusal = { code: "deadline_exceeded", outcome: "not-sent" } as const;
  await refusedHere(env, "a publication that has expired", () => lasting("brk4/past", "past", -1), refusal);
  if (!broker.limited) return;
  const subscriber = await subscribe(env, reader, "brk4/expiring");
  // Nothing is confirmed to the broker, so that it keeps what goes beyond its limit of messages on their way.
  env.tap.hold("dialler");
  for (const n of upTo(limits.maxInFlight)) await publish(env, writer, "brk4/expiring", n);
  await env.within("a publication", lasting("brk4/expiring", "short-lived", 900).reply);
  await env.within("a publication", lasting("brk4/expiring", "long-lived", 600_000).reply);
  await sleep(BROKER_EXPIRY_MS);
  env.tap.release("dialler");
  await publish(env, writer, "brk4/expiring", "last");
  await subscriber.saw("last");
  env.caller.equal("what arrived", subscriber.received, [...upTo(limits.maxInFlight), "long-lived", "last"]);
  await subscriber.unsubscribe();
}
