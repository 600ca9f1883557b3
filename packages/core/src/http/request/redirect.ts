import { isRedirect } from "../wire/status.ts";
import type { HttpResponse } from "./http-response.ts";

/** Where a redirect leads, and how the request goes on there. */
export interface Redirect {
  readonly url: URL;
  readonly method: string;
  /** Whether the body goes along. */
  readonly keepsBody: boolean;
}

/** Headers that say nothing of who asks: what goes along to another origin. */
const ANONYMOUS = new Set([
  "accept",
  "accept-encoding",
  "accept-language",
  "cache-control",
  "content-encoding",
  "content-language",
  "content-length",
  "content-type",
  "if-modified-since",
  "if-none-match",
  "range",
  "user-agent",
]);

/** Headers that belong to a body. */
const OF_BODY = ["content-encoding", "content-language", "content-length", "content-location", "content-type"];

/** Reads a redirect (RFC 9110, 15.4); undefined where the answer is none, or leads nowhere. */
export function redirectOf({ status, headers }: HttpResponse, method: string, from: URL): Redirect | undefined {
  const location = isRedirect(status) ? headers.get("location") : null;
  if (location === null) return undefined;
  // What is beyond ASCII in it is UTF-8 as a rule; undici hands over the bytes.
  const url = URL.parse(Buffer.from(location, "latin1").toString("utf8"), from.href);
  if (!url || (url.protocol !== "http:" && url.protocol !== "https:")) return undefined;
  if (url.username !== "" || url.password !== "") return undefined;
  url.hash = "";
  const becomesGet = (status === 303 && method !== "HEAD") || ((status === 301 || status === 302) && method === "POST");
  return becomesGet ? { url, method: "GET", keepsBody: false } : { url, method, keepsBody: true };
}

/** Takes away what says who asks, or what belongs to the body of another origin's request. */
export function anonymize(headers: Headers): void {
  for (const name of [...headers.keys()]) if (!ANONYMOUS.has(name)) headers.delete(name);
}

/** Takes away what belongs to a body. */
export function withoutBody(headers: Headers): void {
  for (const name of OF_BODY) headers.delete(name);
}
