import { bearer, type Credentials } from "@parley/core";
import type { SubjectOptions, Tuning } from "../subject.ts";

/** What is meant for the transport itself, by the names of its options. */
interface Tuned extends Pick<Tuning, "heartbeatMs" | "limits" | "tls"> {
  readonly credentials: Credentials | undefined;
}

/** The options of a transport that dials and listens on sockets, of those of its subject. */
export function tuned({ heartbeatMs, limits, tls, credential }: SubjectOptions): Tuned {
  return { heartbeatMs, limits, tls, credentials: credential === undefined ? undefined : bearer(credential) };
}
