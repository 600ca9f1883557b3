import { ParleyError, type Runtime, TransportError } from "@parley/core";
import { isLoopback } from "@parley/core/node";
import { type CryptoKey, createLocalJWKSet, createRemoteJWKSet, customFetch, errors, type JWTVerifyGetKey } from "jose";

type RemoteJWKSet = ReturnType<typeof createRemoteJWKSet>;

/** Finds the key that a token says it is signed with. */
export type FindVerificationKey = JWTVerifyGetKey | (() => Promise<CryptoKey>);

/** What is read of a set of keys. */
const MAX_KEYS_BYTES = 1024 * 1024;
/** After a request that failed, so long none is made. */
const PAUSE_MS = 5_000;

/**
 * The keys that an issuer publishes, kept for 10 minutes; a key that is not among them makes it ask again, every 30 s at most.
 * @throws ParleyError `invalid_argument` for a URL over which anybody could give their own keys
 */
export function remoteKeys(given: string | URL, fetch: typeof globalThis.fetch, runtime: Runtime): JWTVerifyGetKey {
  const url = URL.canParse(String(given)) ? new URL(given) : undefined;
  if (url?.protocol !== "https:" && !(url?.protocol === "http:" && isLoopback(url.hostname))) {
    const message = "the jwksUrl given to jwt() must be an https URL, or http on this machine";
    throw new ParleyError("invalid_argument", message, { outcome: "not-sent" });
  }
  const keys = createRemoteJWKSet(url, { [customFetch]: (where, init) => bounded(fetch, where, init) });
  let pauseUntil = Number.NEGATIVE_INFINITY;
  return async (header, token) => {
    try {
      if (runtime.now() >= pauseUntil) return await keys(header, token);
    } catch (thrown) {
      if (isTokens(thrown)) throw thrown;
      pauseUntil = runtime.now() + PAUSE_MS;
      return kept(keys, header, token, () => unreachable(url, thrown));
    }
    return kept(keys, header, token, () => unreachable(url));
  };
}

/** A key from the set as it was when it was last had, should it be recent enough. */
function kept(
  keys: RemoteJWKSet,
  header: Parameters<JWTVerifyGetKey>[0],
  token: Parameters<JWTVerifyGetKey>[1],
  otherwise: () => ParleyError,
): ReturnType<JWTVerifyGetKey> {
  const set = keys.fresh ? keys.jwks() : undefined;
  if (!set) throw otherwise();
  return createLocalJWKSet(set)(header, token).catch(() => {
    throw otherwise();
  });
}

/** Whether it is the token's fault that there is no key for it. */
function isTokens(thrown: unknown): boolean {
  return (
    thrown instanceof errors.JWKSNoMatchingKey ||
    thrown instanceof errors.JWKSMultipleMatchingKeys ||
    thrown instanceof errors.JOSENotSupported
  );
}

function unreachable({ host, pathname }: URL, cause?: unknown): ParleyError {
  return new TransportError("unavailable", `the keys at ${host}${pathname} cannot be had`, {
    outcome: "not-sent",
    cause,
  });
}

/** A request whose answer has an end. Redirects are not followed: jose says so in `init`. */
async function bounded(fetch: typeof globalThis.fetch, url: string, init: RequestInit): Promise<Response> {
  const { status, body } = await fetch(url, init);
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body ?? []) {
    bytes += chunk.length;
    if (bytes > MAX_KEYS_BYTES) throw new TransportError("resource_exhausted", `over ${MAX_KEYS_BYTES} bytes of keys`);
    chunks.push(chunk);
  }
  return new Response(status === 200 ? Buffer.concat(chunks) : null, { status });
}
