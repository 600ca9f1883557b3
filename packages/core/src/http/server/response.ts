import type { IncomingMessage } from "node:http";
import type { Desk } from "./desk.ts";
import type { Exchange } from "./exchange.ts";

/** What is still taken, and thrown away, of a body that came to nothing. */
const MAX_BYTES = 8 * 1024 * 1024;
const MAX_MS = 2_000;

/** Whether more of the body is to come. Node calls even a request without one incomplete while its head is looked at. */
export function isArriving({ complete, headers }: IncomingMessage): boolean {
  return !complete && (headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > 0);
}

/**
 * Sends the head of an answer. On the way out it says that the connection ends with it (RFC 9112, 9.6); but never while the request is
 * still arriving, because Node then closes the socket at once, which resets it and loses the answer on its way.
 */
export function writeHead(desk: Desk, exchange: Exchange, status: number, headers: readonly string[]): void {
  const { request, response } = exchange;
  if (isArriving(request)) response.shouldKeepAlive = request.httpVersion !== "1.0";
  else if (desk.closing) response.shouldKeepAlive = false;
  response.writeHead(status, headers as string[]);
}

/** Prepares the head of a stream's answer, which leaves with the first text. */
export function writeStreamHead(desk: Desk, exchange: Exchange, type: string): void {
  writeHead(desk, exchange, 200, ["Content-Type", type, "Cache-Control", "no-store", "X-Accel-Buffering", "no"]);
}

/** Sends the head of a stream's answer at once, together with its first text if there is one. */
export function streamHead(desk: Desk, exchange: Exchange, type: string, first: string = ""): void {
  writeStreamHead(desk, exchange, type);
  if (first === "") exchange.response.flushHeaders();
  else exchange.response.write(first);
}

/** A whole answer. */
export interface Answer {
  readonly status: number;
  /** Flat: name, value, name, value. */
  readonly headers: readonly string[];
  /** Without one, the answer has no length either (of a 204: RFC 9110, 8.6). */
  readonly body: string | Uint8Array | undefined;
}

/** Sends a whole answer. */
export function respond(desk: Desk, exchange: Exchange, { status, headers, body }: Answer): void {
  if (body === undefined) {
    writeHead(desk, exchange, status, headers);
    return endResponse(desk, exchange);
  }
  const bytes = Buffer.byteLength(body);
  writeHead(desk, exchange, status, [...headers, "Content-Length", String(bytes)]);
  endResponse(desk, exchange, body, encodingOf(body, bytes));
}

/** Text of one byte a character leaves twice as fast as Latin-1, which it then is too. */
export function encodingOf(text: string | Uint8Array, bytes: number): "latin1" | "utf8" {
  return text.length === bytes ? "latin1" : "utf8";
}

/** Ends an answer. If it came before the end of the request's body, reading goes on for a while. */
export function endResponse(
  desk: Desk,
  exchange: Exchange,
  body?: string | Uint8Array,
  encoding: "latin1" | "utf8" = "utf8",
): void {
  const { request, response } = exchange;
  response.end(body, encoding);
  if (isArriving(request)) linger(desk, exchange);
  else if (desk.closing && response.shouldKeepAlive) endSocket(exchange);
}

function linger(desk: Desk, exchange: Exchange): void {
  const { request } = exchange;
  const { socket } = request;
  if (socket.destroyed) return;
  let left = MAX_BYTES;
  const cancelTimer = desk.runtime.setTimer(() => socket.destroy(), MAX_MS);
  request.on("data", (chunk: Buffer) => {
    left -= chunk.length;
    if (left < 0) socket.destroy();
  });
  request.on("end", () => {
    cancelTimer();
    socket.off("close", cancelTimer);
    if (desk.closing || /\bclose\b/i.test(request.headers.connection ?? "")) endSocket(exchange);
  });
  request.on("error", () => {});
  // Node has let go of the request, so that only the socket tells when the caller leaves.
  socket.on("close", cancelTimer);
  request.resume();
}

/** Closes the connection after the answer. */
function endSocket({ request, response }: Exchange): void {
  if (response.writableFinished) request.socket.end();
  else response.once("finish", () => request.socket.end());
}
