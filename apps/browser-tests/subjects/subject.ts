import type { Subject, SubjectOptions } from "@parley/conformance";
import { bearer, type Credentials } from "@parley/core";
import type { DialTransport, Transport } from "@parley/core/transport";

/** What either side of a wire is made from. */
type Options = Pick<SubjectOptions, "heartbeatMs" | "limits" | "resumeWindowMs"> & {
  readonly credentials?: Credentials | undefined;
};

/** A wire of which pages have the dialling side. */
export interface BrowserWire {
  readonly name: "ws" | "sse" | "http";
  readonly tapping: Subject["tapping"];
  dialling(options: Options): DialTransport;
  listening(options: Options): Transport;
}

/** For the conformance suite: what a page dials with, on what Node has of a browser's platform, and whom it dials. */
export function browserSubject({ name, tapping, dialling, listening }: BrowserWire): Subject {
  return {
    name: `${name}-browser`,
    url: `${name}://127.0.0.1:0`,
    tapping,
    credentials: true,
    transport({ heartbeatMs, limits, resumeWindowMs, credential }) {
      // HTTP has no sessions.
      const options = { heartbeatMs, limits, ...(name !== "http" && { resumeWindowMs }) };
      const credentials = credential === undefined ? undefined : bearer(credential);
      const { connect, manifest } = dialling({ ...options, credentials });
      return { ...listening(options), connect, manifest };
    },
  };
}
