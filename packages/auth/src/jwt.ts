import type { KeyObject } from "node:crypto";
import { ParleyError, type Runtime } from "@parley/core";
import { systemRuntime } from "@parley/core/transport";
import { type CryptoKey, createLocalJWKSet, errors, type JSONWebKeySet, type JWTPayload, jwtVerify } from "jose";
import { authorizationOf } from "./authorization-header.ts";
import type { Identity } from "./identity.ts";
import { type FindVerificationKey, remoteKeys } from "./remote-keys.ts";
import type { Refusal, Verifier } from "./verifier.ts";

/** What a token says (RFC 7519, 4). */
export type Claims = Readonly<Record<string, unknown>>;

/** What {@link jwt} takes. */
export interface JwtOptions {
  /** Who must have issued the token: `iss`, to the letter. */
  readonly issuer: string | readonly string[];
  /** Whom it must be for: one of these in `aud`. A token for another service is of no use here. */
  readonly audience: string | readonly string[];
  /** Signatures that are accepted, such as `["RS256"]` or `["ES256", "EdDSA"]`. Those of a shared secret (`HS256`) stand alone. */
  readonly algorithms: readonly string[];
  /** Where the issuer publishes its keys: `https:`, or `http:` on this machine. Fetched when first needed and every 10 minutes; an unknown key makes it ask sooner, every 30 s at most. */
  readonly jwksUrl?: string | URL | undefined;
  /** In place of that: the issuer's keys, its one public key, or the shared secret. */
  readonly keys?: JSONWebKeySet | CryptoKey | KeyObject | Uint8Array | undefined;
  /** What the header `typ` must say: `"at+jwt"` takes access tokens of RFC 9068 and no ID tokens. @default anything */
  readonly typ?: string | undefined;
  /** How far the issuer's clock may be off, ms. @default 5_000 */
  readonly clockToleranceMs?: number | undefined;
  /** Who the caller is by the claims; nobody without a text. @default `sub`; needed where there are several issuers, whose `sub` may be the same */
  readonly principal?: ((claims: Claims) => string | undefined) | undefined;
  /** @default the claim `roles`, a list of texts */
  readonly roles?: ((claims: Claims) => readonly string[] | undefined) | undefined;
  /** @default the claim `scope`, words between spaces, or `scp`, those or a list */
  readonly scopes?: ((claims: Claims) => readonly string[] | undefined) | undefined;
  /** Makes requests for keys. @default the global `fetch` */
  readonly fetch?: typeof globalThis.fetch | undefined;
  /** @default systemRuntime */
  readonly runtime?: Runtime | undefined;
}

/**
 * Knows callers by a signed token (JWT, RFC 7519 and 8725) in `authorization: Bearer …`. It must have an end (`exp`). What its header says of
 * where keys are is not heeded.
 * @throws ParleyError `invalid_argument` for options that would let in too much
 */
export function jwt(options: JwtOptions): Verifier {
  const { typ, clockToleranceMs = 5_000, runtime = systemRuntime } = options;
  const { principal = subject, roles = rolesIn, scopes = scopesIn } = options;
  const issuer = [options.issuer].flat();
  const audience = [options.audience].flat();
  const algorithms = [...(options.algorithms ?? [])];
  check(options, { issuer, audience, algorithms });
  const key = keyFinder(options, runtime);
  return async (context) => {
    const token = authorizationOf(context, "bearer");
    if (token === undefined) return undefined;
    try {
      const { payload } = await jwtVerify(token, key, {
        issuer,
        audience,
        algorithms,
        requiredClaims: ["exp"],
        clockTolerance: clockToleranceMs / 1_000,
        currentDate: new Date(runtime.date()),
        ...(typ === undefined ? {} : { typ }),
      });
      return identityIn(payload, { principal, roles, scopes, clockToleranceMs });
    } catch (thrown) {
      if (thrown instanceof errors.JOSEError) return { refused: reasonOf(thrown) };
      // A key that is not of the token's algorithm.
      if (thrown instanceof TypeError) return { refused: "the token is not signed for the key that is here" };
      throw thrown;
    }
  };
}

