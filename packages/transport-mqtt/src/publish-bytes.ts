/** First byte of a PUBLISH at QoS 0 (MQTT 5, 3.3.1), and the bit in it that says retained. */
export const PUBLISH = 0x30;
export const RETAIN = 0x01;

/** Properties of a PUBLISH (MQTT 5, 2.2.2.2). */
export const PAYLOAD_FORMAT_INDICATOR = 0x01;
export const MESSAGE_EXPIRY_INTERVAL = 0x02;
export const CONTENT_TYPE = 0x03;
export const RESPONSE_TOPIC = 0x08;
export const CORRELATION_DATA = 0x09;
export const SUBSCRIPTION_IDENTIFIER = 0x0b;
export const USER_PROPERTY = 0x26;
