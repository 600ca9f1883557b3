import {
  type CancelTimer,
  type Channel,
  codes,
  type OpenChannel,
  ParleyError,
  type Runtime,
} from "@parley/core/transport";
import { CLOSE_TIMEOUT_MS, HIGH_WATER_BYTES } from "../call-options.ts";
import { closeCause, closeReason } from "../close-code.ts";
import { eventsOf, toFrames } from "../subprotocols.ts";

/** How often a full WebSocket is looked at: it does not tell when there is room again. */
const DRAIN_CHECK_MS = 20;

/** Ties an open WebSocket of the browser to calls. A text frame is one event or several, as its subprotocol says. */
export function webSocketChannel(webSocket: WebSocket, runtime: Runtime): OpenChannel {
  return (events) => {
    let over = false;
    let closing = false;
    /** What of the peer's cannot be taken. */
    let problem: ParleyError | undefined;
    let cancelDrainCheck: CancelTimer | undefined;
    let cancelCloseTimer: CancelTimer | undefined;

    const ended = (cause: unknown): void => {
      if (over) return;
      over = true;
      webSocket.onmessage = null;
      webSocket.onclose = null;
      cancelDrainCheck?.();
      cancelCloseTimer?.();
      events.closed(cause);
    };
    const checkDrain = (): void => {
      cancelDrainCheck = undefined;
      if (webSocket.bufferedAmount > HIGH_WATER_BYTES) watchDrain();
      else events.drain();
    };
    const watchDrain = (): void => {
      cancelDrainCheck ??= runtime.setTimer(checkDrain, DRAIN_CHECK_MS);
    };

    webSocket.onmessage = ({ data }: { readonly data: unknown }) => {
      if (typeof data === "string") {
        for (const event of eventsOf(data, webSocket.protocol)) events.frame(event);
        return;
      }
      problem = new ParleyError("unimplemented", "events are text frames here", { outcome: "unknown" });
      channel.close(problem);
    };
    webSocket.onclose = ({ code, reason }) => ended(problem ?? closeCause(code, reason));

    const channel: Channel = {
      write(frames) {
        for (const frame of toFrames(frames, webSocket.protocol)) webSocket.send(frame);
        const full = webSocket.bufferedAmount > HIGH_WATER_BYTES;
        if (full) watchDrain();
        return !full;
      },
      close(reason) {
        if (reason && closing) return ended(reason);
        closing = true;
        if (!reason) return webSocket.close(codes.cancelled.websocket);
        webSocket.close(closeCode(reason), closeReason(reason));
        // The browser waits longer for a peer that does not answer.
        cancelCloseTimer = runtime.setTimer(() => ended(reason), CLOSE_TIMEOUT_MS);
      },
    };
    return channel;
  };
}

/** Of the codes of RFC 6455, 7.4, pages send 1000 and those of applications alone; the reason has the name, as ever. */
function closeCode({ code }: ParleyError): number {
  return code === "cancelled" ? codes.cancelled.websocket : 4_000 + codes[code].http;
}
