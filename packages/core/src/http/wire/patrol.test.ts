import { expect, test } from "vitest";
import { manualRuntime } from "../../../test/manual-runtime.ts";
import { Patrol } from "./patrol.ts";

function patrol() {
  const { runtime, ...time } = manualRuntime();
  const state = { size: 0, looks: 0 };
  const made = new Patrol(runtime, 100, {
    look: () => {
      state.looks++;
      return state.size > 0;
    },
    needed: () => state.size > 0,
  });
  return { made, state, runtime, advance: time.advance, turn: () => new Promise<void>(runtime.nextTurn) };
}

test("what has gone when its turn ends starts no timer", async () => {
  const { made, state, runtime, turn } = patrol();
  state.size++;
  made.decide();
  state.size--;
  await turn();
  expect(made.on).toBe(false);
  expect(runtime.deadlines.size).toBe(0);
});

test("what stays is looked at each period, and the last that goes takes the timer along", async () => {
  const { made, state, runtime, advance, turn } = patrol();
  state.size++;
  made.decide();
  await turn();
  advance(350);
  expect(state.looks).toBe(3);
  state.size--;
  made.decide();
  await turn();
  expect(runtime.deadlines.size).toBe(0);
  advance(1_000);
  expect(state.looks).toBe(3);
});

test("one right after another keeps the timer", async () => {
  const { made, state, advance, turn } = patrol();
  state.size++;
  made.start();
  advance(90);
  state.size--;
  made.decide();
  state.size++;
  await turn();
  advance(20);
  expect(state.looks).toBe(1);
});

test("after stop nothing begins any more", async () => {
  const { made, state, runtime, turn } = patrol();
  state.size++;
  made.decide();
  made.stop();
  await turn();
  made.start();
  expect(runtime.deadlines.size).toBe(0);
});
