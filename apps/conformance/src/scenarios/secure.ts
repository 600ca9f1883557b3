import type { Connection } from "@parley/core/transport";
import { users } from "../brokers/secured-place.ts";
import type { Environment } from "../environment.ts";
import type { ListenRequest } from "../serving/control.ts";
import type { TlsTuning } from "../subject.ts";
import type { Tap } from "../tap/tap.ts";
import { createTcpTap } from "../tap/tcp-tap.ts";
import { type Authority, authority, HERE } from "../tls/certificate.ts";

/** Who the suite's own callers are. */
export const ALICE: string = users.alice;

/** Who a caller is by the credential that it gets in place of one that ran out. */
export const ALICE_AGAIN: string = `${ALICE}:again`;

/** Listeners with TLS, and what is heard of them on the wire. */
export interface SecureStage {
  /** Whom both sides know. */
  readonly known: Authority;
  /** Whom neither knows. */
  readonly stranger: Authority;
  /** Of a server as it should be. */
  readonly server: TlsTuning;
  /** Opens a listener of the fixture; the address is behind the tap. */
  listen(tls: TlsTuning, request?: ListenRequest): Promise<URL>;
  dial(url: URL, tls: TlsTuning): Promise<Connection>;
  readonly tap: Tap;
}

/** Sets the stage, and clears it away after the play. */
export async function onSecureStage(env: Environment, play: (stage: SecureStage) => Promise<void>): Promise<void> {
  const known = authority("an authority");
  const tap = createTcpTap(env.history, undefined);
  try {
    await play({
      known,
      stranger: authority("another authority"),
      server: known.issue({ names: HERE }),
      tap,
      listen: async (tls, request) =>
        tap.through(await env.listen({ ...request, url: env.secure ?? "", tuning: { tls } })),
      dial: (url, tls) => env.dial({ url, tuning: { tls } }),
    });
  } finally {
    await tap.close();
  }
}
