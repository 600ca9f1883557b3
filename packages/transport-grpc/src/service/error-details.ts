import type { StatusObject } from "@grpc/grpc-js";
import type { MessageTypeDefinition } from "@grpc/proto-loader";
import { errorFor, type ParleyError } from "@parley/core/transport";
import { type Any, statusDetails } from "../wire/rich-status.ts";
import { errorOf } from "../wire/status.ts";

/** `details` of the errors that a {@link GrpcClient} gets from a server. */
export interface GrpcErrorDetails {
  /** Number of the status. */
  readonly grpcStatus: number;
  /** What the server said. */
  readonly grpcMessage: string;
  /** What it said beside, in a `google.rpc.Status`. */
  readonly errorDetails: readonly GrpcErrorDetail[];
}

/** One thing that a server says about an error. */
export interface GrpcErrorDetail {
  /** Full name of the message, such as `google.rpc.BadRequest`. */
  readonly type: string;
  /** The message, fields in camel case, for those of `google.rpc`; for others its bytes, base64. */
  readonly value: unknown;
}

/** The error of a call that a server ended with a status. @param sent whether it may have seen any of the call */
export function statusError(status: StatusObject, sent: boolean, read: ReadDetail | undefined): ParleyError {
  const { code, message, outcome, retryAfterMs } = errorOf(status, sent);
  const errorDetails = statusDetails(status.metadata).map((one) => detailOf(one, read));
  const details: GrpcErrorDetails = { grpcStatus: status.code, grpcMessage: status.details, errorDetails };
  return errorFor(code, message, { outcome, retryAfterMs: retryAfterMs ?? retryDelayOf(errorDetails), details });
}

/** Reads a message of `google.rpc`; undefined for others. @throws for bytes that are none */
export type ReadDetail = (type: string, bytes: Buffer) => unknown;

function detailOf({ typeUrl, value }: Any, read: ReadDetail | undefined): GrpcErrorDetail {
  const type = typeUrl.slice(typeUrl.lastIndexOf("/") + 1);
  try {
    const message = read?.(type, value);
    if (message !== undefined) return { type, value: message };
  } catch {
    // Not what it says it is.
  }
  return { type, value: value.toString("base64") };
}

/** `google.rpc.RetryInfo`: how long to wait before another attempt. */
function retryDelayOf(details: readonly GrpcErrorDetail[]): number | undefined {
  const info = details.find(({ type }) => type === "google.rpc.RetryInfo")?.value;
  // Where it could not be read it is text.
  const { retryDelay } = (info ?? {}) as RetryInfo;
  if (!retryDelay) return undefined;
  const delayMs = (retryDelay.seconds ?? 0) * 1_000 + (retryDelay.nanos ?? 0) / 1e6;
  return delayMs >= 0 ? delayMs : undefined;
}

interface RetryInfo {
  readonly retryDelay?: { readonly seconds?: number; readonly nanos?: number };
}

/** Prepares reading the messages of google/rpc/error_details.proto. */
export async function detailReader(): Promise<ReadDetail> {
  const { fromJSON } = await import("@grpc/proto-loader");
  const definitions = fromJSON({ nested: { google: { nested: { rpc: { nested: messages } } } } }, { longs: Number });
  return (type, bytes) => {
    const definition = Object.hasOwn(definitions, type) ? definitions[type] : undefined;
    return (definition as MessageTypeDefinition<object, object> | undefined)?.deserialize(bytes);
  };
}

const text = (id: number): { type: string; id: number } => ({ type: "string", id });
const texts = (id: number): { type: string; id: number; rule: string } => ({ ...text(id), rule: "repeated" });
const many = (type: string, id: number): { type: string; id: number; rule: string } => ({ type, id, rule: "repeated" });

const messages = {
  Duration: { fields: { seconds: { type: "int64", id: 1 }, nanos: { type: "int32", id: 2 } } },
  RetryInfo: { fields: { retryDelay: { type: "Duration", id: 1 } } },
  DebugInfo: { fields: { stackEntries: texts(1), detail: text(2) } },
  QuotaFailure: {
    fields: { violations: many("Violation", 1) },
    nested: { Violation: { fields: { subject: text(1), description: text(2) } } },
  },
  ErrorInfo: {
    fields: { reason: text(1), domain: text(2), metadata: { keyType: "string", type: "string", id: 3 } },
  },
  PreconditionFailure: {
    fields: { violations: many("Violation", 1) },
    nested: { Violation: { fields: { type: text(1), subject: text(2), description: text(3) } } },
  },
  BadRequest: {
    fields: { fieldViolations: many("FieldViolation", 1) },
    nested: {
      FieldViolation: {
        fields: {
          field: text(1),
          description: text(2),
          reason: text(3),
          localizedMessage: { type: "LocalizedMessage", id: 4 },
        },
      },
    },
  },
  RequestInfo: { fields: { requestId: text(1), servingData: text(2) } },
  ResourceInfo: { fields: { resourceType: text(1), resourceName: text(2), owner: text(3), description: text(4) } },
  Help: {
    fields: { links: many("Link", 1) },
    nested: { Link: { fields: { description: text(1), url: text(2) } } },
  },
  LocalizedMessage: { fields: { locale: text(1), message: text(2) } },
};