interface Lists {
  readonly issuer: readonly string[];
  readonly audience: readonly string[];
  readonly algorithms: readonly string[];
}

function check({ jwksUrl, keys, principal }: JwtOptions, { issuer, audience, algorithms }: Lists): void {
  const shared = algorithms.filter((algorithm) => algorithm.startsWith("HS")).length;
  const problem = !areNames(issuer)
    ? "needs an issuer"
    : !areNames(audience)
      ? "needs an audience"
      : algorithms.length === 0
        ? 'needs algorithms, such as ["RS256"]'
        : algorithms.some((algorithm) => algorithm.toLowerCase() === "none")
          ? "takes no tokens without a signature"
          : (jwksUrl === undefined) === (keys === undefined)
            ? "needs either jwksUrl or keys"
            : shared > 0 && (shared < algorithms.length || !(keys instanceof Uint8Array || isSecret(keys)))
              ? "takes HS algorithms alone, with a shared secret in keys: a public key is no secret"
              : issuer.length > 1 && principal === undefined
                ? "needs the option principal with several issuers, whose subjects may have the same names"
                : undefined;
  if (problem === undefined) return;
  throw new ParleyError("invalid_argument", `jwt() ${problem}`, { outcome: "not-sent" });
}

/** An undefined one, which callers without types may give, would name nobody. */
function areNames(texts: readonly string[]): boolean {
  return texts.length > 0 && texts.every((text) => typeof text === "string" && text !== "");
}

function isSecret(keys: JwtOptions["keys"]): boolean {
  return typeof keys === "object" && "type" in keys && keys.type === "secret";
}

function keyFinder({ jwksUrl, keys, fetch = globalThis.fetch }: JwtOptions, runtime: Runtime): FindVerificationKey {
  if (jwksUrl !== undefined) return remoteKeys(jwksUrl, fetch, runtime);
  if (isKeySet(keys)) return createLocalJWKSet(keys);
  return () => Promise.resolve(keys as CryptoKey); // checked to be there; jose tells the kinds of keys apart
}

function isKeySet(keys: JwtOptions["keys"]): keys is JSONWebKeySet {
  return Array.isArray((keys as Partial<JSONWebKeySet> | undefined)?.keys);
}

interface Readers extends Required<Pick<JwtOptions, "clockToleranceMs">> {
  readonly principal: (claims: Claims) => string | undefined;
  readonly roles: (claims: Claims) => readonly string[] | undefined;
  readonly scopes: (claims: Claims) => readonly string[] | undefined;
}

function identityIn(
  claims: JWTPayload,
  { principal, roles, scopes, clockToleranceMs = 0 }: Readers,
): Identity | Refusal {
  const name = principal(claims);
  if (typeof name !== "string" || name === "") return { refused: "the token names nobody" };
  // It was required.
  const expiresAt = (claims.exp as number) * 1_000 + clockToleranceMs;
  return { principal: name, roles: roles(claims), scopes: scopes(claims), expiresAt, claims };
}

/** Why, by the library's codes and the name of the claim: its texts and what it read stay out of logs. */
function reasonOf(error: errors.JOSEError): string {
  return error instanceof errors.JWTClaimValidationFailed || error instanceof errors.JWTExpired
    ? `the token's ${error.claim} is not accepted (${error.code})`
    : `the token is not accepted (${error.code})`;
}

function subject({ sub }: Claims): string | undefined {
  return typeof sub === "string" ? sub : undefined;
}

function rolesIn({ roles }: Claims): readonly string[] | undefined {
  return texts(roles);
}

function scopesIn({ scope, scp }: Claims): readonly string[] | undefined {
  const words = scope ?? scp;
  return typeof words === "string" ? words.split(" ").filter((word) => word !== "") : texts(words);
}

function texts(value: unknown): readonly string[] | undefined {
  return Array.isArray(value) ? value.filter((one) => typeof one === "string") : undefined;
}
