/** What newer runtimes have (ECMAScript 2026), and what Node has. */
interface NativeBytes {
  readonly fromBase64?: (text: string, options: { readonly lastChunkHandling: "strict" }) => Uint8Array<ArrayBuffer>;
}
interface NativeText {
  readonly toBase64?: (this: Uint8Array) => string;
}
interface NodeBytes {
  toString(encoding: "base64"): string;
  write(text: string, encoding: "base64"): number;
}
const { Buffer } = globalThis as {
  readonly Buffer?: { from(buffer: ArrayBufferLike, offset: number, length: number): NodeBytes };
};
const { fromBase64: nativeFrom } = Uint8Array as NativeBytes;
const { toBase64: nativeTo } = Uint8Array.prototype as NativeText;

/** Base64 with padding (RFC 4648, 4), in the fastest way that the runtime has. */
export function toBase64(bytes: Uint8Array): string {
  if (nativeTo) return nativeTo.call(bytes);
  if (Buffer) return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");
  return portableToBase64(bytes);
}

/** The bytes of a base64 text in an array of their own; undefined when it is not base64 with padding, to the last bit. */
export function fromBase64(text: string): Uint8Array<ArrayBuffer> | undefined {
  const length = decodedLength(text);
  if (length === undefined) return undefined;
  if (nativeFrom) {
    try {
      const bytes = nativeFrom(text, { lastChunkHandling: "strict" });
      // White space is skipped, and leaves fewer bytes.
      return bytes.length === length ? bytes : undefined;
    } catch {
      return undefined;
    }
  }
  return Buffer ? nodeFromBase64(text, length) : portableFromBase64(text, length);
}

/** What follows is for runtimes without the methods of ECMAScript 2026; exported for the tests of each way. */
export function portableToBase64(bytes: Uint8Array): string {
  let binary = "";
  // In parts, since the number of arguments is bounded.
  for (let at = 0; at < bytes.length; at += 8192) binary += String.fromCharCode(...bytes.subarray(at, at + 8192));
  return btoa(binary);
}

/** See {@link portableToBase64}. */
export function portableFromBase64(
  text: string,
  length: number | undefined = decodedLength(text),
): Uint8Array<ArrayBuffer> | undefined {
  if (length === undefined || !isCanonicalEnd(text)) return undefined;
  try {
    const binary = atob(text);
    if (binary.length !== length) return undefined;
    const bytes = new Uint8Array(length);
    for (let at = 0; at < length; at++) bytes[at] = binary.charCodeAt(at);
    return bytes;
  } catch {
    return undefined;
  }
}

function nodeFromBase64(text: string, length: number): Uint8Array<ArrayBuffer> | undefined {
  const bytes = new Uint8Array(length);
  // Node takes the URL-safe alphabet too, and skips what is in neither.
  if (text.includes("-") || text.includes("_") || !isCanonicalEnd(text)) return undefined;
  const written = Buffer?.from(bytes.buffer, 0, length).write(text, "base64");
  return written === length ? bytes : undefined;
}

function decodedLength(text: string): number | undefined {
  if (text.length % 4 !== 0) return undefined;
  const padding = text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0;
  return (text.length / 4) * 3 - padding;
}

/** Whether the last four characters are base64, and the bits that belong to no byte are zero, so that no two texts mean the same bytes. */
function isCanonicalEnd(text: string): boolean {
  return (
    /(?:^|[\w+/]{4}|[\w+/]{3}=|[\w+/]{2}==)$/.test(text.slice(-4)) &&
    /(?:^|[AQgw]==|[AEIMQUYcgkosw048]=|[^=])$/.test(text.slice(-4))
  );
}
