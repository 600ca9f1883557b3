export { ItemStream } from "../agent/item-stream.ts";
export type { Items } from "../agent/item-writer.ts";
export { type Calling, type CallStart, OpenCall } from "../agent/open-call.ts";
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
export { withOutcome } from "../call/outcome.ts";
export { ownCall } from "../call/own-call.ts";
export type { Presented } from "../call/presented.ts";
export { report } from "../call/report.ts";
export { withCertificate } from "../credentials/certificate.ts";
export type { ClientCertificate, Credential, Credentials, Login } from "../credentials/credentials.ts";
export {
  checkHeaders,
  Presenter,
  type PresentOptions,
  presenterOf,
  type Renewal,
  requireCredentials,
} from "../credentials/presenter.ts";
export { createEnvelope, type EnvelopeInit, timestamp } from "../envelope/create.ts";
export { decodeData, encodeData } from "../envelope/data.ts";
export { decode, readEvent } from "../envelope/decode.ts";
export { encode, encodeHeader, type HopAttributes, isReplaced } from "../envelope/encode.ts";
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
  type SessionKind,
} from "../envelope/envelope.ts";
export { answererItem, callerItem, end, follower, type Opener, reply } from "../envelope/follow.ts";
export { newId, shortId } from "../envelope/id.ts";
export { isJsonType } from "../envelope/media-type.ts";
export { checkFilter, checkTopic } from "../envelope/topic-name.ts";
export { utf8Length } from "../envelope/utf8.ts";
export { type OperationVersion, operationType, parseType } from "../envelope/version.ts";
export { choiceOption, countOption, durationOption, knownOptions, type OptionNames } from "../resilience/option.ts";
export { type Backoff, delayBound, fullJitter } from "../runtime/backoff.ts";
export { type DeadlineListener, Deadlines, type WatchedDeadline } from "../runtime/deadlines.ts";
export { pause } from "../runtime/pause.ts";
export { type CancelTimer, createRuntime, type Runtime, type RuntimeParts, systemRuntime } from "../runtime/runtime.ts";
export { type OperationOptions, within } from "../runtime/within.ts";
export { type Answerer, isOneWay, leaveOutput, messageOf, outputOf, reportCall, runHandler } from "./answering.ts";
export type {
  Address,
  Arrival,
  Broker,
  BrokerEvents,
  Confirm,
  Destination,
  OpenBroker,
  Unsubscribe,
} from "./broker/broker.ts";
export { encodeMessage } from "./broker/encode-message.ts";
export { MAX_BATCH_EVENTS } from "./broker/terms.ts";
export { BRIDGE } from "./broker/topic-bridge.ts";
export { readUnread, type Unread } from "./broker/unread.ts";
export type { Channel, ChannelEvents, OpenChannel } from "./channel/channel.ts";
export type { Frame, FrameCodec } from "./channel/frame-codec.ts";
export { PING } from "./channel/reception.ts";
export { timeLeft } from "./channel/time-left.ts";
export {
  type AcceptedPeer,
  type ChannelListener,
  type ChannelListenerInit,
  channelListener,
} from "./channel-listener.ts";
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
export {
  type BrokerOptions,
  brokerLimits,
  type DialBrokerOptions,
  dialBroker,
  type ListenBrokerOptions,
  listenBroker,
} from "./over-broker.ts";
export { acceptChannel, type ChannelOptions, channelLimits, checkChannelOptions, dialChannel } from "./over-channel.ts";
export { type ItemSource, PacedItems } from "./paced-items.ts";
export { hiddenReasons, refuseInBrowser } from "./page.ts";
export type { ClientHealth, ClientState, ClientStateChange } from "./protocol-client/client-state.ts";
export {
  type Dialling,
  type Ending,
  LinkKeeper,
  type LinkKeeperInit,
} from "./protocol-client/link-keeper.ts";
export { Operation, type OperationInit } from "./protocol-client/operation.ts";
export {
  type Attempt,
  type EffectOptions,
  type PolicedOperation,
  Policies,
  type PolicyOptions,
  policiesOf,
} from "./protocol-client/policies.ts";
export type { Waiter } from "./protocol-client/waiting-operations.ts";
export { type OnGap, onGap } from "./reconnect/gap.ts";
export { type ReconnectOptions, type ReconnectPolicy, reconnectPolicy } from "./reconnect/options.ts";
export { type ReconnectingTransport, reconnecting } from "./reconnect/reconnecting.ts";
export type { Health, ReconnectingConnection, StateChange } from "./reconnect/reconnecting-connection.ts";
export { Redial, type RedialInit, type RedialPolicy, type RedialWait } from "./reconnect/redial.ts";
export type { KeptSession, SessionKeeper } from "./session/keeper.ts";
export type { SessionsOptions } from "./session/sessions.ts";
export type { ResumeOptions } from "./session/terms.ts";
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
} from "./transport.ts";
