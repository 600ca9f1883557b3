import type { ParleyError } from "../../transport/index.ts";
import type { Answer } from "./answer.ts";
import { dispatchError } from "./dispatch-error.ts";
import { GatheredAnswer } from "./gathered-answer.ts";
import { HeldSocket } from "./held-socket.ts";
import type { Link } from "./link.ts";
import type { AnswerHeaders, HttpRequest, ResponseController, ResponseHandler } from "./socket.ts";

/** Makes a request that is no call, and resolves with its whole answer. @throws ParleyError `unavailable` */
export function post(link: Link, request: HttpRequest): Promise<Answer> {
  return new Promise((resolve, reject) => {
    new Post(link, resolve, reject).start(request);
  });
}

class Post implements ResponseHandler {
  readonly #link: Link;
  readonly #resolve: (answer: Answer) => void;
  readonly #reject: (error: ParleyError) => void;
  readonly #socket: HeldSocket;
  readonly #answer: GatheredAnswer;
  #started = false;

  constructor(link: Link, resolve: (answer: Answer) => void, reject: (error: ParleyError) => void) {
    this.#link = link;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#socket = new HeldSocket(link);
    this.#answer = new GatheredAnswer(link);
  }

  start(request: HttpRequest): void {
    this.#socket.dispatch(request, this);
  }

  onRequestStart(): void {
    this.#started = true;
  }

  onResponseStart(_controller: ResponseController, status: number, headers: AnswerHeaders): void {
    this.#link.heard();
    this.#answer.begin(status, headers);
  }

  onResponseData(controller: ResponseController, chunk: Uint8Array): void {
    try {
      this.#answer.take(chunk);
    } catch (thrown) {
      controller.abort(thrown as Error);
    }
  }

  onResponseEnd(): void {
    this.#socket.release();
    this.#resolve(this.#answer.end());
  }

  onResponseError(_controller: ResponseController, failure: Error): void {
    this.#socket.release();
    this.#reject(dispatchError(failure, this.#started, this.#link.address));
  }
}
