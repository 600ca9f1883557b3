import { type Credential, toParleyError } from "../../transport/index.ts";
import type { Link } from "./link.ts";
import type { HttpRequest, HttpSocket, ResponseController, ResponseHandler } from "./socket.ts";

/** Of a request that was never begun. */
const NO_CONTROLLER: ResponseController = { abort() {}, pause() {}, resume() {} };

/** A socket in the hands of one request, until nothing more will come of it. */
export class HeldSocket {
  readonly #link: Link;
  #socket: HttpSocket | undefined;

  constructor(link: Link) {
    this.#link = link;
  }

  /** Sends the request, with what shows who calls, once that is there. The handler may be told at once. */
  dispatch(request: HttpRequest, handler: ResponseHandler): void {
    const failed = (thrown: unknown): void => handler.onResponseError(NO_CONTROLLER, toParleyError(thrown));
    const { sockets, presenter } = this.#link;
    let socket: HttpSocket;
    try {
      socket = sockets.take();
    } catch (thrown) {
      return queueMicrotask(() => failed(thrown));
    }
    this.#socket = socket;
    this.#link.requestBegan();
    if (!presenter) return void socket.dispatch(request, handler);
    const send = (credential: Credential): void => {
      socket.dispatch({ ...request, headers: [...request.headers, ...credential.header()] }, handler);
    };
    const credential = presenter.present();
    if (!(credential instanceof Promise)) send(credential);
    else credential.then(send, failed);
  }

  /** The request has ended, one way or another: the socket goes to the next. */
  release(): void {
    if (!this.#socket) return;
    this.#link.ended();
    this.#link.sockets.give(this.#socket);
    this.#socket = undefined;
  }
}
