import { readFileSync } from "node:fs";
import { setImmediate as turn } from "node:timers/promises";
import { ParleyError } from "@parley/core/transport";
import { describe, expect, it } from "vitest";

/** Starts what is at fault; what it gives back makes a client and uses it, until that fails. Each closes what it opened with its stack. */
export type Fault = (peers: AsyncDisposableStack) => Promise<(clients: AsyncDisposableStack) => Promise<unknown>>;

/** What a client has to say beside its cell of the table. */
export interface FaultCase {
  readonly fault: Fault;
  readonly error?: object;
}

/** A fault that has no meaning for a client. */
const NONE = "–";

/**
 * Holds a client to its column of the table in docs/clients/faults.md: each cell comes about, on real sockets and processes, and the client
 * leaves nothing open, while its peer is still there.
 */
export function holdsToFaultTable(client: string, cases: Readonly<Record<string, Fault | FaultCase>>): void {
  describe(`${client} in docs/clients/faults.md`, () => {
    const cells = columnOf(client);

    it("has a cell for each fault, and a case for each cell", () => {
      const wanted = [...cells].filter(([, cell]) => cell !== NONE).map(([fault]) => fault);
      expect(Object.keys(cases).sort()).toEqual(wanted.sort());
    });

    it.each(Object.entries(cases))(
      "%s",
      async (name, given) => {
        const { fault, error: more = {} } = typeof given === "function" ? { fault: given } : given;
        const atFirst = held();
        await using _all = { [Symbol.asyncDispose]: () => released(atFirst) };
        await using peers = new AsyncDisposableStack();
        const use = await fault(peers);
        const before = held();
        const clients = new AsyncDisposableStack();
        const error = await use(clients).then(
          () => Promise.reject(new Error("it did not fail")),
          (thrown: unknown) => thrown,
        );
        const said =
          error instanceof ParleyError
            ? `\`${error.code}\`, \`${error.outcome}\``
            : `\`${(error as { code?: string }).code}\``;
        expect(said, String((error as Error).stack)).toBe(cells.get(name));
        expect(error).toMatchObject(more);
        await clients.disposeAsync();
        await released(before);
      },
      30_000,
    );
  });
}

/** The cells of one client, by the fault. */
function columnOf(client: string): ReadonlyMap<string, string> {
  const page = readFileSync(new URL("../../../docs/clients/faults.md", import.meta.url), "utf8");
  const [head = [], , ...rows] = page
    .split("\n")
    .filter((line) => line.startsWith("|"))
    .map((line) => line.split("|").map((cell) => cell.trim()));
  const place = head.findIndex((cell) => cell.startsWith(`[\`${client}\`]`));
  return new Map(rows.map((row) => [(row[1] ?? "").replaceAll("*", ""), row[place] ?? ""]));
}

type Held = Readonly<Record<string, number>>;

/** What keeps this process alive: sockets, processes, pipes and timers. */
function held(): Held {
  const counts: Record<string, number> = {
    TCPSocketWrap: 0,
    ProcessWrap: 0,
    PipeWrap: 0,
    Timeout: 0,
    FSReqCallback: 0,
  };
  for (const name of process.getActiveResourcesInfo()) if (name in counts) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

/** Less than servers keep an idle connection, so that one that was left open is seen. */
const PATIENCE_MS = 3_000;

/** Resolves when there is no more than before: the peer's end of a connection may close a little later than the client's. */
async function released(before: Held): Promise<void> {
  const begun = performance.now();
  while (left(before).length > 0 && performance.now() - begun < PATIENCE_MS) await turn();
  expect(left(before)).toEqual([]);
}

/** What there is more of than before; a timer of the test runner's own may have ended meanwhile. */
function left(before: Held): readonly string[] {
  return Object.entries(held()).flatMap(([name, count]) => (count > (before[name] ?? 0) ? [name] : []));
}
