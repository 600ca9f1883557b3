import { encodeData, knownOptions, type OptionNames, ParleyError } from "@parley/core/transport";
import type { IClientOptions, IClientPublishOptions } from "mqtt";
import { invalid } from "../invalid.ts";
import type { Server } from "../link-init.ts";
import type { Qos } from "../options.ts";
import { JSON_TYPE } from "../payload.ts";
import { checkText, checkTopicName } from "../topic.ts";
import type { MqttData, MqttProperties, MqttPublishOptions, MqttWill } from "./options.ts";

/** Longest binary data in a property, bytes (MQTT 5, 1.5.6). */
const MAX_BINARY_BYTES = 65_535;
/** Largest four byte integer (MQTT 5, 1.5.3). */
const MAX_SECONDS = 2 ** 32 - 1;

const NO_PROPERTIES = "speaks MQTT 3.1.1, which has no properties";

type Properties = NonNullable<IClientPublishOptions["properties"]>;

const publishNames: OptionNames<MqttPublishOptions> = {
  qos: true,
  retain: true,
  contentType: true,
  userProperties: true,
  expirySeconds: true,
  responseTopic: true,
  correlationData: true,
  idempotent: true,
  signal: true,
  timeoutMs: true,
};

/** A publication, checked and encoded. */
export interface ClientPublication {
  readonly topic: string;
  readonly payload: string | Buffer;
  readonly qos: Qos;
  readonly retain: boolean;
  readonly properties: Properties;
  /** Those that the user gave, and did not leave to the client. */
  readonly given: readonly string[];
}

/**
 * Checks and encodes what is to be published.
 * @throws ParleyError `invalid_argument`, outcome `not-sent`
 */
export function clientPublication(topic: string, data: MqttData, options: MqttPublishOptions): ClientPublication {
  knownOptions("a publication", options, publishNames);
  const { qos = 1, retain = false } = options;
  const text = checkTopicName(topic);
  const isJson = typeof data !== "string" && !(data instanceof Uint8Array);
  const given = propertiesOf(options);
  return {
    topic: text,
    payload: isJson ? encodeData(data) : typeof data === "string" ? data : Buffer.from(data),
    qos: checkQos(qos),
    retain,
    properties: isJson ? { contentType: JSON_TYPE, ...given } : given,
    given: Object.keys(given),
  };
}

/**
 * The options of a PUBLISH to this broker.
 * @throws ParleyError `failed_precondition`, outcome `not-sent`, for what it cannot do
 */
export function publishOptions(
  { topic, qos, retain, properties, given }: ClientPublication,
  server: Server,
): IClientPublishOptions {
  if (qos > server.maximumQoS) throw cannot(topic, `QoS ${qos}`, `takes ${server.maximumQoS} at most`);
  if (retain && !server.retains) throw cannot(topic, "retained", "retains nothing");
  if (server.version === 5) return { qos, retain, properties };
  if (given.length > 0) throw cannot(topic, given.join(", "), NO_PROPERTIES);
  return { qos, retain };
}

/**
 * A last will as CONNECT has it.
 * @throws ParleyError `invalid_argument`, outcome `not-sent`
 */
export function clientWill({ topic, data, delaySeconds, ...options }: MqttWill): NonNullable<IClientOptions["will"]> {
  const { payload, qos, retain, properties } = clientPublication(topic, data, { qos: 0, ...options });
  const delayed =
    delaySeconds === undefined ? {} : { willDelayInterval: checkSeconds(delaySeconds, "delaySeconds of the will") };
  return { topic, payload: Buffer.from(payload), qos, retain, properties: { ...properties, ...delayed } };
}

/**
 * MQTT 3.1.1 would leave out what it has no place for.
 * @throws ParleyError `failed_precondition`, outcome `not-sent`
 */
export function requireWill(will: MqttWill | undefined, { version }: Server): void {
  if (!will || version === 5) return;
  const { topic, data: _data, qos: _qos, retain: _retain, ...properties } = will;
  const given = Object.entries(properties).flatMap(([name, value]) => (value === undefined ? [] : [name]));
  if (given.length > 0) throw cannot(topic, given.join(", "), NO_PROPERTIES);
}

/** Checks a number of whole seconds. @throws ParleyError `invalid_argument`, outcome `not-sent` */
export function checkSeconds(seconds: number, what: string): number {
  if (Number.isSafeInteger(seconds) && seconds >= 0 && seconds <= MAX_SECONDS) return seconds;
  throw invalid(`${what} is ${String(seconds)}, and must be a whole number from 0 to ${MAX_SECONDS}`);
}

/** Checks a quality of service. @throws ParleyError `invalid_argument`, outcome `not-sent` */
export function checkQos(qos: Qos): Qos {
  if (qos === 0 || qos === 1 || qos === 2) return qos;
  throw invalid(`qos is ${String(qos)}, and must be 0, 1 or 2`);
}

function propertiesOf({
  contentType,
  userProperties,
  expirySeconds,
  responseTopic,
  correlationData,
}: MqttProperties): Properties {
  const properties: Properties = {};
  if (contentType !== undefined) properties.contentType = checkText(contentType, "content type");
  if (expirySeconds !== undefined) properties.messageExpiryInterval = checkSeconds(expirySeconds, "expirySeconds");
  if (responseTopic !== undefined) properties.responseTopic = checkTopicName(responseTopic, "response topic");
  if (correlationData !== undefined) {
    if (correlationData.length > MAX_BINARY_BYTES)
      throw invalid(`correlationData has ${correlationData.length} bytes, and may have ${MAX_BINARY_BYTES}`);
    properties.correlationData = Buffer.from(correlationData);
  }
  if (userProperties !== undefined) properties.userProperties = userPropertiesOf(userProperties);
  return properties;
}

function userPropertiesOf(given: NonNullable<MqttProperties["userProperties"]>): Record<string, string | string[]> {
  const checked: Record<string, string | string[]> = {};
  for (const [name, values] of Object.entries(given)) {
    checkText(name, "name of a user property");
    const what = `user property ${name.slice(0, 64)}`;
    checked[name] = Array.isArray(values) ? values.map((one) => checkText(one, what)) : checkText(values, what);
  }
  return checked;
}

function cannot(topic: string, what: string, why: string): ParleyError {
  const message = `the publication to ${topic} is to be sent with ${what}, and the broker ${why}`;
  return new ParleyError("failed_precondition", message, { outcome: "not-sent" });
}
