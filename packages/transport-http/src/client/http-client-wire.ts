import {
  type ClientWire,
  type HttpConnection,
  mediaTypes,
  type UploadBody,
  type UploadInit,
} from "@parley/core/http/client";
import { ParleyError } from "@parley/core/transport";
import { LineReader } from "../wire/line-reader.ts";
import { Batcher } from "./batcher.ts";
import { Duplex } from "./duplex.ts";

/** How HTTP is spoken by whoever dials. */
export interface HttpClientWireInit {
  /** Whether the single messages of one turn leave as one request. */
  readonly batch: boolean;
  /** Makes the body of a request that goes on while it is answered; absent where requests are sent whole, as browsers do. */
  readonly upload?: (init: UploadInit) => UploadBody;
}

/** HTTP as the dialling side speaks it. */
export function httpClientWire(connection: HttpConnection, { batch, upload }: HttpClientWireInit): ClientWire {
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
    ...(upload && { upload }),
    get waiting() {
      return batcher?.waiting ?? 0;
    },
    open(call) {
      if (call.input && !upload) return uplink ? undefined : Promise.reject(noUplink(address));
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

function noUplink(address: string): ParleyError {
  const message = `${address} takes the items of a caller with the request alone, which a browser sends whole`;
  return new ParleyError("unimplemented", message, { outcome: "not-sent" });
}

/** How many messages the peer takes in one request, if it does; at least two, or there is no point. */
function batchCallsOf(data: unknown): number | undefined {
  const { batchCalls } = (data ?? {}) as { readonly batchCalls?: unknown };
  return Number.isSafeInteger(batchCalls) && (batchCalls as number) > 1 ? (batchCalls as number) : undefined;
}
