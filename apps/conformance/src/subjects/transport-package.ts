const ENTRY = "entry";

/** The URL of a built-in subject's module, made with the transport package whose entry point is this, and not with one beside the suite. */
export function madeWith(subject: URL, entry: URL): URL {
  const url = new URL(subject);
  url.searchParams.set(ENTRY, entry.href);
  return url;
}

/**
 * The transport package that a built-in subject is made with.
 * @param subject `import.meta.url` of the subject's module, as {@link madeWith} made it.
 */
export async function transportPackage<Package>(subject: string, name: string): Promise<Package> {
  return (await import(new URL(subject).searchParams.get(ENTRY) ?? name)) as Package; // by its name
}
