import type { Holdings } from "../brokers/broker.ts";
import type { OwnBroker, OwnBrokerOptions } from "../brokers/own-broker.ts";
import { addressAt } from "../brokers/place.ts";
import type { Environment } from "../environment.ts";

/** A broker of a scenario's own, and an agent behind it. */
export interface AgentAtBroker {
  readonly broker: OwnBroker;
  /** The agent's address. */
  readonly url: URL;
}

/** An address, at this broker, of an agent that nobody else is. */
export async function newAgent(env: Environment, broker: URL): Promise<URL> {
  const usual = new URL(await env.direct());
  usual.pathname = `/conformance/${env.random.hex(12)}`;
  return addressAt(usual, broker);
}

/** Starts a broker, and has the fixture serve an agent behind it. @throws MissingBroker when there is no program for it */
export async function agentAtOwnBroker(env: Environment, options?: OwnBrokerOptions): Promise<AgentAtBroker> {
  const broker = await env.ownBroker(options);
  const address = await newAgent(env, broker.url);
  return { broker, url: await env.listen({ url: address.href }) };
}

/** Asks a broker what it holds until that is so; it tells once a second. */
export async function holds(
  env: Environment,
  broker: OwnBroker,
  what: string,
  so: (now: Holdings) => boolean,
): Promise<Holdings> {
  const until = performance.now() + 2 * env.t + 2_000;
  for (;;) {
    const now = await broker.holds();
    const holding = so(now);
    if (holding || performance.now() > until) {
      env.wire.ok(`the broker ${what}`, holding, now);
      return now;
    }
    // Whoever looks is a client for that moment: rarely enough that the broker does not count it each time.
    await new Promise((resolve) => setTimeout(resolve, 400));
  }
}
