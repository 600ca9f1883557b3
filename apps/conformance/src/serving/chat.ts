import type { HandledCall } from "@parley/core";
import type { Note } from "./note.ts";
import { codeOf, type Told, toldError } from "./told.ts";

/** What a scenario says in a conversation; one key each. */
interface Said {
  /** Is said back. */
  readonly say?: unknown;
  /** So many items are pushed at once. */
  readonly push?: number;
  /** Is remembered. */
  readonly note?: unknown;
  /** Asks for what was remembered. */
  readonly notes?: true;
  /** So many items are pushed after the end of the input. */
  readonly afterEnd?: number;
  /** No more is said from here on. */
  readonly finishOutput?: true;
  /** The input is left, and then so many items are pushed. */
  readonly leaveInput?: number;
  readonly fail?: Told;
}

/** The fixture's conversation: does what each item says, and says when the input has ended. */
export async function* chat(
  items: AsyncIterable<unknown>,
  call: HandledCall,
  note: Note,
): AsyncGenerator<unknown, void, undefined> {
  const notes: unknown[] = [];
  let [read, after, silent] = [0, 0, false];
  try {
    for await (const item of items) {
      const said = item as Said; // what the scenarios send
      read++;
      if ("say" in said) yield { said: said.say };
      if (said.push !== undefined) yield* pushed(said.push);
      if ("note" in said) notes.push(said.note);
      if (said.notes) yield { notes };
      if (said.afterEnd !== undefined) after = said.afterEnd;
      if (said.fail) throw toldError(said.fail);
      if (said.finishOutput) {
        silent = true;
        note("seen", call, "finishOutput");
      }
      if (said.leaveInput !== undefined) {
        after = said.leaveInput;
        silent = true;
        break;
      }
    }
  } catch (error) {
    note("threw", call, codeOf(error));
    throw error;
  }
  note("input-end", call, read);
  yield* pushed(after);
  if (!silent) yield { inputEnded: true };
}

function* pushed(n: number): Generator<unknown, void, undefined> {
  for (let k = 1; k <= n; k++) yield { pushed: k };
}
