import type { Credential, Credentials } from "./credentials.ts";
import { checkSecret, type SecretSource, secretCredentials } from "./secret.ts";

/**
 * A bearer token (RFC 6750): `authorization: Bearer …`; over MQTT it is the password, to a child process the variable's value. A function is
 * asked at every request or dial, so it keeps its token for as long as that is good; it is given the token that the peer has refused, if it has.
 * @throws ParleyError `invalid_argument` for a token that cannot be sent
 */
export function bearer(token: SecretSource<string>): Credentials {
  return secretCredentials("bearer", token, (given) => bearerCredential("bearer", given));
}

/** Shows one token. @throws ParleyError `invalid_argument` */
export function bearerCredential(maker: string, given: unknown): Credential {
  const token = checkSecret(maker, "token", given);
  return {
    header: () => ["authorization", `Bearer ${token}`],
    login: () => ({ password: token }),
    text: () => token,
  };
}
