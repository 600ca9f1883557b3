import {
  binaryFormat,
  eventFormat,
  type Format,
  MAX_BATCH_EVENTS,
  plainFormat,
  type SingleMode,
  type Wire,
} from "@parley/core/http";
import { Batch } from "./batch.ts";
import { Upload } from "./upload.ts";

const formats: Readonly<Record<SingleMode, Format>> = {
  structured: eventFormat,
  binary: binaryFormat,
  plain: plainFormat,
};

/** HTTP as the answering side speaks it: answers in the mode of the question, uploads and batches. */
export const httpWire: Wire = {
  transport: "http",
  offer: { batchCalls: MAX_BATCH_EVENTS, uplink: true },
  formatOf: (_exchange, mode) => formats[mode],
  upload: (endpoint, exchange, type, taken) => {
    new Upload(endpoint, exchange, type, taken);
  },
  batch: (endpoint, exchange, mode) =>
    endpoint.read(exchange, (taken) => new Batch(endpoint, exchange, mode === "upload", taken)),
};
