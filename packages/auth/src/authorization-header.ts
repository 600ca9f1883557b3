import type { Context } from "@parley/core";

/** What follows a scheme in the `authorization` header (RFC 9110, 11.4); undefined when there is none, or of another scheme. */
export function authorizationOf({ presented }: Context, scheme: string): string | undefined {
  const [value = ""] = presented?.header("authorization") ?? [];
  const space = value.indexOf(" ");
  // Schemes are told apart without regard to case.
  if (space < 0 || value.slice(0, space).toLowerCase() !== scheme) return undefined;
  return value.slice(space).trim();
}
