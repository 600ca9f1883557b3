import {
  type BrokerOptions,
  brokerLimits,
  dialBroker,
  knownOptions,
  type Limits,
  listenBroker,
  type Manifest,
  type OptionNames,
  ParleyError,
  systemRuntime,
  type Transport,
} from "@parley/core/transport";
import { agentOf } from "./layout.ts";
import { openMqtt } from "./open.ts";
import { linkOptionNames, type MqttOptions } from "./options.ts";

/**
 * MQTT 5 and 3.1.1, `mqtt:` and `mqtts:`: agents behind a broker. `mqtt://host:1883/agents/summarizer` is the agent `agents/summarizer`, to
 * call it and to serve it; several that serve the same share the calls. Publications and subscriptions are the broker's own topics.
 * @throws ParleyError `invalid_argument` for an option that there is not
 */
export function mqtt(options: MqttOptions = {}): Transport {
  knownOptions("mqtt()", options, optionNames);
  const { limits = brokerLimits, acceptWithinMs, leaseMs } = options;
  const common = (url: URL): Omit<BrokerOptions, "log" | "runtime"> => ({
    transport: "mqtt",
    agent: requireAgent(url),
    address: url.host,
    limits,
    acceptWithinMs,
    leaseMs,
  });
  return {
    name: "mqtt",
    schemes: ["mqtt", "mqtts"],
    manifest: manifestWith(limits, options),
    async connect(url, { handler, signal, connectTimeoutMs = 10_000, log, runtime = systemRuntime } = {}) {
      const open = openMqtt({ url, options, answers: false, connectTimeoutMs, runtime });
      return dialBroker(open, { ...common(url), handler, signal, connectTimeoutMs, log, runtime });
    },
    async listen(url, handler, { log, runtime = systemRuntime } = {}) {
      const open = openMqtt({ url, options, answers: true, connectTimeoutMs: 10_000, runtime });
      return listenBroker(open, handler, { ...common(url), url: withoutCredentials(url), log, runtime });
    },
  };
}

const optionNames: OptionNames<MqttOptions> = {
  ...linkOptionNames,
  group: true,
  publishQos: true,
  retain: true,
  subscribeQos: true,
  presence: true,
  enforcedSenders: true,
  acceptWithinMs: true,
  leaseMs: true,
  limits: true,
};

/** @throws ParleyError `invalid_argument` */
function requireAgent(url: URL): string {
  const agent = agentOf(url);
  if (agent !== undefined) return agent;
  throw new ParleyError(
    "invalid_argument",
    `${url.protocol}//${url.host} names a broker and no agent: say which, as in ${url.protocol}//${url.host}/agents/summarizer`,
    { outcome: "not-sent" },
  );
}

/** A listener's address is shown and handed on. */
function withoutCredentials(url: URL): URL {
  const bare = new URL(url);
  bare.username = "";
  bare.password = "";
  return bare;
}

function manifestWith(limits: Limits, { protocolVersion = 5, enforcedSenders = false, retain }: MqttOptions): Manifest {
  const is5 = protocolVersion === 5;
  return {
    kinds: {
      notify: "emulated",
      request: "emulated",
      "server-stream": "emulated",
      "client-stream": "emulated",
      "bidi-stream": "emulated",
      publish: "native",
      subscribe: "native",
    },
    delivery: "at-most-once",
    cancel: "peer",
    backpressure: "stream",
    ordering: "call",
    resume: "none",
    duplicates: true,
    gaps: true,
    serverInitiated: true,
    wildcards: true,
    lateSubscriber: retain ? "retained" : "nothing",
    limits,
    broker: {
      replicas: is5,
      noResponders: is5,
      senderIdentity: enforcedSenders,
      presence: true,
      lossDetection: "sequence",
      overflow: "drop-new",
      expiryResolutionMs: is5 ? 1_000 : 0,
    },
  };
}
