/** First byte of a CONNACK, with which every broker begins (MQTT 5, 3.2.1), and of an AUTH. */
const CONNACK = 0x20;
const AUTH = 0xf0;
/** First byte of a TLS alert (RFC 8446, 5.1), which answers what is no TLS. */
const TLS_ALERT = 0x15;

/**
 * Looks at the bytes of a broker as they come, without keeping any: that it begins as brokers do, and that no packet is longer than allowed.
 * (The parser would collect up to 256 MiB for one.)
 * @returns a function that takes the next bytes and returns what is wrong with them; nothing when all is well.
 */
export function frameGuard(maxPacketBytes: number): (chunk: Uint8Array) => string | undefined {
  let begun = false;
  /** Bytes of the present packet that are still to come. */
  let body = 0;
  /** Position in the fixed header: 0 is the type, 1 to 4 the remaining length. */
  let at = 0;
  let length = 0;
  return (chunk) => {
    let index = 0;
    while (index < chunk.length) {
      if (body > 0) {
        const taken = Math.min(body, chunk.length - index);
        body -= taken;
        index += taken;
        continue;
      }
      const byte = chunk[index++] as number;
      if (at === 0) {
        if (!begun && byte === TLS_ALERT) return "what answers wants TLS: say mqtts:";
        if (!begun && byte !== CONNACK && byte !== AUTH) return "what answers is no MQTT broker";
        begun = true;
        at = 1;
        length = 0;
        continue;
      }
      length += (byte & 0x7f) * 128 ** (at - 1);
      if ((byte & 0x80) === 0) {
        if (length > maxPacketBytes) return `a packet of ${length} bytes came, and ${maxPacketBytes} are allowed`;
        body = length;
        at = 0;
      } else if (++at > 4) return "a packet has no valid length";
    }
    return undefined;
  };
}
