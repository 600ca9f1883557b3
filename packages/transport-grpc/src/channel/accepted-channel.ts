import type { ServerDuplexStream } from "@grpc/grpc-js";
import { type OpenChannel, type Runtime, shortId, TransportError } from "@parley/core/transport";
import { statusOf } from "../wire/status.ts";
import { streamChannel } from "./stream-channel.ts";

/**
 * The stream for all calls, as the side that listens has it.
 * @param hangUp ends the whole connection; for a peer that does not take the end of the stream
 */
export function acceptedChannel(
  stream: ServerDuplexStream<Buffer, Buffer>,
  runtime: Runtime,
  hangUp: () => void,
): OpenChannel<Buffer> {
  let ending = false;
  stream.on("end", () => {
    ending = true;
  });
  return streamChannel({
    stream: {
      write: (batch) => stream.write(batch),
      end() {
        ending = true;
        stream.end();
      },
      on: (event: string, listener: (...args: never[]) => void) => stream.on(event, listener as () => void),
    },
    runtime,
    fail(error) {
      ending = true;
      const source = `/${shortId(runtime)}`;
      // gRPC's way to end a stream with a status.
      stream.emit(
        "error",
        Object.assign(
          new Error(error.message),
          statusOf(error, { id: "channel", type: "parley.connection.v1" }, source),
        ),
      );
    },
    drop: hangUp,
    onClosed(closed) {
      // Told after every end, a good one too.
      stream.on("cancelled", () => {
        closed(
          ending ? undefined : new TransportError("unavailable", "the peer cut the connection", { outcome: "unknown" }),
        );
      });
    },
  });
}
