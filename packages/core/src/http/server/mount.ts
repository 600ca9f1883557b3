import type { IncomingMessage, RequestListener, Server, ServerResponse } from "node:http";
import { ParleyError } from "../../transport/index.ts";
import { targetBeneath } from "../wire/base-path.ts";

/** Answers requests beneath one path of a server. `url` is the target beneath that path. */
export type ServeRequest = (request: IncomingMessage, response: ServerResponse, url: string) => void;

/** What is mounted beneath a path. */
export interface Mounted {
  /** The path: without a slash at its end, empty for the root. */
  readonly base: string;
  readonly serve: ServeRequest;
  /** Where that is, for messages: `"127.0.0.1:8080/agents"`. */
  readonly where: string;
  /** Name of the transport; each is at a path once. */
  readonly transport: string;
  /** Tells the requests that are meant for it where several share a path. Without it, it gets what no other claims. */
  readonly claims?: ((request: IncomingMessage) => boolean) | undefined;
}

/** What is mounted on servers that have requests of their own to answer. */
const routers = new WeakMap<Server, Router>();

/**
 * Mounts on a server that somebody else owns. What is not for Parley goes on to the listeners that the server had. Returns what takes it
 * down again.
 * @throws ParleyError `already_exists` when this transport is there already
 */
export function mount(server: Server, mounted: Mounted): () => void {
  const router = routers.get(server) ?? new Router(server);
  routers.set(server, router);
  router.add(mounted);
  return () => {
    if (router.remove(mounted)) routers.delete(server);
  };
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
    const { base, transport, where } = mounted;
    if (this.#mounted.some((one) => one.base === base && one.transport === transport)) {
      throw new ParleyError(
        "already_exists",
        `${where} is in use: ${transport} is served there already; take another port or path`,
        { outcome: "not-sent" },
      );
    }
    // The longest path first, so that one mount can lie beneath another; at one path, whoever gets the rest comes last.
    this.#mounted = [...this.#mounted, mounted].sort(
      (left, right) => right.base.length - left.base.length || Number(!left.claims) - Number(!right.claims),
    );
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
    const mounted = this.#find(request, url);
    if (mounted) return mounted.serve(request, response, targetBeneath(mounted.base, url) as string);
    if (this.#others.length === 0) response.writeHead(404, ["Content-Length", "0"]).end();
    for (const other of this.#others) other.call(this.#server, request, response as Parameters<RequestListener>[1]);
  }

  /** Of those at the longest path that fits, whoever claims the request, else the last. */
  #find(request: IncomingMessage, url: string): Mounted | undefined {
    let found: Mounted | undefined;
    for (const mounted of this.#mounted) {
      const { base, claims } = mounted;
      if (found && found.base !== base) break;
      const target = targetBeneath(base, url);
      if (target === undefined) continue;
      if (base === "" && this.#others.length > 0 && !isForParley(request, target)) continue;
      found = mounted;
      if (claims?.(request)) break;
    }
    return found;
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
