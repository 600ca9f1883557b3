import type {
  Client,
  ClientDuplexStream,
  ClientReadableStream,
  ClientUnaryCall,
  ClientWritableStream,
} from "@grpc/grpc-js";
import type { Items } from "@parley/core";
import type { GrpcCallOptions } from "../client-options.ts";

/**
 * A service as methods. `Service` says what they take and give: an interface of functions from messages to promises, or from and to async
 * iterables of them, as ts-proto generates it; or a client class of `@grpc/grpc-js`, as ts-proto and proto-loader-gen-types generate it.
 */
export type GrpcStub<Service> = {
  readonly [Name in Exclude<keyof Service, keyof Client>]: StubMethod<Service[Name]>;
};

/** A method in any of these forms, as a stub has it. The last overload of a generated one says all. */
type StubMethod<Method> = Method extends (...args: infer Args) => infer Result
  ? Result extends ClientDuplexStream<infer Request, infer Response>
    ? (items: Items<Request>, options?: GrpcCallOptions) => AsyncIterable<Response>
    : Result extends ClientWritableStream<infer Request>
      ? (items: Items<Request>, options?: GrpcCallOptions) => Promise<Answer<Args>>
      : Result extends ClientReadableStream<infer Response>
        ? (request: Args[0], options?: GrpcCallOptions) => AsyncIterable<Response>
        : Result extends ClientUnaryCall
          ? (request: Args[0], options?: GrpcCallOptions) => Promise<Answer<Args>>
          : Args[0] extends AsyncIterable<infer Request>
            ? (items: Items<Request>, options?: GrpcCallOptions) => Result
            : (request: Args[0], options?: GrpcCallOptions) => Result
  : never;

/** What the callback, the last argument, is told beside an error. */
type Answer<Args extends readonly unknown[]> = Args extends [
  ...unknown[],
  (error: never, response: infer Response) => void,
]
  ? Exclude<Response, undefined>
  : never;
