import type { ClientCertificate, Credentials } from "./credentials.ts";
import { rethrow } from "./secret.ts";

/**
 * A client certificate, for wires with TLS. A function is asked each time that a connection is opened, and so gives the present one of those
 * that are replaced every few hours. Goes before what the option `tls` of a transport says.
 */
export function certificate(given: ClientCertificate | (() => ClientCertificate)): Credentials {
  return { certificate: typeof given === "function" ? given : () => given };
}

/**
 * Options of TLS with the certificate of the credentials, if they have one.
 * @throws ParleyError `unavailable`, `not-sent`, when the user's function fails
 */
export function withCertificate<Tls extends object>(
  tls: Tls | undefined,
  credentials: Credentials | undefined,
): (Tls & ClientCertificate) | undefined {
  const own = Object.entries(certificateOf(credentials) ?? {}).filter(([, value]) => value !== undefined);
  return own.length > 0 ? ({ ...tls, ...Object.fromEntries(own) } as Tls & ClientCertificate) : tls;
}

function certificateOf(credentials: Credentials | undefined): ClientCertificate | undefined {
  try {
    return credentials?.certificate?.();
  } catch (thrown) {
    rethrow("certificate", thrown);
  }
}
