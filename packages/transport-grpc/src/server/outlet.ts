import type { ServerDuplexStream, ServerWritableStream, sendUnaryData } from "@grpc/grpc-js";
import { Metadata } from "@grpc/grpc-js";
import type { Status } from "../wire/status.ts";

/** Where the answer of a call goes. */
export interface Outlet {
  /** The one message of a unary answer. */
  reply(bytes: Buffer): void;
  fail(status: Status): void;
  /** For streams; absent where there is no place for one. */
  readonly stream?: StreamOutlet | undefined;
}

/** Where the items of a stream go. */
export interface StreamOutlet {
  /** Tells the caller that the stream has begun. */
  accept(): void;
  write(bytes: Buffer, done: () => void): unknown;
  end(): void;
}

/** The answer of a unary method. */
export function unaryOutlet(callback: sendUnaryData<Buffer>): Outlet {
  return {
    reply: (bytes) => callback(null, bytes),
    fail: (status) => callback(status),
  };
}

/** The answer of a streaming method. */
export function streamOutlet(call: ServerWritableStream<Buffer, Buffer> | ServerDuplexStream<Buffer, Buffer>): Outlet {
  return {
    reply(bytes) {
      call.write(bytes);
      call.end();
    },
    // gRPC's way to end a stream with a status, after what was written.
    fail: (status) => call.emit("error", Object.assign(new Error(status.details), status)),
    stream: {
      accept: () => call.sendMetadata(new Metadata()),
      write: (bytes, done) => call.write(bytes, done),
      end: () => call.end(),
    },
  };
}
