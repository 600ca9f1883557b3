export type { GrpcHeaders } from "./client/metadata-of.ts";
export type { GrpcCallOptions, GrpcClientOptions } from "./client-options.ts";
export { grpc } from "./grpc.ts";
export { GrpcClient } from "./grpc-client.ts";
export { type GrpcOptions, type GrpcTls, nativeLimits } from "./options.ts";
export type { GrpcErrorDetail, GrpcErrorDetails } from "./service/error-details.ts";
export type { GrpcFormat } from "./service/format.ts";
export type { GrpcStub } from "./service/stub.ts";
