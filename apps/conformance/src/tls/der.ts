/** Bytes of ASN.1 in DER (ITU-T X.690), as far as a certificate needs it. */
function tagged(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([tag, ...lengthOf(content.length)]), content]);
}

function lengthOf(length: number): readonly number[] {
  if (length < 0x80) return [length];
  return length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
}

export const sequence = (...parts: readonly Uint8Array[]): Buffer => tagged(0x30, ...parts);

export const set = (...parts: readonly Uint8Array[]): Buffer => tagged(0x31, ...parts);

/** A positive number; its first bit must not be set. */
export const integer = (...bytes: readonly number[]): Buffer => tagged(0x02, Uint8Array.from(bytes));

export const boolean = (value: boolean): Buffer => tagged(0x01, Uint8Array.of(value ? 0xff : 0));

export const utf8 = (text: string): Buffer => tagged(0x0c, Buffer.from(text));

export const octets = (bytes: Uint8Array): Buffer => tagged(0x04, bytes);

export const bits = (bytes: Uint8Array): Buffer => tagged(0x03, Uint8Array.of(0), bytes);

/** `YYMMDDHHMMSSZ`, to be read as a time before 2050. */
export const time = (at: Date): Buffer => {
  const digits = at
    .toISOString()
    .replace(/\.\d+Z$/, "Z")
    .replace(/[-:T]/g, "");
  return tagged(0x17, Buffer.from(digits.slice(2)));
};

/** `[n]`, of parts that have tags of their own. */
export const explicit = (n: number, ...parts: readonly Uint8Array[]): Buffer => tagged(0xa0 + n, ...parts);

/** `[n]` in the place of a tag. */
export const implicit = (n: number, bytes: Uint8Array): Buffer => tagged(0x80 + n, bytes);

/** An object identifier, `2.5.29.17`. */
export const oid = (dotted: string): Buffer => {
  const [first = 0, second = 0, ...rest] = dotted.split(".").map(Number);
  return tagged(0x06, Uint8Array.from([first * 40 + second, ...rest.flatMap(base128)]));
};

function base128(value: number): number[] {
  const bytes = [value & 0x7f];
  for (let rest = value >> 7; rest > 0; rest >>= 7) bytes.unshift((rest & 0x7f) | 0x80);
  return bytes;
}
