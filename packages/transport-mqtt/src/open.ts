import {
  type Broker,
  type BrokerEvents,
  channelLimits,
  type Login,
  type OpenBroker,
  ParleyError,
  type Runtime,
  shortId,
} from "@parley/core/transport";
import { checkLevel, goneTopic, inboxOf } from "./layout.ts";
import type { Link } from "./link.ts";
import { identityOf, type LinkInit, linkSettings } from "./link-init.ts";
import { loggedIn } from "./login.ts";
import { mqttBroker } from "./mqtt-broker.ts";
import { openEither } from "./open-link.ts";
import type { MqttOptions } from "./options.ts";
import { announce } from "./presence.ts";
import { sharesSubscriptions, tellsNoSubscribers } from "./probe.ts";
import { readyLink } from "./ready-link.ts";
import { Routes } from "./routes.ts";

/** What {@link openMqtt} takes beside the user's options. */
export interface OpenInit {
  readonly url: URL;
  readonly options: MqttOptions;
  /** Whether calls to agents are to be answered: then it matters whether the broker shares subscriptions. */
  readonly answers: boolean;
  /** Time for the broker to accept the connection and this process's inbox, ms. */
  readonly connectTimeoutMs: number;
  readonly runtime: Runtime;
}

/** Prepares opening links to one broker. Each is a connection of its own, with an inbox of its own. */
export function openMqtt(init: OpenInit): OpenBroker {
  const { credentials } = init.options;
  return (events, signal) =>
    loggedIn({ ...init, credentials, signal }, (login, connectTimeoutMs) =>
      open({ ...init, connectTimeoutMs }, events, signal, login),
    );
}

async function open(
  init: OpenInit,
  events: BrokerEvents,
  signal: AbortSignal | undefined,
  login: Login | undefined,
): Promise<Broker> {
  const { url, options, answers, connectTimeoutMs, runtime } = init;
  const begun = runtime.now();
  const own = { ...linkSettings(url, options, runtime), ...identityOf(url, options, login) };
  const { clientId, username } = own;
  const sender = checkLevel(username ?? clientId, username === undefined ? "client id" : "user name");
  const inbox = inboxOf(sender, shortId(runtime));
  const routes = new Routes();
  let state: "opening" | "open" | "over" = "opening";
  let leave = async (): Promise<void> => {};
  const linkInit: LinkInit = {
    ...own,
    will: { topic: goneTopic(inbox), payload: Buffer.alloc(0), qos: 0, retain: false },
    session: undefined,
    receiveMaximum: undefined,
    maxMessageBytes: (options.limits ?? channelLimits).maxMessageBytes,
    connectTimeoutMs,
    signal,
    arrived: (topic, payload, packet) => routes.deliver(topic, payload, packet),
    down(error) {
      if (state !== "open") return;
      state = "over";
      void leave();
      events.down(error);
    },
  };
  const link = await openEither(linkInit, options.protocolVersion);
  routes.use(link);
  try {
    const broker = await readyLink(link, { ...linkInit, begun }, async (givenUp) => {
      requireWildcards(link, url);
      // Like an inbox of this process's own, for the sake of brokers that control who may do what.
      const unused = (): string => `${inboxOf(sender, shortId(runtime))}/${sender}`;
      const traits = Promise.all([
        tellsNoSubscribers(link, unused()),
        answers ? sharesSubscriptions(link, routes, [unused(), unused()], runtime) : link.server.shares,
      ]);
      const made = await mqttBroker({ link, routes, events, inbox, sender, runtime, options, traits });
      if (options.presence && !givenUp.aborted) {
        const presenceInit = { ...linkInit, version: link.server.version, signal: givenUp };
        leave = await announce(presenceInit, options.presence);
      }
      return made;
    });
    state = "open";
    const close = async (): Promise<void> => {
      state = "over";
      await Promise.all([leave(), link.close()]);
    };
    return { ...broker, close };
  } catch (error) {
    await leave();
    throw error;
  }
}

/** @throws ParleyError `failed_precondition` */
function requireWildcards({ server }: Link, { host }: URL): void {
  if (server.wildcards) return;
  throw new ParleyError(
    "failed_precondition",
    `the broker at ${host} has no wildcard subscriptions, which inboxes and calls to agents need`,
    { outcome: "not-sent" },
  );
}
