import { type Credential, ParleyError } from "@parley/core/transport";

/**
 * Headers that may be shown so: secrets, which whoever verifies them does not believe for the way they came. Others a proxy may have set, or
 * taken away.
 */
const names = ["authorization", "x-api-key"];

/** A header of the opening handshake, shown as a subprotocol. */
export interface Offer {
  readonly name: string;
  readonly value: string;
}

/**
 * The subprotocol by which a page shows a credential, since it sets no header of a WebSocket: `parley.<header>.<value in base64url>`. The peer
 * never chooses it.
 * @throws ParleyError `invalid_argument` for a header that is not taken so
 */
export function offerOf(credential: Credential): string {
  const [name, value] = credential.header();
  if (names.includes(name)) return `parley.${name}.${toBase64url(value)}`;
  throw new ParleyError(
    "invalid_argument",
    `a page cannot set the header ${name} of a WebSocket; it can show ${names.join(" and ")}: use bearer, basic, or apiKey without a header of its own`,
    { outcome: "not-sent" },
  );
}

/** Reads a subprotocol; undefined when it is none of these. */
export function readOffer(protocol: string): Offer | undefined {
  const [, name, text] = /^parley\.([a-z-]+)\.([\w-]+)$/.exec(protocol) ?? [];
  if (name === undefined || text === undefined || !names.includes(name)) return undefined;
  try {
    return { name, value: atob(text.replaceAll("-", "+").replaceAll("_", "/")) };
  } catch {
    return undefined;
  }
}

/** Values of headers are Latin-1, as `btoa` takes it. */
function toBase64url(text: string): string {
  return btoa(text).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
