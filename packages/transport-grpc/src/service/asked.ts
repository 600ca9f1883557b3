import { type ContextKey, contextKey } from "@parley/core/transport";
import type { GrpcCallOptions } from "../client-options.ts";
import type { ServiceMethod } from "./service-method.ts";

/** What is asked for by one call of a client, whatever attempts it takes. */
export interface Asked {
  readonly method: ServiceMethod;
  readonly options: GrpcCallOptions;
  /** Whether the server may have seen any of it. */
  sent: boolean;
}

/** Where those who make an attempt find it. */
export const asked: ContextKey<Asked> = contextKey("what a gRPC client asks for");
