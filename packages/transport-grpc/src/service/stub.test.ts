import type {
  CallOptions,
  Client,
  ClientDuplexStream,
  ClientReadableStream,
  ClientUnaryCall,
  ClientWritableStream,
  Metadata,
  requestCallback,
  ServiceError,
} from "@grpc/grpc-js";
import type { Items } from "@parley/core";
import { expectTypeOf, test } from "vitest";
import type { GrpcCallOptions } from "../client-options.ts";
import type { GrpcClient } from "../grpc-client.ts";
import type { GrpcStub } from "./stub.ts";

interface Range {
  count?: number;
}
interface Value {
  value?: number;
}
interface Value__Output {
  value: number;
}

/** What proto-loader-gen-types makes of a service. */
interface LoaderClient extends Client {
  Get(
    argument: Range,
    metadata: Metadata,
    options: CallOptions,
    callback: requestCallback<Value__Output>,
  ): ClientUnaryCall;
  Get(argument: Range, metadata: Metadata, callback: requestCallback<Value__Output>): ClientUnaryCall;
  Get(argument: Range, options: CallOptions, callback: requestCallback<Value__Output>): ClientUnaryCall;
  Get(argument: Range, callback: requestCallback<Value__Output>): ClientUnaryCall;
  Count(argument: Range, metadata: Metadata, options?: CallOptions): ClientReadableStream<Value__Output>;
  Count(argument: Range, options?: CallOptions): ClientReadableStream<Value__Output>;
  Sum(metadata: Metadata, options: CallOptions, callback: requestCallback<Value__Output>): ClientWritableStream<Value>;
  Sum(callback: requestCallback<Value__Output>): ClientWritableStream<Value>;
  Chat(metadata: Metadata, options?: CallOptions): ClientDuplexStream<Value, Value__Output>;
  Chat(options?: CallOptions): ClientDuplexStream<Value, Value__Output>;
}

type Answered = (error: ServiceError | null, response: Value__Output) => void;

/** What ts-proto makes of it with `outputServices=grpc-js`. */
interface TsProtoClient extends Client {
  Get(request: Range, callback: Answered): ClientUnaryCall;
  Get(request: Range, metadata: Metadata, options: Partial<CallOptions>, callback: Answered): ClientUnaryCall;
  Count(request: Range, options?: Partial<CallOptions>): ClientReadableStream<Value__Output>;
  Count(request: Range, metadata?: Metadata, options?: Partial<CallOptions>): ClientReadableStream<Value__Output>;
  Sum(callback: Answered): ClientWritableStream<Value>;
  Sum(metadata: Metadata, options: Partial<CallOptions>, callback: Answered): ClientWritableStream<Value>;
  Chat(): ClientDuplexStream<Value, Value__Output>;
  Chat(metadata: Metadata, options?: Partial<CallOptions>): ClientDuplexStream<Value, Value__Output>;
}

/** What ts-proto makes of it with `useAsyncIterable=true`. */
interface TsProtoService {
  Get(request: Range): Promise<Value__Output>;
  Count(request: Range): AsyncIterable<Value__Output>;
  Sum(request: AsyncIterable<Value>): Promise<Value__Output>;
  Chat(request: AsyncIterable<Value>): AsyncIterable<Value__Output>;
}

/** What a stub makes of all of them. */
interface Expected {
  readonly Get: (request: Range, options?: GrpcCallOptions) => Promise<Value__Output>;
  readonly Count: (request: Range, options?: GrpcCallOptions) => AsyncIterable<Value__Output>;
  readonly Sum: (items: Items<Value>, options?: GrpcCallOptions) => Promise<Value__Output>;
  readonly Chat: (items: Items<Value>, options?: GrpcCallOptions) => AsyncIterable<Value__Output>;
}

test("a stub has the methods of what was generated, and no members of a client of another library", () => {
  expectTypeOf<GrpcStub<LoaderClient>>().toEqualTypeOf<Expected>();
  expectTypeOf<GrpcStub<TsProtoClient>>().toEqualTypeOf<Expected>();
  expectTypeOf<GrpcStub<TsProtoService>>().toEqualTypeOf<Expected>();
});

test("a client gives the stub that is asked for", () => {
  expectTypeOf<GrpcClient["service"]>().toBeCallableWith("demo.v1.Demo", { timeoutMs: 1 });
  expectTypeOf((client: GrpcClient) =>
    client.service<TsProtoService>("demo.v1.Demo"),
  ).returns.resolves.toEqualTypeOf<Expected>();
});
