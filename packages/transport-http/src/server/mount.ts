import type { IncomingMessage, RequestListener, Server, ServerResponse } from "node:http";

/** Answers requests beneath one path of a server. `url` is the target beneath that path. */
export type ServeRequest = (request: IncomingMessage, response: ServerResponse, url: string) => void;

interface Mounted {
  readonly base: string;
  readonly serve: ServeRequest;
}

/** What is mounted on servers that have requests of their own to answer. */
const routers = new WeakMap<Server, Router>();

/**
 * Mounts on a server that somebody else owns. What is not for Parley goes on to the listeners that the server had. Returns what takes it
 * down again.
 */
export function mount(server: Server, base: string, serve: ServeRequest): () => void {
  const router = routers.get(server) ?? new Router(server);
  routers.set(server, router);
  const mounted: Mounted = { base, serve };
  router.add(mounted);
  return () => {
    if (router.remove(mounted)) routers.delete(server);
  };
}

/** The path of an address as a prefix: without the slash at its end, empty for the root. */
export function basePath({ pathname }: URL): string {
  return pathname.replace(/\/+$/, "");
}

/** The target beneath a base; undefined when it is elsewhere. */
export function targetBeneath(base: string, url: string): string | undefined {
  if (!url.startsWith(base)) return undefined;
  const rest = url.slice(base.length);
  if (rest === "") return "/";
  return rest[0] === "/" || rest[0] === "?" ? rest : undefined;
}

/** Stands before the request listeners that a server had, until the last mount is gone. */
class Router {
  readonly #server: Server;
  readonly #others: readonly RequestListener[];
  #mounted: readonly Mounted[] = [];
  readonly #listener = (request: IncomingMessage, response: ServerResponse): void => this.#route(request, response);

  constructor(server: Server) {
    this.#server = server;
    this.#others = server.listeners("request") as RequestListener[];
    server.removeAllListeners("request");
    server.on("request", this.#listener);
  }

  add(mounted: Mounted): void {
    // The longest path first, so that one mount can lie beneath another.
    this.#mounted = [...this.#mounted, mounted].sort((left, right) => right.base.length - left.base.length);
  }

  /** Returns whether nothing is mounted any more; the server is then as it was. */
  remove(mounted: Mounted): boolean {
    this.#mounted = this.#mounted.filter((one) => one !== mounted);
    if (this.#mounted.length > 0) return false;
    this.#server.off("request", this.#listener);
    for (const other of this.#others.toReversed()) this.#server.prependListener("request", other);
    return true;
  }

  #route(request: IncomingMessage, response: ServerResponse): void {
    const { url = "/" } = request;
    for (const { base, serve } of this.#mounted) {
      const target = targetBeneath(base, url);
      if (target !== undefined && (base !== "" || this.#others.length === 0 || isForParley(request, target))) {
        return serve(request, response, target);
      }
    }
    if (this.#others.length === 0) response.writeHead(404, ["Content-Length", "0"]).end();
    for (const other of this.#others) other.call(this.#server, request, response as Parameters<RequestListener>[1]);
  }
}

/** At the root of a server with paths of its own: what names an operation with its version, or brings a CloudEvent. */
function isForParley({ method, headers }: IncomingMessage, target: string): boolean {
  const path = target.split("?", 1)[0] as string;
  if (path === "/.well-known/parley" || /^\/[^/]+\.v\d+$/.test(path)) return true;
  return (
    method === "POST" &&
    (headers["ce-specversion"] !== undefined || /^application\/cloudevents/i.test(headers["content-type"] ?? ""))
  );
}
