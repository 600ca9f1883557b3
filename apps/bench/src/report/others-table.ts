import { otherNames, others } from "../others.ts";
import { measures, wires } from "../plan.ts";
import type { BenchDocument } from "./document.ts";
import { resultsOf } from "./goals.ts";
import { markdownTable } from "./markdown-table.ts";
import { mark, rowTitle, spread } from "./ratio-tables.ts";

/** What is measured of any of them. */
const columns = measures.filter((measure) => otherNames.some((name) => others[name].measures.includes(measure)));

/** How many times as fast as other frameworks Parley is. */
export function othersTable({ figures, versions }: Pick<BenchDocument, "figures" | "versions">): string {
  const rows = wires.flatMap((wire) =>
    otherNames.flatMap((name) => {
      const { title, beside, package: library } = others[name];
      const own = figures.filter((one) => one.wire === wire && one.contender === name);
      return beside
        .filter((parley) => own.some(({ parleyTo }) => parleyTo?.[parley]))
        .map((parley) => [
          rowTitle(wire, parley),
          title,
          versions[library] ?? "",
          ...columns.map((column) => {
            const one = own.find(({ measure }) => measure === column);
            const speed = one?.parleyTo?.[parley]?.speed;
            if (!one || !speed) return "";
            const goal = resultsOf(one).find(({ contender }) => contender === parley);
            return [spread(speed), ...(goal ? [mark(goal.isMet, `≥ ${goal.bound}`)] : [])].join(" ");
          }),
        ]);
    }),
  );
  return markdownTable(["", "", "version", ...columns], rows);
}
