import type { BodyOptions, HttpRequestOptions, RequesterOptions } from "@parley/core/http";
import type { ReconnectOptions } from "@parley/core/transport";

/** Options of an `SseClient`. */
export interface SseClientOptions
  extends Pick<
      RequesterOptions,
      | "headers"
      | "credentials"
      | "tls"
      | "connectTimeoutMs"
      | "headersTimeoutMs"
      | "retry"
      | "use"
      | "maxRedirects"
      | "redirectOrigins"
      | "hooks"
      | "log"
      | "runtime"
    >,
    Pick<HttpRequestOptions, "params" | "idempotent" | "signal">,
    Pick<BodyOptions, "json" | "form"> {
  /** Where the events are; headers, credentials and client certificate are for its origin. */
  readonly url: string | URL;
  /** @default "POST" with a body, else "GET" */
  readonly method?: string | undefined;
  /** A body that is neither `json` nor `form`; its content type is in `headers`. */
  readonly body?: string | Uint8Array | undefined;
  /** Time for an opening of the stream, until the server has accepted, further attempts included, ms. @default none */
  readonly timeoutMs?: number | undefined;
  /** Where to begin: an id that this stream has given before. @default at its beginning */
  readonly lastEventId?: string | undefined;
  /** Data that ends the stream, such as `"[DONE]"`; a stream that ends without it was cut. @default none */
  readonly doneData?: string | undefined;
  /**
   * How to come back after a cut, with the last id; `false` for not at all. `retry` is for the first opening alone. The server's `retry` is waited for as well, up to `maxMs`. Attempts
   * are counted anew with each event. @default baseMs 1_000, maxMs 30_000, no limit for GET; `false` for other methods
   */
  readonly reconnect?: Pick<ReconnectOptions, "baseMs" | "maxMs" | "maxAttempts"> | false | undefined;
  /** Longest silence of the server, comments included, ms; then the stream counts as cut. @default 300_000 */
  readonly idleTimeoutMs?: number | undefined;
  /** Longest event, in characters. @default 1_048_576 */
  readonly maxEventChars?: number | undefined;
}
