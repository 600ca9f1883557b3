import type { Socket } from "node:net";
import type { HttpSocket } from "./socket.ts";
import type { SocketOptions } from "./socket-options.ts";

/** Opens a socket to an origin, when something is sent on it. */
export type OpenSocket = (origin: string, options: SocketOptions) => HttpSocket;

/** Opens the connection beneath a socket; undici gives back what it opens, though its types do not say so. */
type Connector = (address: Address, done: (...result: [null, Socket] | [Error, null]) => void) => unknown;

/** Where undici connects to. */
interface Address {
  readonly hostname: string;
  readonly protocol: string;
  readonly port: string;
}

/** What is used of undici, which the transports bring along. */
export interface SocketLibrary {
  readonly Client: new (origin: string, options: Omit<SocketOptions, "connect"> & { connect: Connector }) => HttpSocket;
  readonly buildConnector: (options: SocketOptions["connect"]) => Connector;
}

const GIVEN_UP = new Error("the socket was given up before it was open");

/** Opens sockets with undici. One that is destroyed gives up a connection that is still being made, which undici alone waits for. */
export function socketOpener({ Client, buildConnector }: SocketLibrary): OpenSocket {
  return (origin, options) => {
    const connector = buildConnector(options.connect);
    let connecting: Socket | undefined;
    const connect: Connector = (address, done) => {
      connecting = connector(address, (...result) => {
        connecting = undefined;
        done(...result);
      }) as Socket;
    };
    const client = new Client(origin, { ...options, connect });
    return {
      dispatch: (request, handler) => client.dispatch(request, handler),
      destroy() {
        const destroyed = client.destroy();
        connecting?.destroy(GIVEN_UP);
        return destroyed;
      },
    };
  };
}
