import { once } from "node:events";
import { existsSync, readdirSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { delimiter, join } from "node:path";

/** Path of a program, looked for where a shell would and where Debian puts daemons. */
export function installed(name: string): string | undefined {
  const directories = [
    ...(process.env["PATH"] ?? "").split(delimiter),
    "/usr/sbin",
    "/usr/local/sbin",
    "/opt/homebrew/sbin",
  ];
  return directories.map((directory) => join(directory, name)).find((path) => existsSync(path));
}

/** Path of a library that a program loads, looked for where distributions put them. */
export function installedLibrary(name: string): string | undefined {
  const roots = ["/usr/lib", "/usr/lib64", "/usr/local/lib", "/opt/homebrew/lib"].filter((path) => existsSync(path));
  // Debian has a directory for each kind of machine.
  const directories = roots.flatMap((root) => [
    root,
    ...readdirSync(root)
      .filter((entry) => entry.includes("-linux-"))
      .map((entry) => join(root, entry)),
  ]);
  return directories.map((directory) => join(directory, name)).find((path) => existsSync(path));
}

/** So many ports of 127.0.0.1 that nobody has now. */
export async function freePorts(count: number): Promise<readonly number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer().listen(0, "127.0.0.1");
      await once(server, "listening");
      return server;
    }),
  );
  const ports = servers.map((server) => (server.address() as AddressInfo).port); // a TCP server's address is an object
  await Promise.all(servers.map((server) => once(server.close(), "close")));
  return ports;
}
