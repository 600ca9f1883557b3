import { ParleyError } from "../../transport/index.ts";

/** Parameters of a query: those that are undefined are left out, those with several values repeated. */
export type Params =
  | Readonly<Record<string, ParamValue | readonly ParamValue[] | undefined>>
  | URLSearchParams
  | Iterable<readonly [string, string]>;

/** What a parameter or the field of a form can be. */
export type ParamValue = string | number | boolean;

/**
 * The address of a request. A path is beneath the base, whether or not it begins with a slash; it can name no other host.
 * @throws ParleyError `invalid_argument`, `not-sent`
 */
export function targetOf(target: string | URL, base: URL | undefined, params: Params | undefined): URL {
  if (typeof target !== "string" && !(target instanceof URL))
    throw refused(`the address of a request is a text or a URL, and is ${target}`);
  const url = resolve(target, base);
  if (url.protocol !== "http:" && url.protocol !== "https:") {
    throw refused(`${url.protocol} is no scheme of HTTP; use http: or https:`);
  }
  if (url.username !== "" || url.password !== "") {
    throw refused(`${url.host}: credentials do not belong into a URL; give them in the option credentials or headers`);
  }
  url.hash = "";
  if (params) for (const [name, value] of pairsOf(params)) url.searchParams.append(name, value);
  return url;
}

/** Names and values, one by one. */
export function pairsOf(params: Params): Iterable<readonly [string, string]> {
  if (Symbol.iterator in params) return params as Iterable<readonly [string, string]>; // a record has no such key
  return Object.entries(params).flatMap(([name, values]) =>
    (Array.isArray(values) ? values : [values])
      .filter((value) => value !== undefined)
      .map((value): [string, string] => [name, textOf(name, value)]),
  );
}

/** @throws ParleyError `invalid_argument`, without the value, for what has no text of its own */
function textOf(name: string, value: unknown): string {
  if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") return String(value);
  throw refused(
    `the parameter ${name} must be a text, a number or a boolean, and is ${value === null ? "null" : typeof value}`,
  );
}

function resolve(target: string | URL, base: URL | undefined): URL {
  if (target instanceof URL) return new URL(target);
  const absolute = /^[a-z][a-z\d+.-]*:/i.test(target);
  if (!absolute && !base) throw refused(`"${pathOf(target)}" is no whole URL; give one, or the option baseUrl`);
  const whole = absolute || !base ? target : `${base.origin}${base.pathname.replace(/\/+$/, "")}${beneath(target)}`;
  const url = URL.parse(whole);
  if (!url) throw refused(`"${pathOf(target)}" is no URL`);
  return url;
}

function beneath(path: string): string {
  return path === "" || path.startsWith("?") ? path : `/${path.replace(/^\/+/, "")}`;
}

/** Without the query, which may hold what is secret. */
function pathOf(target: string): string {
  return target.split("?", 1)[0] ?? "";
}

function refused(message: string): ParleyError {
  return new ParleyError("invalid_argument", message, { outcome: "not-sent" });
}
