import type { Metadata } from "@grpc/grpc-js";
import { ProtoReader } from "./proto-reader.ts";

/** Metadata key of a google.rpc.Status, as gRPC libraries of all languages have it. */
export const DETAILS_KEY = "grpc-status-details-bin";

// Tags of google.rpc.Status and google.protobuf.Any.
export const CODE = 0x08;
export const MESSAGE = 0x12;
export const DETAILS = 0x1a;
export const TYPE_URL = 0x0a;
export const VALUE = 0x12;

/** A google.protobuf.Any. */
export interface Any {
  readonly typeUrl: string;
  readonly value: Buffer;
}

/** What a status says beside its code and message. Details of another kind, or of no kind, are none: the status itself says enough. */
export function statusDetails(metadata: Metadata): readonly Any[] {
  const [bytes] = metadata.get(DETAILS_KEY);
  if (!(bytes instanceof Buffer)) return [];
  try {
    const details: Any[] = [];
    const reader = new ProtoReader(bytes);
    while (!reader.done) {
      const tag = reader.tag();
      if (tag === DETAILS) details.push(readAny(reader.bytes()));
      else reader.skip(tag);
    }
    return details;
  } catch {
    return [];
  }
}

function readAny(bytes: Buffer): Any {
  const reader = new ProtoReader(bytes);
  let typeUrl = "";
  let value: Buffer = Buffer.alloc(0);
  while (!reader.done) {
    const tag = reader.tag();
    if (tag === TYPE_URL) typeUrl = reader.text();
    else if (tag === VALUE) value = reader.bytes();
    else reader.skip(tag);
  }
  return { typeUrl, value };
}
