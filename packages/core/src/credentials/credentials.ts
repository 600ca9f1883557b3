/** What is shown to a peer once. Has its secret in functions, so that whoever prints it sees none. */
export interface Credential {
  /** For wires with headers or metadata; the name in lower case. */
  header(): readonly [name: string, value: string];
  /** For wires with a user and a password; without a user where the secret stands alone. */
  login(): Login;
  /** For wires with one text, such as an environment variable. */
  text(): string;
}

/** A user and a password, as MQTT and Basic have them. */
export interface Login {
  readonly user?: string | undefined;
  readonly password: string;
}

/** A certificate for TLS with its key, all PEM. */
export interface ClientCertificate {
  /** The certificate, and those between it and the authority. */
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  readonly passphrase?: string | undefined;
  /** Whom to trust in place of the usual authorities. */
  readonly ca?: string | undefined;
}

/**
 * What proves who calls, the same for all wires: each puts it where its protocol has a place for it. Made by {@link apiKey}, {@link bearer},
 * {@link basic}, {@link oauth2} and {@link certificate}. One object may serve many connections.
 */
export interface Credentials {
  /**
   * What to show now; asked for at every request, or where a connection is what is authenticated, at every dial. Costs no promise when it is
   * at hand. Absent when the certificate is all.
   * @throws ParleyError outcome `not-sent`
   */
  present?(): Credential | Promise<Credential>;
  /**
   * The peer did not accept what was shown. Returns whether asking again may give another: then it is asked once more. Absent where there is
   * only ever one.
   * @param shown the last that the refused caller can have shown; undefined when it has shown none before.
   */
  refused?(shown: Credential | undefined): boolean;
  /** For TLS; asked for each time that a connection is opened. */
  certificate?(): ClientCertificate;
}
