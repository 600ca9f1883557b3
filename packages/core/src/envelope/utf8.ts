/** What Node has and a browser has not. */
const { Buffer } = globalThis as { readonly Buffer?: { byteLength(text: string): number } };

/** Bytes that the text takes in UTF-8. An unpaired surrogate counts as the three bytes of U+FFFD. */
export const utf8Length: (text: string) => number = Buffer ? (text) => Buffer.byteLength(text) : countBytes;

/** The same without Node. */
export function countBytes(text: string): number {
  let bytes = text.length;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit < 0x80) continue;
    if (unit < 0x800) bytes += 1;
    else if (isPair(unit, text.charCodeAt(at + 1))) {
      bytes += 2;
      at++;
    } else bytes += 2;
  }
  return bytes;
}

function isPair(high: number, low: number): boolean {
  return (high & 0xfc00) === 0xd800 && (low & 0xfc00) === 0xdc00;
}
