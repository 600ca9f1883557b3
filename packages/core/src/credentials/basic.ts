import { ParleyError } from "../call/error.ts";
import { toBase64 } from "../envelope/base64.ts";
import type { Credentials } from "./credentials.ts";
import { checkText } from "./secret.ts";

/**
 * A user and a password (RFC 7617): `authorization: Basic …`; over MQTT they are its own, to a child process `user:password`.
 * @throws ParleyError `invalid_argument` for what is no text, a user with a colon, and control characters
 */
export function basic(user: string, password: string): Credentials {
  checkText("basic", "user", user);
  checkText("basic", "password", password);
  if (user.includes(":")) throw unfit("the user given to basic() has a colon, which ends it");
  // RFC 7617, 2.
  if (/\p{Cc}/u.test(user + password)) throw unfit("the user or password given to basic() has a control character");
  const pair = `${user}:${password}`;
  const value = `Basic ${toBase64(new TextEncoder().encode(pair))}`;
  const credential = {
    header: () => ["authorization", value] as const,
    login: () => ({ user, password }),
    text: () => pair,
  };
  return { present: () => credential };
}

function unfit(message: string): ParleyError {
  return new ParleyError("invalid_argument", message, { outcome: "not-sent" });
}
