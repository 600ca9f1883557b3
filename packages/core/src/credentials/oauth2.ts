import { ParleyError } from "../call/error.ts";
import { isLoopback } from "../node/loopback.ts";
import { choiceOption, durationOption, knownOptions, type OptionNames } from "../resilience/option.ts";
import { type Runtime, systemRuntime } from "../runtime/runtime.ts";
import type { Credentials } from "./credentials.ts";
import { checkText } from "./secret.ts";
import { TokenCache } from "./token-cache.ts";
import { requestToken } from "./token-request.ts";

/** What {@link oauth2} takes. */
export interface OAuth2Options {
  /** The token endpoint: `https:`, or `http:` on this machine. */
  readonly tokenUrl: string | URL;
  readonly clientId: string;
  readonly clientSecret: string;
  /** What the token is to allow, `"read write"` or a list. @default what the server gives unasked */
  readonly scope?: string | readonly string[] | undefined;
  /** Further parameters of the request, such as `audience` or `resource` (RFC 8707). */
  readonly parameters?: Readonly<Record<string, string>> | undefined;
  /** Where the client's own secret goes: HTTP Basic, or the body (RFC 6749, 2.3.1). @default "basic" */
  readonly clientAuthentication?: "basic" | "body" | undefined;
  /** Time for one request, ms. @default 10_000 */
  readonly timeoutMs?: number | undefined;
  /** Permits `http:` to other machines, where something else keeps the secret on its way. @default false */
  readonly allowPlaintext?: boolean | undefined;
  /** Makes the request. @default the global `fetch` */
  readonly fetch?: typeof globalThis.fetch | undefined;
  /** @default systemRuntime */
  readonly runtime?: Runtime | undefined;
}

const optionNames: OptionNames<OAuth2Options> = {
  tokenUrl: true,
  clientId: true,
  clientSecret: true,
  scope: true,
  parameters: true,
  clientAuthentication: true,
  timeoutMs: true,
  allowPlaintext: true,
  fetch: true,
  runtime: true,
};

/**
 * Bearer tokens by OAuth 2 client credentials (RFC 6749, 4.4). A token is kept for as long as it lasts (10 s to 24 h, whatever the server
 * says; 5 minutes when it does not) and replaced a little earlier, in the background; one request is under way at a time, however many wait.
 * After a failure the next request waits longer from time to time; meanwhile calls fail with the last error.
 *
 * A call that gets no token fails with outcome `not-sent`: `unauthenticated` for a client that the server does not know, `permission_denied`
 * for a scope that it may not have, `failed_precondition` for a request that the server does not understand, else `unavailable`.
 * @throws ParleyError `invalid_argument` for options that make no sense
 */
export function oauth2(options: OAuth2Options): Credentials {
  knownOptions("oauth2()", options, optionNames);
  const { clientId, clientSecret, scope, parameters = {} } = options;
  const { fetch = globalThis.fetch, runtime = systemRuntime, allowPlaintext = false } = options;
  checkText("oauth2", "clientId", clientId);
  checkText("oauth2", "clientSecret", clientSecret);
  const by = choiceOption("clientAuthentication", options.clientAuthentication ?? "basic", ["basic", "body"]);
  const url = readTokenUrl(options.tokenUrl, allowPlaintext);
  const timeoutMs = durationOption("timeoutMs", options.timeoutMs ?? 10_000);
  const form = { ...parameters, ...(scope === undefined ? {} : { scope: [scope].flat().join(" ") }) };
  const cache = new TokenCache(
    () => requestToken({ url, clientId, clientSecret, form, by, timeoutMs, fetch, runtime }),
    runtime,
  );
  return { present: () => cache.present(), refused: (shown) => cache.refused(shown) };
}

function readTokenUrl(given: string | URL, allowPlaintext: boolean): URL {
  // What `new URL` throws has the whole text.
  const url = URL.canParse(String(given)) ? new URL(given) : undefined;
  const problem =
    url === undefined || !/^https?:$/.test(url.protocol)
      ? "is no http or https URL"
      : url.username !== "" || url.password !== ""
        ? "has credentials in it: give clientId and clientSecret"
        : url.protocol === "http:" && !allowPlaintext && !isLoopback(url.hostname)
          ? "would carry the secret in clear: use https, or say allowPlaintext if something else protects it"
          : undefined;
  if (url && problem === undefined) return url;
  throw new ParleyError("invalid_argument", `the tokenUrl given to oauth2() ${problem}`, { outcome: "not-sent" });
}
