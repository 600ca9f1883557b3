import type { Socket } from "node:net";
import { type Client, connectivityState, Metadata, type ServiceError } from "@grpc/grpc-js";
import type { ClientState } from "@parley/core/transport";
import type { DialOptions } from "../options.ts";
import { asBytes, EMPTY } from "../wire/methods.ts";
import { errorOf } from "../wire/status.ts";
import { clientOf } from "./client-of.ts";
import { neverLeaving } from "./leaving.ts";

/** gRPC's client for one address, with what it does not tell by itself. */
export interface Line {
  readonly client: Client;
  readonly state: ClientState;
  /** Tells of each change of state from now on; gives back what takes the listener off again. */
  onState(listener: (state: ClientState) => void): () => void;
  /** Whether there ever was a connection: without one nothing was sent. */
  wasReady(): boolean;
  /**
   * Connects, if it is not connected; nothing is sent. The end of one attempt decides, unless the signal is aborted before.
   * @throws ParleyError `unavailable`, `not-sent`, that says why
   */
  ready(signal: AbortSignal): Promise<void>;
  /** Lets calls under way end, then the connection; one that never came about is cut at once. May be called twice. */
  close(): void;
}

/** Prepares a line. @throws ParleyError `invalid_argument` for what cannot be dialled at all */
export function lineOf(url: URL, options: DialOptions): Line {
  const sockets = new Set<Socket>();
  const listeners = new Set<(state: ClientState) => void>();
  let state: ClientState = "idle";
  let ready = false;
  const client = clientOf(url, options, (socket) => {
    if (state === "closed") return void socket.destroy();
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  const channel = client.getChannel();
  const become = (next: ClientState): void => {
    if (next === state) return;
    state = next;
    for (const listener of [...listeners]) listener(next);
  };
  const watch = (): void => {
    if (state === "closed") return;
    const now = channel.getConnectivityState(false);
    ready ||= now === connectivityState.READY;
    become(stateOf(now, ready));
    channel.watchConnectivityState(now, Number.POSITIVE_INFINITY, watch);
  };
  watch();
  return {
    client,
    get state() {
      return state;
    },
    onState(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    wasReady: () => ready,
    ready: (signal) => connected(client, signal),
    close() {
      if (state === "closed") return;
      become("closed");
      client.close();
      // gRPC would wait for good for a peer that has accepted the connection and says nothing.
      if (!ready) for (const socket of sockets) socket.destroy();
    },
  };
}

/** A connection that was lost when nobody used it is made again when somebody does. */
function stateOf(connectivity: connectivityState, wasReady: boolean): ClientState {
  switch (connectivity) {
    case connectivityState.READY:
      return "open";
    case connectivityState.IDLE:
      return "idle";
    case connectivityState.SHUTDOWN:
      return "closed";
    default:
      return wasReady ? "reconnecting" : "connecting";
  }
}

/** gRPC says why a connection failed to those only who make a call; this one is not sent. */
function connected(client: Client, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    let reached = false;
    const cancel = (): void => probe.cancel();
    const answered = (status: ServiceError | null): void => {
      signal.removeEventListener("abort", cancel);
      if (status && !reached) reject(errorOf(status, false));
      else resolve();
    };
    const credentials = neverLeaving(() => {
      reached = true;
      probe.cancel();
    });
    const probe = client.makeUnaryRequest("/", asBytes, asBytes, EMPTY, new Metadata(), { credentials }, answered);
    signal.addEventListener("abort", cancel);
    if (signal.aborted) probe.cancel();
  });
}
