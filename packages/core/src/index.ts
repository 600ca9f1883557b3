export { type Agent, type AgentOptions, type Answering, agent } from "./agent/agent.ts";
export type { CallOptions, SubscribeOptions } from "./agent/call-options.ts";
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
export { ownSource } from "./agent/own-source.ts";
export type { Schema } from "./agent/schema.ts";
export { type AgentServer, type ServeOptions, type Server, serve } from "./agent/serve.ts";
export { type Params, type Topic, topic } from "./agent/topic.ts";
export type { AbortListener, Call, CallChange, OwnedCall } from "./call/call.ts";
export { createAttempt, derive } from "./call/call.ts";
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
export type { Presented } from "./call/presented.ts";
export type { Closable } from "./connection/closable.ts";
export type { ConnectionHealth } from "./connection/health-check.ts";
export {
  ConnectionManager,
  type ManagerOptions,
  type NamedHealth,
  type Registered,
  type Registration,
} from "./connection/manager.ts";
export type { HealthChange, MonitorOptions } from "./connection/monitor.ts";
export { ConnectionPool, type PoolLimits, type PoolOptions } from "./connection/pool.ts";
export type { Lease, StockStats } from "./connection/stock.ts";
export { type ApiKeyOptions, apiKey } from "./credentials/api-key.ts";
export { basic } from "./credentials/basic.ts";
export { bearer } from "./credentials/bearer.ts";
export { certificate } from "./credentials/certificate.ts";
export type { ClientCertificate, Credential, Credentials, Login } from "./credentials/credentials.ts";
export { type OAuth2Options, oauth2 } from "./credentials/oauth2.ts";
export type { SecretSource } from "./credentials/secret.ts";
export { createEnvelope, type EnvelopeInit } from "./envelope/create.ts";
export type { AttributeValue, CallKind, Envelope, FollowerKind, Kind } from "./envelope/envelope.ts";
export { operationType, parseType } from "./envelope/version.ts";
export {
  type Batching,
  type BatchingOptions,
  type BatchResult,
  batching,
} from "./resilience/batching.ts";
export {
  type Breaker,
  type BreakerChange,
  type BreakerOptions,
  type BreakerState,
  type BreakerStats,
  breaker,
} from "./resilience/breaker.ts";
export { type Bulkhead, type BulkheadOptions, type BulkheadStats, bulkhead } from "./resilience/bulkhead.ts";
export { type DeadLetter, type DeadLetterStore, memoryDeadLetters } from "./resilience/dead-letter-store.ts";
export { type DeadLetters, type DeadLettersOptions, deadLetters, type Redriven } from "./resilience/dead-letters.ts";
export { type DeadlineOptions, deadline } from "./resilience/deadline.ts";
export { type Dedupe, type DedupeOptions, type DedupeStats, dedupe } from "./resilience/dedupe.ts";
export type { DedupeRecord, DedupeResult, DedupeStore } from "./resilience/dedupe-store.ts";
export {
  type Branch,
  type BranchResult,
  type FanOutOptions,
  type FanOutPolicy,
  type FanOutResult,
  fanOut,
} from "./resilience/fan-out.ts";
export { type HedgeOptions, hedge } from "./resilience/hedge.ts";
export {
  type MemoryDedupe,
  type MemoryDedupeOptions,
  type MemoryDedupeStats,
  memoryDedupe,
} from "./resilience/memory-dedupe.ts";
export { type RateLimit, type RateLimitOptions, type RateLimitStats, rateLimit } from "./resilience/rate-limit.ts";
export {
  type Resilience,
  type ResilienceEvent,
  type ResilienceOptions,
  type ResiliencePolicies,
  type ResilienceStats,
  resilience,
} from "./resilience/resilience.ts";
export { type Retry, type RetryOptions, retry } from "./resilience/retry.ts";
export {
  type RetryBudget,
  type RetryBudgetOptions,
  type RetryBudgetStats,
  retryBudget,
} from "./resilience/retry-budget.ts";
export { type TimeoutOptions, timeout } from "./resilience/timeout.ts";
export type { Runtime } from "./runtime/runtime.ts";
export type { OperationOptions } from "./runtime/within.ts";
export { type MemoryOptions, memory } from "./transport/memory.ts";
export type { ClientHealth, ClientState, ClientStateChange } from "./transport/protocol-client/client-state.ts";
export type { EffectOptions, PolicyOptions } from "./transport/protocol-client/policies.ts";
export type { OnGap } from "./transport/reconnect/gap.ts";
export type { ReconnectOptions } from "./transport/reconnect/options.ts";
export type { Health, ReconnectingConnection, StateChange } from "./transport/reconnect/reconnecting-connection.ts";
export type {
  CloseOptions,
  Connection,
  ConnectionState,
  ConnectionStats,
  ConnectOptions,
  DialTransport,
  Listener,
  ListenOptions,
  Transport,
} from "./transport/transport.ts";
