import { requireCredentials } from "../../credentials/presenter.ts";
import { choiceOption, countOption, durationOption, knownOptions, type OptionNames } from "../../resilience/option.ts";
import { ParleyError } from "../../transport/index.ts";
import type { HttpPoolOptions, HttpRequestOptions, HttpRetryOptions, RequesterOptions } from "./options.ts";
import { targetOf } from "./target.ts";

const MIB = 1024 * 1024;

/** Options of a client, complete, as far as a number or an address is in them. */
export interface HttpSettings {
  readonly base: URL | undefined;
  readonly connectTimeoutMs: number;
  readonly idleTimeoutMs: number;
  readonly maxPerOrigin: number;
  readonly maxTotal: number;
  readonly maxWaiting: number;
  readonly maxRedirects: number;
  readonly redirectOrigins: ReadonlySet<string>;
  readonly request: RequestSettings;
}

/** What holds for one request. */
export interface RequestSettings {
  readonly headersTimeoutMs: number;
  readonly bodyTimeoutMs: number;
  readonly timeoutMs: number | undefined;
  readonly maxResponseBytes: number;
  readonly redirect: "follow" | "manual";
  readonly expectOk: boolean;
}

/** @throws ParleyError `invalid_argument`, `not-sent`, for options that make no sense */
export function settingsOf(options: RequesterOptions): HttpSettings {
  const { baseUrl, pool = {}, retry = {}, credentials, tls, redirectOrigins = [] } = options;
  knownOptions("the option pool", pool, poolOptions);
  knownOptions("the option retry", retry, retryOptions);
  requireCredentials(credentials);
  const base = baseUrl === undefined ? undefined : targetOf(baseUrl, undefined, undefined);
  if (!base && (credentials || tls?.cert || tls?.key || tls?.pfx)) {
    throw new ParleyError(
      "invalid_argument",
      "credentials and client certificates are for one origin: name it in the option baseUrl",
      { outcome: "not-sent" },
    );
  }
  return {
    base,
    connectTimeoutMs: durationOption("connectTimeoutMs", options.connectTimeoutMs ?? 10_000),
    // undici knows no 0.
    idleTimeoutMs: Math.max(1, durationOption("pool.idleTimeoutMs", pool.idleTimeoutMs ?? 10_000)),
    maxPerOrigin: countOption("pool.maxPerOrigin", pool.maxPerOrigin ?? 64, 1),
    maxTotal: countOption("pool.maxTotal", pool.maxTotal ?? 256, 1),
    maxWaiting: countOption("pool.maxWaiting", pool.maxWaiting ?? 1_024, 0),
    maxRedirects: countOption("maxRedirects", options.maxRedirects ?? 5, 0),
    redirectOrigins: new Set(redirectOrigins.map(originOf)),
    request: requestSettings(options, {
      headersTimeoutMs: 30_000,
      bodyTimeoutMs: 30_000,
      timeoutMs: undefined,
      maxResponseBytes: 16 * MIB,
      redirect: "follow",
      expectOk: false,
    }),
  };
}

/** @throws ParleyError `invalid_argument`, `not-sent`, for options that make no sense */
export function requestSettings(
  options: RequesterOptions | HttpRequestOptions,
  defaults: RequestSettings,
): RequestSettings {
  const timeoutMs = options.timeoutMs ?? defaults.timeoutMs;
  const maxResponseBytes = options.maxResponseBytes ?? defaults.maxResponseBytes;
  if (!(maxResponseBytes >= 0)) {
    throw new ParleyError("invalid_argument", `maxResponseBytes is ${maxResponseBytes}, and must be a number from 0`, {
      outcome: "not-sent",
    });
  }
  return {
    headersTimeoutMs: durationOption("headersTimeoutMs", options.headersTimeoutMs ?? defaults.headersTimeoutMs),
    bodyTimeoutMs: durationOption("bodyTimeoutMs", options.bodyTimeoutMs ?? defaults.bodyTimeoutMs),
    timeoutMs: timeoutMs === undefined ? undefined : durationOption("timeoutMs", timeoutMs),
    maxResponseBytes,
    redirect: choiceOption("redirect", options.redirect ?? defaults.redirect, ["follow", "manual"]),
    expectOk: options.expectOk ?? defaults.expectOk,
  };
}

const poolOptions: OptionNames<HttpPoolOptions> = {
  maxPerOrigin: true,
  maxTotal: true,
  maxWaiting: true,
  idleTimeoutMs: true,
};

const retryOptions: OptionNames<HttpRetryOptions> = {
  maxAttempts: true,
  baseMs: true,
  maxMs: true,
  maxRetryAfterMs: true,
  budget: true,
  statuses: true,
};

function originOf(text: string): string {
  const url = text === "*" ? undefined : URL.parse(text);
  if (text === "*" || url?.origin === text) return text;
  throw new ParleyError(
    "invalid_argument",
    `redirectOrigins: "${text}" is no origin, such as "https://files.example"`,
    {
      outcome: "not-sent",
    },
  );
}
