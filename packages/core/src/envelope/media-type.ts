const JSON_TYPE = /^[^/;\s]+\/(?:[^/;\s]+\+)?json\s*(?:;|$)/i;

/**
 * Whether data of this media type is a JSON value (CloudEvents JSON format, 3.1: the subtype is `json` or ends in `+json`). No type
 * means JSON; case and parameters do not matter.
 */
export function isJsonType(datacontenttype: string | undefined): boolean {
  return datacontenttype === undefined || datacontenttype === "application/json" || JSON_TYPE.test(datacontenttype);
}
