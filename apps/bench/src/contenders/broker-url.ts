/** The broker of an agent's URL. */
export function brokerOf(url: string): string {
  return new URL("/", url).href;
}
