import type { IncomingMessage, ServerResponse } from "node:http";

/** Whether the page that sent the request may: on the list, or from this server itself. */
export function isAllowedOrigin(origin: string, host: string | undefined, allowed: readonly string[]): boolean {
  return (
    allowed.includes(origin) || (host !== undefined && (origin === `http://${host}` || origin === `https://${host}`))
  );
}

/** Lets a page of an allowed origin read the answer (Fetch standard, 3.2.3). Others get no such header, and their browsers keep the answer from them. */
export function grantOrigin({ headers }: IncomingMessage, response: ServerResponse, allowed: readonly string[]): void {
  const { origin } = headers;
  if (allowed.length > 0) response.setHeader("Vary", "Origin");
  if (origin === undefined || !allowed.includes(origin)) return;
  response.setHeader("Access-Control-Allow-Origin", origin);
  // What callers read beside the body, and pages not unless they are let (3.2.6).
  response.setHeader("Access-Control-Expose-Headers", "Retry-After");
}

/** Headers that answer a browser asking whether a page may call. */
export function preflightHeaders({ headers }: IncomingMessage, methods: string): readonly string[] {
  const wanted = headers["access-control-request-headers"];
  return [
    "Access-Control-Allow-Methods",
    methods,
    ...(wanted === undefined ? [] : ["Access-Control-Allow-Headers", wanted]),
    "Access-Control-Max-Age",
    "600",
  ];
}
