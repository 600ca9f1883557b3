import type { Socket } from "node:net";
import { type Channel, codes, type OpenChannel } from "@parley/core/transport";
import type { RawData, WebSocket } from "ws";
import { HIGH_WATER_BYTES } from "./call-options.ts";
import { closeCause, closeReason } from "./close-code.ts";
import { eventsOf, toFrames } from "./subprotocols.ts";

/**
 * Ties an open WebSocket to calls. A text frame is one event or several, as its subprotocol says; what is written together leaves in one write.
 * `socket` is the TCP (or TLS) socket below it.
 */
export function socketChannel(webSocket: WebSocket, socket: Socket): OpenChannel {
  return (events) => {
    let failure: Error | undefined;
    let full = false;
    let closing = false;

    webSocket.on("message", (data: RawData, isBinary: boolean) => {
      if (isBinary) webSocket.close(codes.unimplemented.websocket, "unimplemented: events are text frames here");
      else for (const event of eventsOf(data.toString(), webSocket.protocol)) events.frame(event);
    });
    webSocket.on("error", (error) => {
      failure = error;
    });
    webSocket.on("close", (code, reason) => events.closed(failure ?? closeCause(code, reason.toString())));
    socket.on("drain", () => {
      if (!full || webSocket.bufferedAmount > HIGH_WATER_BYTES) return;
      full = false;
      events.drain();
    });

    const channel: Channel = {
      write(frames) {
        socket.cork();
        for (const frame of toFrames(frames, webSocket.protocol)) webSocket.send(frame);
        socket.uncork();
        full = webSocket.bufferedAmount > HIGH_WATER_BYTES;
        return !full;
      },
      close(reason) {
        if (reason && closing) webSocket.terminate();
        else if (reason) webSocket.close(codes[reason.code].websocket, closeReason(reason));
        // ws bounds a closing handshake by time, which a slow reader may need for what was written before.
        else socket.write("", () => webSocket.close(codes.cancelled.websocket));
        closing = true;
      },
    };
    return channel;
  };
}
