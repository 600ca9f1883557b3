export type { MqttMessage } from "./client/message.ts";
export { MqttClient } from "./client/mqtt-client.ts";
export type {
  MqttClientOptions,
  MqttConnected,
  MqttData,
  MqttErrorDetails,
  MqttFilter,
  MqttFilters,
  MqttGrant,
  MqttOverflow,
  MqttProperties,
  MqttPublished,
  MqttPublishOptions,
  MqttSubscribeOptions,
  MqttWill,
} from "./client/options.ts";
export type { MqttFeed, MqttSubscription } from "./client/subscription.ts";
export { mqtt } from "./mqtt.ts";
export type { MqttLinkOptions, MqttOptions, MqttPresence, MqttTls, Qos } from "./options.ts";
