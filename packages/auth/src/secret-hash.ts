import { createHash, timingSafeEqual } from "node:crypto";
import { ParleyError } from "@parley/core";

/** SHA-256 of a text. */
export function secretHash(secret: string): Buffer {
  return createHash("sha256").update(secret, "utf8").digest();
}

/** Whether two hashes are the same, in a time that does not tell where they differ. */
export function isSameHash(one: Buffer, other: Buffer): boolean {
  return timingSafeEqual(one, other);
}

/**
 * Checks a secret that a user has configured.
 * @throws ParleyError `invalid_argument` for none, as when a variable of the environment is not set
 */
export function requireSecret(secret: unknown, whose: string): string {
  if (typeof secret === "string" && secret !== "") return secret;
  throw new ParleyError("invalid_argument", `${whose} is empty: is the variable set that it comes from?`, {
    outcome: "not-sent",
  });
}
