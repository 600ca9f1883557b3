import { type Endpoint, type Exchange, encodingOf, streamHead } from "@parley/core/http";
import {
  acceptChannel,
  type Channel,
  type ChannelEvents,
  type Connection,
  type ParleyError,
  type Peer,
} from "@parley/core/transport";
import { CHANNEL_WINDOW } from "../channel-type.ts";
import { EVENT_STREAM, positionText } from "../event-stream.ts";

/** Calls from this side to one that dialled: its frames leave as events of a response, those of the other side come by requests. */
export class Downlink implements Channel {
  readonly session: string;
  readonly connection: Connection;
  /** Who calls on requests that name this channel, and can be called. */
  readonly peer: Peer;
  readonly #exchange: Exchange;
  #events: ChannelEvents | undefined;

  constructor(session: string, endpoint: Endpoint, exchange: Exchange) {
    const { peer } = endpoint.peers.of(exchange.request.socket);
    const { limits, heartbeatMs } = endpoint.hop;
    this.session = session;
    this.#exchange = exchange;
    streamHead(endpoint, exchange, EVENT_STREAM, `id: ${positionText(session, 0)}\n\n`);
    const { response } = exchange;
    this.connection = acceptChannel(
      (events) => {
        this.#events = events;
        return this;
      },
      {
        transport: endpoint.wire.transport,
        address: peer.address,
        principal: peer.principal,
        limits: { ...limits, ...CHANNEL_WINDOW },
        heartbeatMs,
        log: endpoint.log,
        runtime: endpoint.runtime,
      },
    );
    this.peer = { ...peer, invoke: this.connection.call };
    response.on("drain", () => this.#events?.drain());
    response.on("error", () => {});
    response.on("close", () => this.#events?.closed());
  }

  /** Takes frames of the other side. */
  take(frames: readonly string[]): void {
    for (const frame of frames) this.#events?.frame(frame);
  }

  write(frames: readonly string[]): boolean {
    const { response } = this.#exchange;
    if (response.destroyed) return false;
    const text = frames.map((frame) => `data: ${frame}\n\n`).join("");
    return response.write(text, encodingOf(text, Buffer.byteLength(text)));
  }

  close(reason?: ParleyError): void {
    const { response } = this.#exchange;
    if (reason) response.destroy();
    else response.end();
  }
}
