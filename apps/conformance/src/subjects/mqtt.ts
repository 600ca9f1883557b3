import { bearer } from "@parley/core";
import type * as Package from "@parley/transport-mqtt";
import type { MqttOptions, MqttTls } from "@parley/transport-mqtt";
import { mqttBroker } from "../brokers/mqtt.ts";
import type { Subject, TlsTuning } from "../subject.ts";
import { transportPackage } from "./transport-package.ts";

const { mqtt } = await transportPackage<typeof Package>(import.meta.url, "@parley/transport-mqtt");

/** MQTT, over a broker. */
export const subject: Subject = {
  name: "mqtt",
  transport: ({ heartbeatMs, limits, tls, user, password, credential }) =>
    mqtt({
      limits,
      ...(heartbeatMs === undefined ? {} : beating(heartbeatMs)),
      ...(tls === undefined ? {} : { tls: verified(tls) }),
      ...(user === undefined ? {} : { username: user, enforcedSenders: true }),
      ...(password === undefined ? {} : { password }),
      ...(credential === undefined ? {} : { credentials: bearer(credential) }),
    }),
  url: "mqtt://127.0.0.1:1883/conformance/{run}",
  secure: "mqtts://127.0.0.1:8883",
  credentials: true,
  tapping: "mqtt",
  broker: mqttBroker,
};

/** A keepalive counts whole seconds (MQTT 5, 3.1.2.10), a lease is given up after two and a half. */
function beating(heartbeatMs: number): MqttOptions {
  return {
    keepaliveSeconds: Math.max(1, Math.ceil(heartbeatMs / 1_000)),
    leaseMs: heartbeatMs / 2,
    acceptWithinMs: 2 * heartbeatMs,
  };
}

/** Both sides dial the broker. */
function verified({ requestCert: _, ...tls }: TlsTuning): MqttTls {
  return tls;
}
