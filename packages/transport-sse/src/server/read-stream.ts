import {
  type Endpoint,
  type Exchange,
  type Refusal,
  refusalOf,
  refuseExchange,
  respond,
  serveCall,
  streamHead,
  type Target,
} from "@parley/core/http";
import { type CallKind, checkFilter, createEnvelope, ParleyError, toParleyError } from "@parley/core/transport";
import { EVENT_STREAM, OVER, positionText, readPosition } from "../event-stream.ts";
import { plainStreamFormat } from "./event-format.ts";
import { mergedFilters } from "./merged-filters.ts";
import type { ReplayBook } from "./replay-book.ts";

/** Filters of one stream. */
const MAX_FILTERS = 64;

/** Type of a subscription that names no operation. */
const ANY_TOPIC = "parley.topics.v1";

/** A GET that asks for a stream. */
export interface StreamRequest {
  readonly endpoint: Endpoint;
  readonly book: ReplayBook;
  readonly exchange: Exchange;
  readonly target: Target | undefined;
  readonly query: string;
}

/**
 * Answers a GET, as an EventSource makes it: with `Last-Event-ID`, the rest of the stream that has this id, or why there is none; otherwise
 * with a new subscription to all the topics in the query.
 */
export function readStream(asked: StreamRequest): void {
  const { endpoint, exchange } = asked;
  const { "last-event-id": last } = exchange.request.headers;
  if (last !== undefined && last !== "") return goOn(asked, last as string);
  const full = endpoint.fullness();
  if (full) return refuseExchange(endpoint, exchange, refusalOf(full));
  try {
    subscribe(asked);
  } catch (thrown) {
    refuseExchange(endpoint, exchange, refusalOf(toParleyError(thrown)));
  }
}

/** An image or a script of some page asks for something else. */
export const NOT_ACCEPTED: Refusal = {
  status: 406,
  error: new ParleyError("invalid_argument", `a stream is read with accept: ${EVENT_STREAM}`, { outcome: "not-sent" }),
};

function goOn({ endpoint, book, exchange }: StreamRequest, last: string): void {
  const position = readPosition(last);
  if (position && position.items === undefined) {
    // Whoever knows that it is over, and asks again, is an EventSource, which 204 stops.
    return respond(endpoint, exchange, { status: 204, headers: [], body: undefined });
  }
  const { principal } = endpoint.peers.of(exchange.request.socket).peer;
  const found = position && book.find(position.session, principal);
  if (position?.items !== undefined && found?.attach(exchange, position.items)) return;
  // The handler goes on for nobody: whoever comes back starts anew.
  found?.drop();
  streamHead(endpoint, exchange, EVENT_STREAM);
  const lost = new ParleyError(
    "data_loss",
    found
      ? "what came after this event is no longer kept here; open the stream anew"
      : "this stream is not, or no longer, known here; open it anew",
    { outcome: "unknown" },
  );
  const opener = { id: position?.session ?? OVER, type: ANY_TOPIC };
  const fault = plainStreamFormat.failure(lost, opener, endpoint.source, 1);
  exchange.response.end(`id: ${positionText(position?.session ?? "x", OVER)}\n${fault}\n`);
}

function subscribe({ endpoint, exchange, target, query }: StreamRequest): void {
  const filters = new URLSearchParams(query).getAll("topic").map((filter) => checkFilter(filter));
  const [subject] = filters;
  if (subject === undefined || filters.length > MAX_FILTERS) {
    throw new ParleyError(
      "invalid_argument",
      `say what to subscribe to, at most ${MAX_FILTERS} filters: ?topic=agents/%2B/status&topic=news/%23`,
      { outcome: "not-sent" },
    );
  }
  const kind: CallKind = "subscribe";
  const message = createEnvelope(
    { type: target?.named ?? ANY_TOPIC, kind, source: "/anonymous", subject },
    endpoint.runtime,
  );
  const { runtime, handler } = endpoint;
  serveCall(endpoint, exchange, {
    message,
    kind,
    foreign: true,
    format: plainStreamFormat,
    ...(filters.length > 1 ? { handler: mergedFilters(filters, handler, runtime) } : {}),
  });
}
