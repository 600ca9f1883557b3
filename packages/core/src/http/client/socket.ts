/** One HTTP/1.1 connection, used for one request at a time, as undici's `Client` is. */
export interface HttpSocket {
  dispatch(request: HttpRequest, handler: ResponseHandler): boolean;
  destroy(): Promise<void>;
}

/** A request to make. */
export interface HttpRequest {
  readonly path: string;
  readonly method: string;
  /** Flat: name, value, name, value. */
  readonly headers: string[];
  /** A text, bytes, or any async iterable of them, which undici takes and its types leave out. */
  readonly body?: string | Uint8Array;
}

/** Is told of the answer to a request, by undici's names. */
export interface ResponseHandler {
  onRequestStart(controller: ResponseController): void;
  /** More of the request's body has gone out. */
  onBodySent?(): void;
  onResponseStart(
    controller: ResponseController,
    status: number,
    headers: AnswerHeaders,
    statusText?: string | undefined,
  ): void;
  onResponseData(controller: ResponseController, chunk: Uint8Array): void;
  onResponseEnd(): void;
  onResponseError(controller: ResponseController, failure: Error): void;
}

/** Steers an answer on its way. */
export interface ResponseController {
  abort(reason: Error): void;
  pause(): void;
  resume(): void;
}

/** Headers by name, in lower case. */
export type AnswerHeaders = Readonly<Record<string, string | string[] | undefined>>;
