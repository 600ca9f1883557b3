import type { Target } from "./intake.ts";
import { notFound, type Refusal, wrongMethod } from "./refusal.ts";

/** What a request asks for. */
export type Route =
  | { readonly to: "description" | "health" | "batch" }
  | { readonly to: "call"; readonly target: Target }
  /** A stream to read. Without a name it is found by what the request says else. */
  | { readonly to: "stream"; readonly target: Target | undefined; readonly query: string }
  /** A browser, or anyone, asking what the path takes. */
  | { readonly to: "options"; readonly methods: string }
  | { readonly to: "refusal"; readonly refusal: Refusal };

const READ = "GET, HEAD, OPTIONS";
const CALL = "POST, OPTIONS";
const CALL_OR_READ = "GET, POST, OPTIONS";

/** An operation in a path: the characters of an attribute (those that need it percent-encoded), beginning with a letter or digit. */
const NAMED = /^[A-Za-z0-9][!#$&-[\]-~]{0,255}$/;

/**
 * Finds what a request asks for, by its method and the path beneath the address.
 * @param streams whether there are streams to read by GET.
 */
export function routeOf(method: string | undefined, url: string, streams: boolean): Route {
  const query = url.indexOf("?");
  const path = query < 0 ? url : url.slice(0, query);
  const asked = query < 0 ? "" : url.slice(query + 1);
  switch (path) {
    case "/.well-known/parley":
      return read(method, { to: "description" });
    case "/healthz":
      return read(method, { to: "health" });
    case "/":
    case "":
      return call(method, { to: "batch" }, streams ? { to: "stream", target: undefined, query: asked } : undefined);
  }
  const named = nameIn(path);
  if (named === undefined)
    return {
      to: "refusal",
      refusal: notFound("a path here is one segment, the type of an operation: /text.summarize.v1"),
    };
  const subject = query < 0 ? undefined : (new URLSearchParams(asked).get("subject") ?? undefined);
  const target = { named, subject };
  return call(method, { to: "call", target }, streams ? { to: "stream", target, query: asked } : undefined);
}

function read(method: string | undefined, route: Route): Route {
  if (method === "GET" || method === "HEAD") return route;
  return otherwise(method, READ);
}

function call(method: string | undefined, route: Route, stream: Route | undefined): Route {
  if (method === "POST") return route;
  if (!stream) return otherwise(method, CALL);
  return method === "GET" ? stream : otherwise(method, CALL_OR_READ);
}

function otherwise(method: string | undefined, methods: string): Route {
  return method === "OPTIONS" ? { to: "options", methods } : { to: "refusal", refusal: wrongMethod(method, methods) };
}

function nameIn(path: string): string | undefined {
  const segment = path.slice(1);
  if (path[0] !== "/" || segment.includes("/")) return undefined;
  if (!segment.includes("%")) return NAMED.test(segment) ? segment : undefined;
  try {
    const named = decodeURIComponent(segment);
    return NAMED.test(named) ? named : undefined;
  } catch {
    return undefined;
  }
}
