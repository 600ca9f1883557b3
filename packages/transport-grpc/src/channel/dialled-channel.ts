import { type Client, type ClientDuplexStream, type Metadata, type StatusObject, status } from "@grpc/grpc-js";
import type { OpenChannel, Runtime } from "@parley/core/transport";
import { whenLeaving } from "../client/leaving.ts";
import { asBytes, CHANNEL_PATH } from "../wire/methods.ts";
import { errorOf } from "../wire/status.ts";
import { streamChannel } from "./stream-channel.ts";

/** The stream for all calls, as the side that dials has it. */
export interface DialledChannel {
  readonly open: OpenChannel<Buffer>;
  /** Whether the peer has said that it knows no such method: its calls are gRPC calls of their own. */
  readonly isUnknown: () => boolean;
}

/** Opens the stream that carries all calls. */
export function dialledChannel(client: Client, metadata: Metadata, runtime: Runtime): DialledChannel {
  let sent = false;
  let answered: StatusObject | undefined;
  const credentials = whenLeaving(() => {
    sent = true;
  });
  const stream: ClientDuplexStream<Buffer, Buffer> = client.makeBidiStreamRequest(
    CHANNEL_PATH,
    asBytes,
    asBytes,
    metadata,
    { credentials },
  );
  // Stays for good; what it says comes with the status.
  stream.on("error", () => {});
  const open = streamChannel({
    stream,
    runtime,
    // What this side has to say is an event, and has been written: a client's status is never sent.
    fail: () => stream.end(),
    drop: () => stream.cancel(),
    onClosed(closed) {
      let ended = false;
      const check = (): void => {
        // What arrived before the status is read before it counts.
        if (!ended || !answered) return;
        closed(answered.code === status.OK ? undefined : errorOf(answered, sent));
      };
      stream.on("status", (received: StatusObject) => {
        answered = received;
        check();
      });
      stream.on("end", () => {
        ended = true;
        check();
      });
    },
  });
  return { open, isUnknown: () => answered?.code === status.UNIMPLEMENTED };
}
