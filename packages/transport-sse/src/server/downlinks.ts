import type { IncomingMessage } from "node:http";
import {
  type Endpoint,
  type Exchange,
  misplaced,
  type Refusal,
  readText,
  refusalOf,
  refuseExchange,
  respond,
} from "@parley/core/http";
import { type CloseOptions, ParleyError, type Peer, toParleyError } from "@parley/core/transport";
import { SESSION_HEADER } from "../channel-type.ts";
import { Downlink } from "./downlink.ts";

/** Downlinks of one listener. */
const MAX_DOWNLINKS = 10_000;

/** The channels over which those who dialled can be called. */
export class Downlinks {
  readonly #newId: () => string;
  readonly #all = new Map<string, Downlink>();

  /** @param newId makes names that nobody guesses. */
  constructor(newId: () => string) {
    this.#newId = newId;
  }

  /** Answers the request that opens one. */
  open(endpoint: Endpoint, exchange: Exchange): void {
    if (endpoint.closing) return refuseExchange(endpoint, exchange, refusalOf(endpoint.fullness() as ParleyError));
    if (this.#all.size >= MAX_DOWNLINKS) {
      const error = new ParleyError("resource_exhausted", `at most ${MAX_DOWNLINKS} channels are open here at a time`, {
        outcome: "not-sent",
      });
      return refuseExchange(endpoint, exchange, refusalOf(error));
    }
    const downlink = new Downlink(this.#newId(), endpoint, exchange);
    this.#all.set(downlink.session, downlink);
    downlink.connection.closed.then(() => this.#all.delete(downlink.session));
  }

  /** Takes a request with frames of the other side, an event a line. */
  take(endpoint: Endpoint, exchange: Exchange): void {
    endpoint.read(exchange, (taken) => ({
      complete: (body) => {
        taken();
        try {
          const downlink = this.#of(endpoint, exchange.request);
          if (!downlink) return refuseExchange(endpoint, exchange, refusalOf(unknown()));
          downlink.take(readText(body).split("\n"));
          respond(endpoint, exchange, { status: 202, headers: [], body: "" });
        } catch (thrown) {
          refuseExchange(endpoint, exchange, refusalOf(toParleyError(thrown)));
        }
      },
      refused: (refusal) => {
        taken();
        refuseExchange(endpoint, exchange, refusal);
      },
      lost: taken,
    }));
  }

  /** Who sent a request, if it names a channel of its sender. */
  peer(endpoint: Endpoint, request: IncomingMessage): Peer | undefined {
    return this.#of(endpoint, request)?.peer;
  }

  async close(options: CloseOptions): Promise<void> {
    await Promise.all([...this.#all.values()].map(({ connection }) => connection.close(options)));
  }

  /** A name counts in the hands of the one who was given it. */
  #of(endpoint: Endpoint, { headers, socket }: IncomingMessage): Downlink | undefined {
    const name = headers[SESSION_HEADER];
    if (typeof name !== "string") return undefined;
    const downlink = this.#all.get(name);
    return downlink?.peer.principal === endpoint.peers.of(socket).peer.principal ? downlink : undefined;
  }
}

/** What is not what comes up a channel. */
export const NO_FRAMES: Refusal = misplaced("a channel takes events in lines, and is opened by GET");

function unknown(): ParleyError {
  return new ParleyError("not_found", "no channel of this caller is open here by this name", { outcome: "rejected" });
}
