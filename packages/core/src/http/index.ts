export { type OpenSocket, type SocketLibrary, socketOpener } from "./client/socket-opener.ts";
export { type SocketOptions, socketOptions } from "./client/socket-options.ts";
export {
  type WebDialOptions,
  type WebHandlerOptions,
  type WebListenOptions,
  type WebTls,
  webOptionNames,
} from "./options.ts";
export {
  type HttpErrorDetails,
  HttpResponse,
} from "./request/http-response.ts";
export type {
  HttpAgain,
  HttpClientTls,
  HttpHooks,
  HttpOutgoing,
  HttpPoolOptions,
  HttpRequestOptions,
  HttpRetryOptions,
  RequesterOptions,
} from "./request/options.ts";
export type { BodyInit, BodyOptions } from "./request/request-body.ts";
export { Requester } from "./request/requester.ts";
export type { PoolStats } from "./request/socket-pool.ts";
export type { Params, ParamValue } from "./request/target.ts";
export type { BodyChunk } from "./request/upload-stream.ts";
export type { BodyReader } from "./server/body.ts";
export { checkCopies, withTrace } from "./server/copies.ts";
export type { Abandonable, Desk } from "./server/desk.ts";
export { Endpoint } from "./server/endpoint.ts";
export { checkEventCount, MAX_BATCH_EVENTS, readEventArray } from "./server/event-array.ts";
export { type Exchange, refuseExchange, serveCall } from "./server/exchange.ts";
export { binaryFormat, eventFormat, type Format, plainFormat, sendable } from "./server/format.ts";
export { type HttpHandler, handlerOf } from "./server/http-handler.ts";
export type { SingleMode, Target } from "./server/intake.ts";
export { itemBatch } from "./server/item-batch.ts";
export { listenHttp, type WebListenInit } from "./server/listen.ts";
export { modeOf } from "./server/mode.ts";
export { checkUpload, openedKind } from "./server/opener.ts";
export type { Outlet } from "./server/outlet.ts";
export { type AnswerStream, HEAD_HOLD_MS, type OutputInit, type StreamOwner } from "./server/output.ts";
export { misplaced, type Refusal, refusalOf } from "./server/refusal.ts";
export {
  type Answer as WholeAnswer,
  encodingOf,
  endResponse,
  respond,
  streamHead,
  writeHead,
} from "./server/response.ts";
export { ServedCall, type ServedCallInit } from "./server/served-call.ts";
export { reasonOf } from "./server/uplink-input.ts";
export type { UplinkTarget } from "./server/uplinks.ts";
export type { Wire } from "./server/wire.ts";
export { type LineSink, LineWriter } from "./wire/line-writer.ts";
export { essenceOf, mediaTypes } from "./wire/media-type.ts";
export { Patrol } from "./wire/patrol.ts";
export { type Member, Roster } from "./wire/roster.ts";
export { seqAfter } from "./wire/seq.ts";
export { readText } from "./wire/text.ts";
