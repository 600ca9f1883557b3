/** What the work below takes on an unloaded machine of the kind the times were chosen on, ms. */
const REFERENCE_MS = 60;

/**
 * How much slower than a common developer machine this one is now, 1 to 8. All times of the suite are multiplied by it, so that
 * a loaded CI machine does not fail a sound wire.
 */
export function calibrate(): number {
  const rounds = [work(), work(), work()].sort((one, other) => one - other);
  return Math.min(8, Math.max(1, Math.round(((rounds[1] ?? REFERENCE_MS) / REFERENCE_MS) * 10) / 10));
}

function work(): number {
  const start = performance.now();
  const event = {
    specversion: "1.0",
    id: "calibration",
    source: "/conformance",
    type: "conformance.echo.v1",
    data: { text: "x".repeat(40) },
  };
  let length = 0;
  for (let round = 0; round < 40_000; round++) length += JSON.stringify(JSON.parse(JSON.stringify(event))).length;
  return length > 0 ? performance.now() - start : REFERENCE_MS;
}
