import type { Code } from "../call/code.ts";
import { errorFor, type ParleyError, toParleyError } from "../call/error.ts";
import { toBase64 } from "../envelope/base64.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { bearerCredential } from "./bearer.ts";
import type { Token } from "./token-cache.ts";

/** A request for a token. */
export interface TokenRequest {
  readonly url: URL;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly form: Readonly<Record<string, string>>;
  readonly by: "basic" | "body";
  readonly timeoutMs: number;
  readonly fetch: typeof globalThis.fetch;
  readonly runtime: Runtime;
}

/** How long a token is taken to last when the server does not say, ms. */
const UNSAID_LIFETIME_MS = 300_000;
/** What is read of an answer. */
const MAX_ANSWER_BYTES = 64 * 1024;

/** What the errors of RFC 6749 (5.2) come to; others go by their status. */
const codesByError: Readonly<Record<string, Code>> = {
  invalid_client: "unauthenticated",
  invalid_grant: "unauthenticated",
  unauthorized_client: "permission_denied",
  access_denied: "permission_denied",
  invalid_scope: "permission_denied",
  invalid_target: "permission_denied",
  invalid_request: "failed_precondition",
  unsupported_grant_type: "failed_precondition",
};

/** Asks for a token once. @throws ParleyError outcome `not-sent`, without anything that the server wrote but the name of its error */
export async function requestToken(request: TokenRequest): Promise<Token> {
  const { url, runtime, timeoutMs } = request;
  const giveUp = new AbortController();
  const cancelTimer = runtime.setTimer(() => giveUp.abort(), timeoutMs);
  try {
    const { status, retryAfterMs, body } = await ask(request, giveUp.signal);
    if (status === 200) return readToken(body, url);
    throw refusal(status, body, retryAfterMs, url);
  } catch (thrown) {
    if (giveUp.signal.aborted) throw failed("unavailable", url, `did not answer within ${timeoutMs} ms`);
    throw thrown;
  } finally {
    cancelTimer();
    // What was not read is not waited for.
    giveUp.abort();
  }
}

interface Answer {
  readonly status: number;
  readonly retryAfterMs: number | undefined;
  /** What is JSON in it. */
  readonly body: Readonly<Record<string, unknown>>;
}

async function ask(
  { url, clientId, clientSecret, form, by, fetch }: TokenRequest,
  signal: AbortSignal,
): Promise<Answer> {
  const body = new URLSearchParams({ ...form, grant_type: "client_credentials" });
  const headers: Record<string, string> = {
    "content-type": "application/x-www-form-urlencoded",
    accept: "application/json",
  };
  if (by === "basic")
    headers["authorization"] = `Basic ${toBase64(utf8(`${encoded(clientId)}:${encoded(clientSecret)}`))}`;
  else {
    body.set("client_id", clientId);
    body.set("client_secret", clientSecret);
  }
  // A redirect would take the secret elsewhere.
  const init = { method: "POST", headers, body: body.toString(), redirect: "manual", signal } as const;
  const response = await fetch(url, init).catch((cause: unknown) => {
    throw failed("unavailable", url, "cannot be reached", { cause });
  });
  const seconds = Number(response.headers.get("retry-after") ?? Number.NaN);
  return {
    status: response.status,
    retryAfterMs: seconds >= 0 ? seconds * 1_000 : undefined,
    body: readJson(await readText(response, url)),
  };
}

async function readText({ body }: Response, url: URL): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  try {
    for await (const chunk of body ?? []) {
      bytes += chunk.length;
      if (bytes > MAX_ANSWER_BYTES)
        throw failed("unavailable", url, `answered with more than ${MAX_ANSWER_BYTES} bytes, which is no token`);
      text += decoder.decode(chunk, { stream: true });
    }
  } catch (thrown) {
    const error = toParleyError(thrown);
    throw error.code === "internal" ? failed("unavailable", url, "broke off its answer", { cause: thrown }) : error;
  }
  return text;
}

function readJson(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

/** RFC 6749, 5.1. */
function readToken(body: Readonly<Record<string, unknown>>, url: URL): Token {
  const { access_token: token, token_type: type, expires_in: seconds } = body;
  if (typeof token !== "string") throw failed("unavailable", url, "answered 200 without an access_token; is it one?");
  if (typeof type === "string" && type.toLowerCase() !== "bearer")
    throw failed("failed_precondition", url, "gives tokens of another type than Bearer");
  // Some servers write numbers as text.
  const lifetime = Number(seconds ?? Number.NaN) * 1_000;
  return {
    credential: bearerCredential("oauth2", token),
    lifetimeMs: Number.isNaN(lifetime) ? UNSAID_LIFETIME_MS : lifetime,
  };
}

function refusal(
  status: number,
  { error }: Readonly<Record<string, unknown>>,
  retryAfterMs: number | undefined,
  url: URL,
): ParleyError {
  // Its description is not repeated: it may hold what was sent.
  const named = typeof error === "string" && Object.hasOwn(codesByError, error) ? error : undefined;
  const code = (named === undefined ? undefined : codesByError[named]) ?? codeOfStatus(status);
  const redirect = status >= 300 && status < 400 ? ": a redirect, which is not followed" : "";
  const says = named === undefined ? redirect : ` (${named}): ${advice[code] ?? "check the options of oauth2()"}`;
  return failed(code, url, `answered ${status}${says}`, { retryAfterMs });
}

const advice: Partial<Record<Code, string>> = {
  unauthenticated: "check clientId, clientSecret and clientAuthentication",
  permission_denied: "check the scope, and what the client may have",
};

function codeOfStatus(status: number): Code {
  if (status === 401) return "unauthenticated";
  if (status === 403) return "permission_denied";
  if (status === 400 || status === 404 || status === 405) return "failed_precondition";
  return "unavailable";
}

function failed(
  code: Code,
  { host, pathname }: URL,
  what: string,
  options: { readonly cause?: unknown; readonly retryAfterMs?: number | undefined } = {},
): ParleyError {
  return errorFor(code, `the token endpoint ${host}${pathname} ${what}`, { ...options, outcome: "not-sent" });
}

/** RFC 6749, 2.3.1: each half is encoded as a form's value. */
function encoded(text: string): string {
  return new URLSearchParams([["", text]]).toString().slice(1);
}

function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
