import { describe } from "./describe.ts";
import { draw } from "./diagram/draw.ts";
import { rowsOf } from "./diagram/rows.ts";
import type { Recorded } from "./record.ts";

/** The conversation of the team as a picture. */
export function drawn(events: readonly Recorded[], question: string): string {
  return draw(rowsOf(events, describe), {
    title: question,
    subtitle: "A research team in seven processes, over six wires. One of them is killed on the way.",
    participants: ["you", "coordinator", "directory", "ada", "bob", "cleo", "dan", "news"],
    wires: { ws: "#2563eb", http: "#0f766e", grpc: "#7c3aed", sse: "#ca8a04", stdio: "#9a3412", mqtt: "#db2777" },
  });
}
