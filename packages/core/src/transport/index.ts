export {
  type AbortListener,
  type Call,
  type CallChange,
  type CallInit,
  createCall,
  derive,
  type OwnedCall,
} from "../call/call.ts";
export { type Code, type CodeMapping, codes, isCode } from "../call/code.ts";
export { Context, type ContextKey, contextKey, type Peer } from "../call/context.ts";
export {
  AuthenticationError,
  cancelled,
  type ErrorOptions,
  errorFor,
  type Issue,
  type Outcome,
  ParleyError,
  TransportError,
  toParleyError,
  ValidationError,
} from "../call/error.ts";
export {
  type ErrorData,
  type ErrorFallback,
  errorData,
  errorEvent,
  MAX_ERROR_BYTES,
  readError,
} from "../call/error-event.ts";
export { type Handler, type Interceptor, type Invoke, intercept, type Reply } from "../call/interceptor.ts";
export type { Log, LogEntry } from "../call/log.ts";
export { report } from "../call/report.ts";
export { createEnvelope, type EnvelopeInit, timestamp } from "../envelope/create.ts";
export { decodeData, encodeData } from "../envelope/data.ts";
export { decode, readEvent } from "../envelope/decode.ts";
export { encode, encodeHeader, type HopAttributes } from "../envelope/encode.ts";
export {
  type AttributeValue,
  type CallKind,
  callKinds,
  type Envelope,
  type FollowerKind,
  followerKinds,
  hopAttributes,
  type Kind,
  PROFILE,
} from "../envelope/envelope.ts";
export { answererItem, callerItem, end, follower, type Opener, reply } from "../envelope/follow.ts";
export { newId, shortId } from "../envelope/id.ts";
export { isJsonType } from "../envelope/media-type.ts";
export { checkFilter, checkTopic } from "../envelope/topic-name.ts";
export { utf8Length } from "../envelope/utf8.ts";
export { type OperationVersion, operationType, parseType } from "../envelope/version.ts";
export { type DeadlineListener, Deadlines, type WatchedDeadline } from "../runtime/deadlines.ts";
export { type CancelTimer, createRuntime, type Runtime, type RuntimeParts, systemRuntime } from "../runtime/runtime.ts";
export type { Channel, ChannelEvents, OpenChannel } from "./channel/channel.ts";
export { PING } from "./channel/channel-connection.ts";
export { timeLeft, withOutcome } from "./channel/time-left.ts";
export { type ChannelListener, type ChannelListenerInit, channelListener } from "./channel-listener.ts";
export {
  type AnnouncedOperation,
  answerHello,
  HELLO,
  type Hello,
  type Hop,
  helloData,
  profiles,
  readHello,
} from "./hello.ts";
export { ItemQueue, type ItemQueueOwner } from "./item-queue.ts";
export { type BrokerPromises, type Limits, type Manifest, manifestProblems } from "./manifest.ts";
export { type MemoryOptions, type MemorySide, type MemoryTap, type MemoryWire, memory } from "./memory.ts";
export { acceptChannel, type ChannelOptions, channelLimits, dialChannel } from "./over-channel.ts";
export type {
  CloseOptions,
  Connection,
  ConnectionState,
  ConnectionStats,
  ConnectOptions,
  Listener,
  ListenOptions,
  Transport,
} from "./transport.ts";
