import { ProtoWriter } from "./proto-writer.ts";

// Tags of grpc.reflection.v1.ServerReflectionRequest and -Response; those of v1alpha are the same.
export const FILE_BY_FILENAME = 0x1a;
export const FILE_CONTAINING_SYMBOL = 0x22;
export const FILE_CONTAINING_EXTENSION = 0x2a;
export const ALL_EXTENSION_NUMBERS = 0x32;
export const LIST_SERVICES = 0x3a;
export const ORIGINAL_REQUEST = 0x12;
export const FILE_DESCRIPTOR_RESPONSE = 0x22;
export const LIST_SERVICES_RESPONSE = 0x32;
export const ERROR_RESPONSE = 0x3a;

/** Full names of the one method, by version of the protocol; the newer first. */
export const reflectionMethods: readonly string[] = ["v1", "v1alpha"].map(
  (version) => `grpc.reflection.${version}.ServerReflection/ServerReflectionInfo`,
);

/** A ServerReflectionRequest. */
export function question(tag: number, name: string): Buffer {
  const bytes = Buffer.from(name);
  return new ProtoWriter().byte(tag).varint(bytes.length).raw(bytes).finish();
}
