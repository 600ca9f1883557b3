import { agent, certificate, serve } from "@parley/core";
import { HttpClient, http } from "@parley/transport-http";
import { SseClient, sse } from "@parley/transport-sse";
import { WebSocketClient, ws } from "@parley/transport-ws";
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

/** Clients that need Node: what they are given is refused with the reason. */
export function notHere(): void {
  // @ts-expect-error it does not run in a browser
  new HttpClient({ baseUrl: "https://api.example" });
  // @ts-expect-error it does not run in a browser
  new SseClient({ url: "https://api.example/news" });
  // @ts-expect-error it does not run in a browser
  new WebSocketClient({ url: "wss://api.example" });
}

/** What they take. */
export function taken(): void {
  http({ headers: { "x-tenant": "a" }, batch: true });
  sse({ resumeWindowMs: 1_000 });
  ws({ resumeWindowMs: 1_000, heartbeatMs: 5_000 });
  certificate({});
}
