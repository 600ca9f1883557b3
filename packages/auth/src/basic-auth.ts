import { authorizationOf } from "./authorization-header.ts";
import type { Identity } from "./identity.ts";
import { isSameHash, requireSecret, secretHash } from "./secret-hash.ts";
import type { Verifier } from "./verifier.ts";

/** A user with a password. */
export interface KnownUser extends Partial<Identity> {
  readonly user: string;
  readonly password: string;
  /** @default the user */
  readonly principal?: string;
}

/** Finds who a user is if the password is theirs; nothing when it is not. Its own affair to take the same time for users who do not exist. */
export type CheckPassword = (user: string, password: string) => Identity | undefined | Promise<Identity | undefined>;

/**
 * Knows callers by user and password (RFC 7617). The list is for machines with passwords by chance; people's belong hashed in a database, with
 * a function that checks them (scrypt, Argon2).
 * @throws ParleyError `invalid_argument` for an empty password
 */
export function basicAuth(known: readonly KnownUser[] | CheckPassword): Verifier {
  const check = typeof known === "function" ? known : checker(known);
  return async (context) => {
    const value = authorizationOf(context, "basic");
    if (value === undefined) return undefined;
    const [, user, password] = /^([^:]*):(.*)$/s.exec(decoded(value) ?? "") ?? [];
    if (user === undefined || password === undefined) return { refused: "no user and password in UTF-8" };
    return (await check(user, password)) ?? { refused: "unknown user, or wrong password" };
  };
}

function decoded(base64: string): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(Buffer.from(base64, "base64"));
  } catch {
    return undefined;
  }
}

function checker(known: readonly KnownUser[]): CheckPassword {
  const users = known.map(({ user, password, principal = user, roles, scopes, expiresAt, claims }) => ({
    hash: pairHash(user, requireSecret(password, `the password of ${user}`)),
    identity: { principal, roles, scopes, expiresAt, claims },
  }));
  return (user, password) => {
    const shown = pairHash(user, password);
    let found: Identity | undefined;
    // All of them, so that the time does not tell which users there are.
    for (const { hash, identity } of users) if (isSameHash(hash, shown)) found = identity;
    return found;
  };
}

/** A user has no colon, so the pair is told apart. */
function pairHash(user: string, password: string): Buffer {
  return secretHash(`${user}:${password}`);
}
