/** A URI (RFC 3986, 3), or a reference with an authority. */
const NAMES_SOMEBODY = /^(?:[a-z][a-z\d+.-]*:|\/\/)/i;
const HOST = /^[^/?#]*\/\/(?:[^/?#@]*@)?([^/?#:]*)/;

/**
 * Whether a message's `source` is one that whoever is known as this principal may give: the principal itself, what lies below it
 * (`urn:agent:ada/phone` of `urn:agent:ada`), or a URI whose host it is (`https://ada.example/phone` of `ada.example`). A reference without
 * scheme and host, `client` or `/a1b2`, names nobody, and is anybody's.
 */
export function ownSource(source: string, principal: string): boolean {
  if (!NAMES_SOMEBODY.test(source) || source === principal) return true;
  if (source.startsWith(principal) && /[/?#]/.test(source.charAt(principal.length))) return true;
  return HOST.exec(source)?.[1]?.toLowerCase() === principal.toLowerCase();
}
