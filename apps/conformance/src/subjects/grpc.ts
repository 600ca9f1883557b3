import type * as Package from "@parley/transport-grpc";
import type { Subject } from "../subject.ts";
import { transportPackage } from "./transport-package.ts";
import { tuned } from "./tuned.ts";

const { grpc } = await transportPackage<typeof Package>(import.meta.url, "@parley/transport-grpc");

/** gRPC. */
export const subject: Subject = {
  name: "grpc",
  transport: (options) => grpc({ ...tuned(options), resumeWindowMs: options.resumeWindowMs }),
  url: "grpc://127.0.0.1:0",
  secure: "grpcs://127.0.0.1:0",
  credentials: true,
  tapping: "bytes",
};
