import { ParleyError } from "../call/error.ts";
import type { Credentials } from "./credentials.ts";
import { checkSecret, type SecretSource, secretCredentials } from "./secret.ts";

/** What {@link apiKey} takes beside the key. */
export interface ApiKeyOptions {
  /** The header that bears it. @default "x-api-key" */
  readonly header?: string | undefined;
}

/**
 * A key in a header of its own; over MQTT it is the password, to a child process the variable's value. A function is asked at every request or
 * dial, and given the key that the peer has refused, if it has.
 * @throws ParleyError `invalid_argument` for a key or header that cannot be sent
 */
export function apiKey(key: SecretSource<string>, { header = "x-api-key" }: ApiKeyOptions = {}): Credentials {
  const name = header.toLowerCase();
  if (!/^[a-z0-9][a-z0-9_.-]*$/.test(name)) {
    throw new ParleyError("invalid_argument", `${JSON.stringify(header)} is no name of a header`, {
      outcome: "not-sent",
    });
  }
  return secretCredentials("apiKey", key, (given) => {
    const secret = checkSecret("apiKey", "key", given);
    return { header: () => [name, secret], login: () => ({ password: secret }), text: () => secret };
  });
}
