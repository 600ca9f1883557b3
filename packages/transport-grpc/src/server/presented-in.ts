import type { Metadata } from "@grpc/grpc-js";
import type { Presented } from "@parley/core/transport";

/** The metadata of a call as what its caller presents. */
export function presentedIn(metadata: Metadata): Presented {
  return { header: (name) => metadata.get(name).filter((value) => typeof value === "string") };
}
