import type { Verifier } from "./verifier.ts";

/**
 * Knows callers by their TLS certificate: who the transport says that they are (`requestCert` with the authorities in `ca`), from the names in
 * the certificate, until it runs out.
 */
export function clientCertificate(): Verifier {
  return ({ peer }) => {
    if (peer?.principal === undefined || peer.certifiedUntil === undefined) return undefined;
    return { principal: peer.principal, expiresAt: peer.certifiedUntil };
  };
}

/**
 * Knows callers behind a broker by the name that the broker holds them to: over MQTT the level of the sender in the topic, with the option
 * `enforcedSenders` and a broker whose rules make it true.
 */
export function brokerSender(): Verifier {
  return ({ peer }) => {
    if (peer?.principal === undefined || peer.transport !== "mqtt") return undefined;
    return { principal: peer.principal };
  };
}

/** What {@link parentProcess} takes. */
export interface ParentProcessOptions {
  /** @default "parent" */
  readonly principal?: string | undefined;
  readonly roles?: readonly string[] | undefined;
}

/** Takes whoever calls over stdin and stdout for the process that started this one, which could do anything in its name anyway. */
export function parentProcess({ principal = "parent", roles }: ParentProcessOptions = {}): Verifier {
  return ({ peer }) => (peer?.transport === "stdio" ? { principal, roles } : undefined);
}
