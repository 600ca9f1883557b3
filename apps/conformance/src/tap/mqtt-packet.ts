/** Where the rest of a packet begins and ends. */
export interface PacketHead {
  readonly type: number;
  readonly body: number;
  /** It may lie beyond what has come. */
  readonly end: number;
}

/** Fixed header (2.1); undefined as long as it is not there whole. */
export function headOf(bytes: Buffer): PacketHead | undefined {
  const length = variable(bytes, 1);
  if (!length) return undefined;
  return { type: bytes.readUInt8(0) >> 4, body: length.next, end: length.next + length.value };
}

/** A variable byte integer (1.5.5). */
export function variable(bytes: Buffer, at: number): { readonly value: number; readonly next: number } | undefined {
  let value = 0;
  for (let place = 0; place < 4; place++) {
    const byte = bytes[at + place];
    if (byte === undefined) return undefined;
    value += (byte & 0x7f) * 128 ** place;
    if ((byte & 0x80) === 0) return { value, next: at + place + 1 };
  }
  return undefined;
}

/** Text behind its length (1.5.4). */
export function prefixed(text: string): Buffer {
  const bytes = Buffer.from(text);
  return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 0xff]), bytes]);
}

/** A packet of MQTT: its first byte, and what follows its length. */
export function packet(first: number, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  const length: number[] = [];
  let left = body.length;
  do {
    length.push((left & 0x7f) | (left > 0x7f ? 0x80 : 0));
    left = Math.floor(left / 128);
  } while (left > 0);
  return Buffer.concat([Buffer.from([first, ...length]), body]);
}
