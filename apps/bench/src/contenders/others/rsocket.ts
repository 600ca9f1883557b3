import { type Payload as Message, type RSocket, RSocketConnector, RSocketServer } from "rsocket-core";
import { WebsocketClientTransport } from "rsocket-websocket-client";
import { WebsocketServerTransport } from "rsocket-websocket-server";
import { WebSocket, WebSocketServer } from "ws";
import { type Contender, check } from "../../contender.ts";
import { type StreamRequest, serialOf } from "../../payload.ts";
import { loopback, servingWs } from "../serving.ts";
import { checkItems, itemsOf } from "./items.ts";

/** Items that the calling side asks for at a time. */
const REQUESTED = 256;

/** rsocket-js over WebSocket: JSON in its frames, without metadata. */
export const rsocketWs: Contender = {
  async serve() {
    const server = new WebSocketServer({ ...loopback, perMessageDeflate: false });
    const transport = new WebsocketServerTransport({ wsCreator: () => server as never }); // of another version of the types
    const bound = new RSocketServer({ transport, acceptor: { accept: async () => responder } }).bind();
    const serving = await servingWs(server);
    await bound;
    return serving;
  },
  async connect(url) {
    // Node's own `WebSocket` is another library's; this one has the members that the transport uses.
    const wsCreator = () => new WebSocket(url, { perMessageDeflate: false }) as unknown as globalThis.WebSocket;
    const transport = new WebsocketClientTransport({ url, wsCreator });
    const remote = await new RSocketConnector({ transport }).connect();
    return {
      request(data) {
        return new Promise((resolve, reject) => {
          remote.requestResponse(written(data), {
            onNext: (answered) => {
              try {
                resolve(check("the reply's serial", serialOf(read(answered)), data.serial));
              } catch (error) {
                reject(error);
              }
            },
            onError: reject,
            onComplete: () => {},
            onExtension: () => {},
          });
        });
      },
      stream: (asked) => stream(remote, asked),
      close: async () => remote.close(),
    };
  },
};

const responder: Partial<RSocket> = {
  requestResponse(message, answer) {
    answer.onNext(written(read(message)), true);
    return { cancel: () => {}, onExtension: () => {} };
  },
  requestStream(message, initial, answer) {
    const asked = read(message) as StreamRequest;
    const items = itemsOf(asked);
    let requested = 0;
    let sent = 0;
    let cancelled = false;
    const request = (more: number): void => {
      requested += more;
      while (requested > 0 && sent < asked.items && !cancelled) {
        requested--;
        sent++;
        answer.onNext(written(items.next().value), sent === asked.items);
      }
    };
    request(initial);
    return {
      request,
      cancel: () => {
        cancelled = true;
      },
      onExtension: () => {},
    };
  },
};

function stream(remote: RSocket, asked: StreamRequest): Promise<void> {
  return new Promise((resolve, reject) => {
    const items = checkItems(asked);
    let taken = 0;
    const requester = remote.requestStream(written(asked), REQUESTED, {
      onNext(message, isComplete) {
        try {
          items.item(read(message));
          if (isComplete) resolve(items.end());
          else if (++taken % (REQUESTED / 2) === 0) requester.request(REQUESTED / 2);
        } catch (error) {
          reject(error);
        }
      },
      onError: reject,
      onComplete: () => reject(new Error("the stream ended early")),
      onExtension: () => {},
    });
  });
}

function written(data: unknown): Message {
  return { data: Buffer.from(JSON.stringify(data)) };
}

function read({ data }: Message): unknown {
  return JSON.parse(data?.toString() ?? "null");
}
