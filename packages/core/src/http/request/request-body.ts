import { encodeData, ParleyError } from "../../transport/index.ts";
import { multipart } from "./multipart.ts";
import { type Params, pairsOf } from "./target.ts";
import type { BodyChunk } from "./upload-stream.ts";

/** What is sent as it is. A stream can be sent once; a function that makes it anew lets the request be repeated. */
export type BodyInit =
  | string
  | Uint8Array
  | ArrayBuffer
  | Blob
  | URLSearchParams
  | FormData
  | AsyncIterable<BodyChunk>
  | (() => AsyncIterable<BodyChunk>);

/** What a request can carry; at most one of these. */
export interface BodyOptions {
  /** Sent as `application/json`. */
  readonly json?: unknown;
  /** Sent as `application/x-www-form-urlencoded`. */
  readonly form?: Params | undefined;
  /** Sent as `multipart/form-data`; files are Blobs. */
  readonly multipart?: FormData | Readonly<Record<string, string | Blob>> | undefined;
  /** Sent as it is; the content type is in `headers`, unless the value has one of its own. */
  readonly body?: BodyInit | undefined;
}

/** The body of a request, for as many attempts as it may be sent. */
export interface RequestBody {
  readonly contentType?: string | undefined;
  /** Where it is known of a stream. */
  readonly contentLength?: number | undefined;
  /** It can be sent once. */
  readonly once?: boolean;
  open(): string | Uint8Array | AsyncIterable<BodyChunk>;
}

/** @throws ParleyError `invalid_argument`, `not-sent`, when there are several bodies, or it is nothing that can be sent */
export function requestBody(options: BodyOptions): RequestBody | undefined {
  const given = (["json", "form", "multipart", "body"] as const).filter((name) => options[name] !== undefined);
  if (given.length > 1) throw refused(`a request has one body, and was given ${given.join(" and ")}`);
  const { json, form, multipart: fields, body } = options;
  if (json !== undefined) return whole(encodeData(json), "application/json");
  if (form !== undefined) return bodyOf(new URLSearchParams([...pairsOf(form)].map(([...pair]) => pair)));
  if (fields !== undefined) return bodyOf(fields instanceof FormData ? fields : formOf(fields));
  return body === undefined ? undefined : bodyOf(body);
}

function bodyOf(body: BodyInit): RequestBody {
  if (typeof body === "string") return whole(body, "text/plain;charset=UTF-8");
  if (body instanceof Uint8Array) return whole(body);
  if (body instanceof ArrayBuffer) return whole(new Uint8Array(body));
  if (body instanceof URLSearchParams) return whole(body.toString(), "application/x-www-form-urlencoded;charset=UTF-8");
  if (body instanceof FormData) {
    const { contentType, contentLength, stream } = multipart(body);
    return { contentType, contentLength, open: stream };
  }
  if (body instanceof Blob) {
    return { contentType: body.type || undefined, contentLength: body.size, open: () => body.stream() };
  }
  if (typeof body === "function") return { open: body };
  if (typeof body === "object" && body !== null && Symbol.asyncIterator in body)
    return { once: true, open: () => body };
  throw refused(
    `a body can be text, bytes, a Blob, a form or an async iterable, and is ${typeof body}; for JSON there is json`,
  );
}

function whole(body: string | Uint8Array, contentType?: string): RequestBody {
  return { contentType, open: () => body };
}

function formOf(fields: Readonly<Record<string, string | Blob>>): FormData {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.append(name, value as string); // its types know no union
  return form;
}

function refused(message: string): ParleyError {
  return new ParleyError("invalid_argument", message, { outcome: "not-sent" });
}
