import type { Credentials } from "../../credentials/credentials.ts";
import type { RetryOptions } from "../../resilience/retry.ts";
import type { Interceptor, Log, ParleyError, Runtime } from "../../transport/index.ts";
import type { WebTls } from "../options.ts";
import type { HttpResponse } from "./http-response.ts";
import type { BodyOptions } from "./request-body.ts";
import type { Params } from "./target.ts";

/** Certificates of a client for TLS, as `node:tls` has them. */
export interface HttpClientTls extends Omit<WebTls, "requestCert"> {}

/** How many connections a client keeps. */
export interface HttpPoolOptions {
  /** Connections to one origin; requests beyond wait their turn. @default 64 */
  readonly maxPerOrigin?: number | undefined;
  /** Connections in all; an idle one makes room for another origin. @default 256 */
  readonly maxTotal?: number | undefined;
  /** Requests that may wait for a connection; one more fails with `resource_exhausted`, `not-sent`. @default 1_024 */
  readonly maxWaiting?: number | undefined;
  /** How long an unused connection is kept, ms, unless the server says less. @default 10_000 */
  readonly idleTimeoutMs?: number | undefined;
}

/**
 * Which requests are made again: those of idempotent methods (RFC 9110, 9.2.2), or called `idempotent`, after a cut, a timeout or one of the
 * statuses; others only if nothing can have been sent, or the server refused them by 429 (RFC 6585, 4). Never those whose body is a stream that
 * was read.
 */
export interface HttpRetryOptions
  extends Pick<RetryOptions, "maxAttempts" | "baseMs" | "maxMs" | "maxRetryAfterMs" | "budget"> {
  /** Answers that another attempt may change. Their `Retry-After` is waited for as well. @default [429, 500, 502, 503, 504] */
  readonly statuses?: readonly number[] | undefined;
}

/** A request that is about to leave. */
export interface HttpOutgoing {
  readonly method: string;
  readonly url: URL;
  /** May be changed. What says who asks is taken away from them afterwards, where a redirect led to another origin. */
  readonly headers: Headers;
}

/** Another attempt is about to be made. */
export interface HttpAgain {
  readonly method: string;
  readonly url: URL;
  /** Attempts made so far. */
  readonly attempts: number;
  /** What the last one failed with; a status is an error here, with the answer as its cause. */
  readonly error: ParleyError;
}

/** Told of requests on their way, and waited for. What a hook throws fails the request: a ParleyError as it is, else `internal`. */
export interface HttpHooks {
  /** Before each request: also those of retries and redirects. */
  readonly beforeRequest?: ((request: HttpOutgoing) => void | Promise<void>) | undefined;
  /** After each answer that no redirect or new credential replaces, before anyone reads it. */
  readonly afterResponse?: ((response: HttpResponse) => void | Promise<void>) | undefined;
  /** Before each attempt but the first, when its wait is over. */
  readonly beforeRetry?: ((retry: HttpAgain) => void | Promise<void>) | undefined;
}

/** What the client decides for all requests, and each request for itself. */
interface SharedOptions {
  /** Time until the answer's head begins, from the last byte sent, ms. @default 30_000 */
  readonly headersTimeoutMs?: number | undefined;
  /** Longest silence within an answer, and longest time until somebody begins to read it, ms. @default 30_000 */
  readonly bodyTimeoutMs?: number | undefined;
  /** Time for the whole request, its waits, attempts, and the reading of its answer included, ms. @default none */
  readonly timeoutMs?: number | undefined;
  /** Longest body of an answer. @default 16 MiB */
  readonly maxResponseBytes?: number | undefined;
  /** Whether redirects are followed, within their bounds; those that are not are answers like others. @default "follow" */
  readonly redirect?: "follow" | "manual" | undefined;
  /** Whether an answer other than 2xx is thrown, as by `expectOk()`. @default false */
  readonly expectOk?: boolean | undefined;
}

/** Options of a client for HTTP. */
export interface RequesterOptions extends SharedOptions {
  /** What paths are beneath; the origin that `headers`, `credentials` and client certificates are for. @default none */
  readonly baseUrl?: string | URL | undefined;
  /** Headers of every request; with a `baseUrl`, of those to its origin. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Shown with each request to the origin of the `baseUrl`, which it needs; asked again, once, after a 401. */
  readonly credentials?: Credentials | undefined;
  /** Certificates for TLS. One of the client's own needs a `baseUrl`. */
  readonly tls?: HttpClientTls | undefined;
  /** Time for a connection to open, TLS included, and again for a free one to be had, ms. @default 10_000 */
  readonly connectTimeoutMs?: number | undefined;
  readonly pool?: HttpPoolOptions | undefined;
  /** `{}` for the defaults. @default no request is made again */
  readonly retry?: HttpRetryOptions | undefined;
  /** Policies around each attempt, first outermost: `breaker()`, `rateLimit()`, `bulkhead()`, … Their calls have the type `http.get` and so on. */
  readonly use?: readonly Interceptor[] | undefined;
  /** Redirects that one request follows; one more fails it. @default 5 */
  readonly maxRedirects?: number | undefined;
  /**
   * Origins, `"https://files.example"`, that redirects may lead to beside the request's own; `"*"` for any. Of the headers only those go
   * along that say nothing of who asks, and no hook adds others. @default none
   */
  readonly redirectOrigins?: readonly string[] | undefined;
  readonly hooks?: HttpHooks | undefined;
  readonly log?: Log | undefined;
  /** @default systemRuntime */
  readonly runtime?: Runtime | undefined;
}

/** Options of one request; they go before those of the client. */
export interface HttpRequestOptions extends SharedOptions, BodyOptions {
  /** Added to the query of the URL. */
  readonly params?: Params | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Whether its effect may be had twice. @default what RFC 9110 says of the method */
  readonly idempotent?: boolean | undefined;
  /** `false`: is made once, whatever the client's `retry` says. @default the client's */
  readonly retry?: false | undefined;
  /** Gives the request up, or the reading of its answer. */
  readonly signal?: AbortSignal | undefined;
}
