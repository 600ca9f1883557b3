import type { IncomingMessage, ServerResponse } from "node:http";
import { type CallKind, type Envelope, type Handler, type ItemQueue, report } from "../../transport/index.ts";
import type { Desk } from "./desk.ts";
import { EarlyOutlet } from "./early-outlet.ts";
import type { Format } from "./format.ts";
import { ResponseOutlet } from "./outlet.ts";
import { answerOf, type Refusal } from "./refusal.ts";
import { isArriving, respond } from "./response.ts";
import { ServedCall } from "./served-call.ts";
import type { UplinkInput } from "./uplink-input.ts";

/** How long a refusal on the way out waits for the body of what it refuses. */
const LAST_BODY_MS = 100;

/** A request and the response to it. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

/** A message that opens a call, and how it is to be answered. */
export interface Opening {
  readonly message: Envelope;
  readonly kind: CallKind;
  readonly format: Format;
  /** The caller sent no CloudEvent. */
  readonly foreign: boolean;
  /** Answers instead of the desk's. */
  readonly handler?: Handler | undefined;
  readonly input?: ItemQueue<Envelope> | undefined;
  /** Where the rest of the caller's messages comes in, when it comes by requests of its own. */
  readonly uplink?: UplinkInput | undefined;
}

/** Serves a call whose answer is the response. The caller's leaving, which closes the response, cancels it. */
export function serveCall(desk: Desk, exchange: Exchange, opening: Opening): ServedCall {
  const { request, response } = exchange;
  const { message, kind, format, foreign, uplink, handler = desk.handler, input = uplink?.queue } = opening;
  const outlet = new ResponseOutlet(desk, exchange, format, message);
  const served = new ServedCall(desk, {
    kind,
    message,
    input,
    context: desk.contextOf(request, foreign),
    outlet: uplink ? new EarlyOutlet(desk, exchange, format, message, outlet) : outlet,
    stream: (items, owner) =>
      desk.stream(exchange, items, {
        format,
        opener: message,
        headAtOnce: kind !== "server-stream",
        acceptance: uplink !== undefined,
        owner,
      }),
  });
  if (uplink) {
    uplink.serves(served);
    desk.uplinks.add(uplink);
    response.on("close", () => desk.uplinks.delete(uplink));
  }
  if (!served.run(handler)) response.on("close", () => served.hungUp());
  return served;
}

/** Turns a request away, reading on for a while if its body is still coming. */
export function refuseExchange(desk: Desk, exchange: Exchange, refusal: Refusal): void {
  desk.refused();
  const { request, response } = exchange;
  const { error, status } = refusal;
  const fields = { status, address: desk.peers.of(request.socket).peer.address };
  report(desk.log, error, { level: "warn", event: "request-refused", message: error.message, fields });
  const answer = (): void => {
    if (!response.destroyed && !response.headersSent) respond(desk, exchange, answerOf(refusal));
  };
  if (!desk.closing || !isArriving(request)) return answer();
  // Once the body is there, the answer can say that the connection ends with it, and no caller writes to one that is just being closed.
  const cancelTimer = desk.runtime.setTimer(answer, LAST_BODY_MS);
  request.once("end", () => {
    cancelTimer();
    answer();
  });
  request.once("close", cancelTimer);
  request.resume();
}
