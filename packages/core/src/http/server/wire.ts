import type { IncomingMessage } from "node:http";
import type { CallKind, CloseOptions, Envelope, Peer } from "../../transport/index.ts";
import type { Endpoint } from "./endpoint.ts";
import type { Exchange } from "./exchange.ts";
import type { Format } from "./format.ts";
import type { SingleMode, Target } from "./intake.ts";
import type { AnswerStream, OutputInit } from "./output.ts";

/** What is particular to one wire among those that share HTTP. */
export interface Wire {
  /** Name of the transport, for the handler's `context.peer`. */
  readonly transport: string;
  /** What the answer to a handshake says beside what every hop says. */
  readonly offer: object;
  /** How the answer to a call is written. */
  formatOf(exchange: Exchange, mode: SingleMode, kind: CallKind): Format;
  /** Makes the answer of a stream, where it is not simply written. */
  stream?(
    endpoint: Endpoint,
    exchange: Exchange,
    items: AsyncIterable<Envelope>,
    init: OutputInit,
  ): AnswerStream | undefined;
  /** Takes a stream of events, the first of which opens a call of this type. @param taken called once, when it is a call or has come to nothing. */
  upload?(endpoint: Endpoint, exchange: Exchange, type: string, taken: () => void): void;
  /** Takes a request at the address itself, with several messages. */
  batch?(endpoint: Endpoint, exchange: Exchange, mode: "batch" | "upload"): void;
  /** Answers a GET that asks for a stream. */
  read?(endpoint: Endpoint, exchange: Exchange, target: Target | undefined, query: string): void;
  /** Takes a request of its own at an operation. Returns whether it does. */
  post?(endpoint: Endpoint, exchange: Exchange, target: Target): boolean;
  /** Who calls, if more is known than the socket tells. */
  peer?(endpoint: Endpoint, request: IncomingMessage): Peer | undefined;
  /** No new calls are taken; resolves when what the wire does beside them is over. */
  drain?(options: CloseOptions): Promise<void>;
  /** The endpoint is closed. */
  close?(): void;
}
