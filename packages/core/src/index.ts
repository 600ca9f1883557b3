export { type Agent, type AgentOptions, type Answering, agent } from "./agent/agent.ts";
export type { CallOptions } from "./agent/call-options.ts";
export type { CallStorage } from "./agent/call-storage.ts";
export type { InputCast, OutputCast } from "./agent/cast.ts";
export {
  type Client,
  type ClientOptions,
  client,
  type Publication,
  type Subscription,
  type TopicClient,
} from "./agent/client.ts";
export { connect, type Remote, type RemoteOptions } from "./agent/connect.ts";
export { type Contract, contract, type Definition, type Definitions } from "./agent/contract.ts";
export type { HandledCall } from "./agent/handled-call.ts";
export type { Handlers, OperationHandler } from "./agent/handlers.ts";
export { createHub, type Hub, type HubOptions, type HubStats } from "./agent/hub.ts";
export type { Items } from "./agent/item-writer.ts";
export {
  bidiStream,
  clientStream,
  notify,
  type Operation,
  type OperationKind,
  request,
  serverStream,
} from "./agent/operation.ts";
export type { Schema } from "./agent/schema.ts";
export { type AgentServer, type ServeOptions, type Server, serve } from "./agent/serve.ts";
export { type Params, type Topic, topic } from "./agent/topic.ts";
export type { AbortListener, Call, CallChange } from "./call/call.ts";
export { derive } from "./call/call.ts";
export { type Code, type CodeMapping, codes, isCode } from "./call/code.ts";
export { type Context, type ContextKey, contextKey, type Peer } from "./call/context.ts";
export {
  AuthenticationError,
  type ErrorOptions,
  errorFor,
  type Issue,
  type Outcome,
  ParleyError,
  TransportError,
  ValidationError,
} from "./call/error.ts";
export type { Handler, Interceptor, Invoke, Reply } from "./call/interceptor.ts";
export type { Log, LogEntry } from "./call/log.ts";
export { createEnvelope, type EnvelopeInit } from "./envelope/create.ts";
export type { AttributeValue, CallKind, Envelope, FollowerKind, Kind } from "./envelope/envelope.ts";
export { operationType, parseType } from "./envelope/version.ts";
export type { Runtime } from "./runtime/runtime.ts";
export { type MemoryOptions, memory } from "./transport/memory.ts";
export type {
  CloseOptions,
  Connection,
  ConnectionState,
  ConnectionStats,
  ConnectOptions,
  Listener,
  ListenOptions,
  Transport,
} from "./transport/transport.ts";
