/** What a value comes to in few bytes, and roughly how many it takes in memory. */
export interface Fingerprint {
  /** 32 bits. Equal values have the same, whatever the order of their keys; others almost never have. */
  readonly hash: number;
  readonly bytes: number;
}

/** Fingerprint of a value that JSON can carry, or of bytes. Nested deeper than 64 levels counts no more. */
export function fingerprint(value: unknown): Fingerprint {
  const walk = { bytes: 0 };
  const hash = hashValue(value, 0, walk);
  return { hash: mix(hash), bytes: walk.bytes };
}

/** FNV-1a's prime and offset basis (RFC 9923). */
const PRIME = 0x01000193;
const BASIS = 0x811c9dc5;
const MAX_DEPTH = 64;
/** What a key or a value costs beside its text. */
const OVERHEAD = 16;

/** 32 bits of a text. */
export function hashText(text: string, seed: number): number {
  let hash = seed;
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), PRIME);
  return mix(hash ^ text.length);
}

/** Spreads what differs in a few bits over all (the finaliser of MurmurHash3). */
function mix(value: number): number {
  let hash = value;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

function hashValue(value: unknown, depth: number, walk: { bytes: number }): number {
  walk.bytes += OVERHEAD;
  switch (typeof value) {
    case "string":
      walk.bytes += value.length;
      return hashText(value, BASIS);
    case "object":
      if (value === null || depth > MAX_DEPTH) return 1;
      if (value instanceof Uint8Array) return hashBytes(value, walk);
      return Array.isArray(value) ? hashArray(value, depth, walk) : hashObject(value, depth, walk);
    default:
      return hashText(String(value), BASIS ^ (typeof value).length);
  }
}

function hashBytes(bytes: Uint8Array, walk: { bytes: number }): number {
  walk.bytes += bytes.length;
  let hash = BASIS;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, PRIME);
  return mix(hash ^ 2);
}

function hashArray(array: readonly unknown[], depth: number, walk: { bytes: number }): number {
  let hash = 3;
  for (const item of array) hash = mix(Math.imul(hash, PRIME) ^ hashValue(item, depth + 1, walk));
  return hash;
}

function hashObject(object: object, depth: number, walk: { bytes: number }): number {
  let hash = 4;
  for (const [key, value] of Object.entries(object)) {
    if (value === undefined) continue;
    walk.bytes += key.length;
    // A sum does not know an order.
    hash = (hash + mix(hashText(key, BASIS) ^ Math.imul(hashValue(value, depth + 1, walk), PRIME))) | 0;
  }
  return hash;
}
