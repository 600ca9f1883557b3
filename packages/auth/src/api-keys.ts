import { ParleyError } from "@parley/core";
import type { Identity } from "./identity.ts";
import { isSameHash, requireSecret, secretHash } from "./secret-hash.ts";
import type { Verifier } from "./verifier.ts";

/** Whose an API key is. */
export type KnownKey = Identity & KeySecret;

type KeySecret =
  | { readonly key: string }
  /** SHA-256 of the key, hexadecimal: then the key itself need not be here. */
  | { readonly sha256: string };

/** Finds whose a key is by its SHA-256, hexadecimal; nothing when it is nobody's. */
export type FindKey = (sha256: string) => Identity | undefined | Promise<Identity | undefined>;

/** What {@link apiKeys} takes beside the keys. */
export interface ApiKeysOptions {
  /** The header that bears them. @default "x-api-key" */
  readonly header?: string | undefined;
}

/**
 * Knows callers by an API key in a header. Only hashes are kept and compared. Keys have to be long and by chance (`openssl rand -hex 32`): a
 * hash does not protect a word that can be guessed.
 * @throws ParleyError `invalid_argument` for an empty key, for a hash that is none, and for a key that is there twice
 */
export function apiKeys(known: readonly KnownKey[] | FindKey, { header = "x-api-key" }: ApiKeysOptions = {}): Verifier {
  const name = header.toLowerCase();
  const find = typeof known === "function" ? known : finder(known);
  return async ({ presented }) => {
    const [key, ...more] = presented?.header(name) ?? [];
    if (key === undefined) return undefined;
    if (more.length > 0) return { refused: `several ${name} headers` };
    return (await find(secretHash(key).toString("hex"))) ?? { refused: "unknown API key" };
  };
}

function finder(known: readonly KnownKey[]): FindKey {
  const owners = known.map((one) => ({ hash: hashOf(one), identity: withoutSecret(one) }));
  if (new Set(owners.map(({ hash }) => hash.toString("hex"))).size < owners.length)
    throw unfit("the same API key is given to two principals");
  return (sha256) => {
    const shown = Buffer.from(sha256, "hex");
    let found: Identity | undefined;
    // All of them, so that the time does not tell whose it is.
    for (const { hash, identity } of owners) if (isSameHash(hash, shown)) found = identity;
    return found;
  };
}

function hashOf(known: KnownKey): Buffer {
  if ("key" in known) return secretHash(requireSecret(known.key, `the API key of ${known.principal}`));
  if (/^[0-9a-f]{64}$/i.test(known.sha256)) return Buffer.from(known.sha256, "hex");
  throw unfit(`the sha256 of the API key of ${known.principal} is not 64 hexadecimal digits`);
}

/** An identity is shown to handlers: what proved it stays here. */
function withoutSecret({ principal, roles, scopes, expiresAt, claims }: Identity): Identity {
  return { principal, roles, scopes, expiresAt, claims };
}

function unfit(message: string): ParleyError {
  return new ParleyError("invalid_argument", message, { outcome: "not-sent" });
}
