import { agent, certificate, serve } from "@parley/core";
import { http } from "@parley/transport-http";
import { sse } from "@parley/transport-sse";
import { ws } from "@parley/transport-ws";
import { lab } from "../src/contract.ts";

/** What the types of the browser's side do not take: compiled, never run. */
export function refused(): void {
  // @ts-expect-error a browser verifies certificates by itself
  ws({ tls: {} });
  // @ts-expect-error a page sets no headers on a WebSocket
  ws({ headers: { "x-tenant": "a" } });
  // @ts-expect-error a page does not listen
  sse({ allowedOrigins: [] });
  // @ts-expect-error a page does not listen
  http({ maxConnections: 1 });
  // @ts-expect-error a page does not listen
  ws().listen;
  // @ts-expect-error a page does not listen
  void serve(agent(lab, {}), "ws://127.0.0.1:0", { transports: [ws()] });
}

/** What they take. */
export function taken(): void {
  http({ headers: { "x-tenant": "a" }, batch: true });
  sse({ resumeWindowMs: 1_000 });
  ws({ resumeWindowMs: 1_000, heartbeatMs: 5_000 });
  certificate({});
}
