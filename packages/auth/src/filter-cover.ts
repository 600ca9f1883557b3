/**
 * Whether every topic that matches `wanted` matches `allowed`, by MQTT's rules (MQTT 5, 4.7): `+` is one segment, `#` its parent and all below,
 * and neither opens a topic that starts with `$`. A topic is a filter that only it matches. Takes time by the segments, never more.
 */
export function covers(allowed: string, wanted: string): boolean {
  const allows = segmentsOf(allowed);
  const wants = segmentsOf(wanted);
  for (const [index, allow] of allows.entries()) {
    const want = wants[index];
    const reserved = index === 0 && want?.startsWith("$") === true;
    if (allow === "#") return !reserved;
    if (want === undefined || want === "#") return false;
    if (allow === "+" ? reserved : allow !== want) return false;
  }
  return allows.length === wants.length;
}

/** At the top `#` has no parent: each topic has a first segment, so `+/#` says the same. */
function segmentsOf(filter: string): readonly string[] {
  return filter === "+/#" ? ["#"] : filter.split("/");
}
