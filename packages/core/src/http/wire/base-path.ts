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
