export { type Answer, headerOf, readAnswer, strangeAnswer, understood } from "./client/answer.ts";
export type { ClientWire, EventReader } from "./client/client-wire.ts";
export { dialHttp, type WebDialInit } from "./client/dial.ts";
export { dispatchError } from "./client/dispatch-error.ts";
export { GatheredAnswer } from "./client/gathered-answer.ts";
export { HeldSocket } from "./client/held-socket.ts";
export { HttpConnection, type HttpConnectionInit } from "./client/http-connection.ts";
export type { Link, OpenCall, Settle } from "./client/link.ts";
export { OutgoingCall } from "./client/outgoing-call.ts";
export { post } from "./client/post.ts";
export type { ResumableStream, Resumption } from "./client/resumption.ts";
export { checkSize } from "./client/size.ts";
export type { AnswerHeaders, HttpRequest, HttpSocket, ResponseController, ResponseHandler } from "./client/socket.ts";
export { type OpenSocket, type SocketLibrary, socketOpener } from "./client/socket-opener.ts";
export { type SocketOptions, socketOptions } from "./client/socket-options.ts";
export type { Sockets } from "./client/sockets.ts";
export type { UploadBody, UploadInit } from "./client/upload-body.ts";
export {
  HEARTBEAT_MS,
  type WebDialOptions,
  type WebHandlerOptions,
  type WebListenOptions,
  type WebTls,
  webLimits,
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
