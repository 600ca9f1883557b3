import type { Qos } from "../options.ts";
import type { MqttProperties } from "./options.ts";

/** A message that has arrived. */
export interface MqttMessage extends MqttProperties {
  readonly topic: string;
  readonly qos: Qos;
  /** Whether the broker had kept it from before the subscription. */
  readonly retained: boolean;
  /** Whether it may have arrived before. */
  readonly duplicate: boolean;
  /** The payload as it came. */
  bytes(): Uint8Array;
  /** @throws ValidationError when it is not UTF-8 */
  text(): string;
  /** @throws ValidationError when it is not JSON, or nested deeper than 64 levels */
  json(): unknown;
}
