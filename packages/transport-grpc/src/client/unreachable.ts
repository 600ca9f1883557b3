import { opensslReason } from "@parley/core/node";
import { type ParleyError, TransportError } from "@parley/core/transport";

/** The error when there is no connection to an address. */
export function unreachable(error: ParleyError, url: URL): ParleyError {
  const { message, details, retryAfterMs } = error;
  const text = `${url.href} cannot be reached: ${opensslReason(message)}${adviceFor(url)}`;
  return new TransportError("unavailable", text, { outcome: "not-sent", details, retryAfterMs, cause: error });
}

/** What is most often the reason why there is no connection. */
export function adviceFor({ protocol }: URL): string {
  return protocol === "grpcs:"
    ? "; is it a gRPC server with TLS (without, say grpc:), whose certificate tls.ca trusts?"
    : "; is it a gRPC server without TLS (with, say grpcs:)?";
}
