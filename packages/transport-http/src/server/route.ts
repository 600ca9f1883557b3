import type { Target } from "./intake.ts";
import { notFound, type Refusal, wrongMethod } from "./refusal.ts";

/** What a request asks for. */
export type Route =
  | { readonly to: "description" | "health" | "batch" }
  | { readonly to: "call"; readonly target: Target }
  /** A browser, or anyone, asking what the path takes. */
  | { readonly to: "options"; readonly methods: string }
  | { readonly to: "refusal"; readonly refusal: Refusal };

const READ = "GET, HEAD, OPTIONS";
const CALL = "POST, OPTIONS";

/** An operation in a path: the characters of an attribute (those that need it percent-encoded), beginning with a letter or digit. */
const NAMED = /^[A-Za-z0-9][!#$&-[\]-~]{0,255}$/;

/** Finds what a request asks for, by its method and the path beneath the address. */
export function routeOf(method: string | undefined, url: string): Route {
  const query = url.indexOf("?");
  const path = query < 0 ? url : url.slice(0, query);
  switch (path) {
    case "/.well-known/parley":
      return read(method, { to: "description" });
    case "/healthz":
      return read(method, { to: "health" });
    case "/":
    case "":
      return call(method, { to: "batch" });
  }
  const named = nameIn(path);
  if (named === undefined)
    return {
      to: "refusal",
      refusal: notFound("a path here is one segment, the type of an operation: /text.summarize.v1"),
    };
  const subject = query < 0 ? undefined : (new URLSearchParams(url.slice(query)).get("subject") ?? undefined);
  return call(method, { to: "call", target: { named, subject } });
}

function read(method: string | undefined, route: Route): Route {
  if (method === "GET" || method === "HEAD") return route;
  return otherwise(method, READ);
}

function call(method: string | undefined, route: Route): Route {
  return method === "POST" ? route : otherwise(method, CALL);
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
