import { errorFor, type Outcome, ParleyError } from "../call/error.ts";

/**
 * Why a TLS connection came to nothing; undefined where TLS has nothing to do with it.
 * @param address where it was to lead, for people
 */
export function tlsError(
  address: string,
  failure: Error & { readonly code?: string },
  outcome: Outcome = "not-sent",
): ParleyError | undefined {
  const { code = "", message } = failure;
  // Of what was read here, before there was a peer.
  if (code.startsWith("ERR_OSSL_")) {
    const text = `the certificates and keys given for ${address} cannot be used (${message}): give what is in the PEM files, not their names`;
    return new ParleyError("invalid_argument", text, { outcome: "not-sent", cause: failure });
  }
  if (!/CERT|SIGN|TLS|SSL|EPROTO/.test(code)) return undefined;
  const advice = /SIGN|ISSUER/.test(code)
    ? "; say whom to trust with the option tls.ca"
    : /EPROTO|WRONG_VERSION/.test(code)
      ? "; does it speak TLS at this port?"
      : "";
  const text = `the TLS connection to ${address} failed: ${opensslReason(message)}${advice}`;
  return errorFor("unavailable", text, { outcome, cause: failure });
}

/** What OpenSSL says, in words alone: its lines have addresses and files of its source around them. */
export function opensslReason(message: string): string {
  return message.replace(/(?:\bwrite EPROTO )?\b[0-9A-F]+:error:[0-9A-F]+:[^:]*:[^:]*:([^:]*):[^\n]*?:\d+:\n?/g, "$1");
}
