import type { Result } from "./result.ts";

/** What addresses hold that is for nobody's eyes: passwords, a user's name that stands without one, values of a query; as written there and as sent. */
export function secretsOf(urls: readonly string[]): readonly string[] {
  const secrets = urls.flatMap((one) => {
    const { username, password, search, searchParams } = new URL(one);
    const asWritten = search.split(/[?&]/).map((part) => part.slice(part.indexOf("=") + 1));
    return [password || username, decoded(password || username), ...asWritten, ...searchParams.values()];
  });
  return [...new Set(secrets)].filter((secret) => secret !== "").sort((one, other) => other.length - one.length);
}

/** A result in which none of these is told, whatever a transport or a broker has said. */
export function hiding(secrets: readonly string[], result: Result): Result {
  if (secrets.length === 0) return result;
  const { message, history, seen } = result;
  const hidden = (text: string): string => secrets.reduce((all, secret) => all.replaceAll(secret, "***"), text);
  return {
    ...result,
    ...(message === undefined ? {} : { message: hidden(message) }),
    ...(history === undefined ? {} : { history: history.map((entry) => ({ ...entry, what: hidden(entry.what) })) }),
    ...(seen === undefined ? {} : { seen: { ...seen, calls: seen.calls.map(hidden) } }),
  };
}

/** An address as it may be told: without user, password and query. */
export function publicAddress({ protocol, host, pathname }: URL): string {
  return `${protocol}//${host}${pathname}`;
}

/** What was meant to be an address, without what may be a user and a password in it. */
export function withoutLogin(text: string): string {
  return text.replace(/\/\/[^/]*@/, "//");
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
