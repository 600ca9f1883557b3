import { type ClientWire, type HttpConnection, mediaTypes } from "@parley/core/http";
import { LineReader } from "../wire/line-reader.ts";
import { Batcher } from "./batcher.ts";
import { Duplex } from "./duplex.ts";
import { Upload } from "./upload.ts";

/** HTTP as the dialling side speaks it. @param batch whether the single messages of one turn leave as one request. */
export function httpClientWire(connection: HttpConnection, batch: boolean): ClientWire {
  const { runtime, source, address } = connection;
  const duplex = new Duplex({ invoke: (call) => connection.start(call), runtime, source, address });
  let batcher: Batcher | undefined;
  let uplink = false;
  return {
    streamType: mediaTypes.events,
    accept: [],
    headers: () => [],
    reader(maxBytes, take) {
      const lines = new LineReader(maxBytes);
      return { read: (chunk) => lines.read(chunk, take) };
    },
    upload: (init) => new Upload(init),
    get waiting() {
      return batcher?.waiting ?? 0;
    },
    open(call) {
      switch (call.kind) {
        case "bidi-stream":
          return connection.startAfter(duplex.uplinkFor(call, uplink), call);
        case "request":
        case "notify":
        case "publish":
          return batcher?.add(call);
        default:
          return undefined;
      }
    },
    meet(_hello, data) {
      const batchCalls = batch ? batchCallsOf(data) : undefined;
      if (batchCalls !== undefined) batcher = new Batcher(connection, batchCalls);
      uplink = (data as { readonly uplink?: unknown } | null)?.uplink === true;
    },
  };
}

/** How many messages the peer takes in one request, if it does; at least two, or there is no point. */
function batchCallsOf(data: unknown): number | undefined {
  const { batchCalls } = (data ?? {}) as { readonly batchCalls?: unknown };
  return Number.isSafeInteger(batchCalls) && (batchCalls as number) > 1 ? (batchCalls as number) : undefined;
}
