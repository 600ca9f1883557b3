import { errorFor, ParleyError } from "../call/error.ts";
import type { Credential, Credentials } from "./credentials.ts";

/** A value, or what gives it anew whenever it is asked for. */
export type SecretSource<Value> = Value | ((refused: Value | undefined) => Value | Promise<Value>);

/**
 * Credentials of one secret. Those of a function are renewed by asking it again, with what the peer refused.
 * @param maker names the function of the user's, for messages.
 * @throws ParleyError `invalid_argument` for a secret that cannot be sent
 */
export function secretCredentials(
  maker: string,
  source: SecretSource<string>,
  credentialOf: (secret: string) => Credential,
): Credentials {
  if (typeof source !== "function") {
    const only = credentialOf(source);
    return { present: () => only };
  }
  let last: { readonly secret: string; readonly credential: Credential } | undefined;
  let refused: string | undefined;
  const made = (secret: string): Credential => {
    // The same secret is the same credential, by which it is known again when it is refused.
    if (!last || last.secret !== secret) last = { secret, credential: credentialOf(secret) };
    if (secret !== refused) refused = undefined;
    return last.credential;
  };
  return {
    present() {
      try {
        const given = source(refused);
        if (typeof given === "string") return made(given);
        return Promise.resolve(given)
          .then(made)
          .catch((thrown) => rethrow(maker, thrown));
      } catch (thrown) {
        return rethrow(maker, thrown);
      }
    },
    refused(shown) {
      if (shown !== undefined && shown === last?.credential) refused = last.secret;
      return true;
    },
  };
}

/** @throws ParleyError `invalid_argument`, which does not say the value, for what is no text */
export function checkText(maker: string, what: string, value: unknown): void {
  if (typeof value === "string") return;
  const message = `the ${what} given to ${maker}() is no text but ${typeof value}`;
  throw new ParleyError("invalid_argument", message, { outcome: "not-sent" });
}

/**
 * A secret that fits into a header, and so into every other place.
 * @throws ParleyError `invalid_argument`, which does not say the value
 */
export function checkSecret(maker: string, what: string, value: unknown): string {
  checkText(maker, what, value);
  if (typeof value === "string" && /^[!-~](?:[ -~]*[!-~])?$/.test(value)) return value;
  const problem =
    value === ""
      ? "is empty"
      : "has characters other than visible ASCII, or spaces at its ends (a line break at the end of a file, perhaps)";
  throw new ParleyError("invalid_argument", `the ${what} given to ${maker}() ${problem}`, { outcome: "not-sent" });
}

/** Throws what a function of the user's threw, as a ParleyError. */
export function rethrow(maker: string, thrown: unknown): never {
  if (thrown instanceof ParleyError) throw thrown;
  throw errorFor("unavailable", `the function given to ${maker}() failed`, { outcome: "not-sent", cause: thrown });
}
