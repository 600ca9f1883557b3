import { Metadata } from "@grpc/grpc-js";
import { type Credential, type Credentials, checkHeaders } from "@parley/core/transport";
import { undiallable } from "./client-of.ts";

/** Metadata; what is binary, by names that end in `-bin`, is base64. */
export type GrpcHeaders = Headers | Readonly<Record<string, string>>;

/** What a user gives for the metadata of calls. */
export interface MetadataOptions {
  readonly headers?: GrpcHeaders | undefined;
  /** What goes beside the headers. */
  readonly credentials?: Credentials | undefined;
}

/**
 * Headers as gRPC has them, beside those of `others`, whose place they take where the names are the same.
 * @throws ParleyError `invalid_argument` for headers that gRPC cannot send, and those that credentials are for
 */
export function metadataOf(
  url: URL,
  { headers = {}, credentials }: MetadataOptions,
  others: Metadata = new Metadata(),
): Metadata {
  const entries = headers instanceof Headers ? [...headers] : Object.entries(headers);
  checkHeaders(Object.fromEntries(entries), credentials);
  const metadata = others.clone();
  try {
    for (const [name, value] of entries) {
      if (name.toLowerCase().startsWith("grpc-")) throw new Error(`the header ${name} is gRPC's own`);
      if (typeof value !== "string") throw new Error(`the header ${name} is no text but ${typeof value}`);
      // Said here, since gRPC says the value too, and it may be a secret.
      if (!/^[ -~]*$/.test(value))
        throw new Error(`the header ${name} has other characters than visible ASCII and spaces`);
      metadata.set(name, name.toLowerCase().endsWith("-bin") ? Buffer.from(value, "base64") : value);
    }
  } catch (cause) {
    throw undiallable(url, cause);
  }
  return metadata;
}

/** The metadata, and with it who calls. */
export function showing(metadata: Metadata, credential: Credential): Metadata {
  const copy = metadata.clone();
  copy.set(...credential.header());
  return copy;
}

/** Metadata as `fetch` has headers. */
export function headersOf(metadata: Metadata): Headers {
  const headers = new Headers();
  for (const name of Object.keys(metadata.getMap())) {
    for (const value of metadata.get(name)) {
      headers.append(name, typeof value === "string" ? value : value.toString("base64"));
    }
  }
  return headers;
}
