import type { CallKind } from "@parley/core/transport";

/** Full name of the service. */
export const SERVICE = "parley.v1.Parley";

/** Path of the stream that carries all calls between two Parleys. */
export const CHANNEL_PATH: string = `/${SERVICE}/Channel`;

/** Paths of the methods by the kind of call. */
export const methodPaths: Readonly<Record<CallKind, string>> = {
  notify: `/${SERVICE}/Notify`,
  request: `/${SERVICE}/Request`,
  "server-stream": `/${SERVICE}/ServerStream`,
  "client-stream": `/${SERVICE}/ClientStream`,
  "bidi-stream": `/${SERVICE}/BidiStream`,
  publish: `/${SERVICE}/Publish`,
  subscribe: `/${SERVICE}/Subscribe`,
};

/** Messages pass gRPC as they are: they are read where an error can be told. */
export const asBytes = (bytes: Buffer): Buffer => bytes;

/** A google.protobuf.Empty. */
export const EMPTY: Buffer = Buffer.alloc(0);
