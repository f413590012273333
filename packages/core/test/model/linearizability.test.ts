/** The search for an order itself: what it explains, and what it must refuse. */
import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import * as scale from "../../../../test-scale.ts"
import { explain, type History, type Operation } from "../../src/testing/internal/linearizability.ts"
import * as Store from "./Store.ts"

type Answer = number | undefined
const store = { initial: Store.initial, apply: Store.apply }
type Op = Operation<Store.Input, Answer>

const read = { _tag: "read" } as const
const pop = { _tag: "pop" } as const
const write = (value: number) => ({ _tag: "write", value }) as const
const add = (value: number) => ({ _tag: "add", value }) as const
const push = (value: number) => ({ _tag: "push", value }) as const

/** One that has returned. */
const op = (client: string, invoked: number, input: Store.Input, returned: number, answer?: number): Op => ({
  client,
  input,
  invoked,
  returned,
  answer,
  optional: false
})

/** One that happens, at a time that nobody knows. */
const sent = (client: string, invoked: number, input: Store.Input): Op => op(client, invoked, input, Infinity)

/** One of which nobody knows whether it has happened. */
const lost = (client: string, invoked: number, input: Store.Input): Op => ({
  ...sent(client, invoked, input),
  optional: true
})

const explained: ReadonlyArray<readonly [string, History<Store.Input, Answer>]> = [
  ["nothing", []],
  ["a read during a write that sees it", [op("a", 0, write(1), 3), op("b", 1, read, 2, 1)]],
  ["a read during a write that does not", [op("a", 0, write(1), 3), op("b", 1, read, 2, 0)]],
  ["increments at the same time, in either order", [op("a", 0, add(1), 3, 2), op("b", 1, add(1), 2, 1)]],
  [
    "a later read that sees what an earlier one did not",
    [op("a", 0, write(1), 5), op("b", 1, read, 2, 0), op("b", 3, read, 4, 1)]
  ],
  ["values from a queue", [
    op("a", 0, push(1), 5),
    op("b", 1, push(2), 4),
    op("c", 6, pop, 7, 2),
    op("c", 8, pop, 9, 1)
  ]],
  ["a pop of what somebody is about to push", [op("a", 0, push(1), 3), op("b", 1, pop, 2, 1)]],
  ["what nobody knows of, done", [lost("a", 0, write(1)), op("b", 8, read, 9, 1)]],
  ["what nobody knows of, not done", [lost("a", 0, write(1)), op("b", 8, read, 9, 0)]],
  ["what nobody knows of, done late", [lost("a", 0, write(1)), op("b", 1, read, 2, 0), op("b", 3, read, 4, 1)]],
  ["what was sent, and is done late", [sent("a", 0, write(1)), op("b", 1, read, 2, 0)]]
]

const refused: ReadonlyArray<readonly [string, History<Store.Input, Answer>]> = [
  ["a read of what was replaced before", [op("a", 0, write(1), 1), op("b", 2, read, 3, 0)]],
  ["a read of what nobody wrote", [op("a", 0, write(1), 3), op("b", 1, read, 2, 7)]],
  ["a lost update", [op("a", 0, add(1), 3, 1), op("b", 1, add(1), 2, 1)]],
  [
    "a later read that does not see what an earlier one did",
    [op("a", 0, write(1), 5), op("b", 1, read, 2, 1), op("c", 3, read, 4, 0)]
  ],
  ["values in another order than they were pushed", [
    op("a", 0, push(1), 1),
    op("a", 2, push(2), 3),
    op("b", 4, pop, 5, 2)
  ]],
  ["a value that comes twice", [op("a", 0, push(1), 1), op("b", 2, pop, 5, 1), op("c", 3, pop, 4, 1)]],
  ["a value that never comes", [op("a", 0, push(1), 1), op("b", 2, pop, 3)]],
  ["a read before the write was asked for", [op("b", 0, read, 1, 1), op("a", 2, write(1), 3)]],
  ["what was sent by the same client, and is done after its next call", [
    sent("a", 0, write(1)),
    op("a", 1, read, 2, 0)
  ]],
  ["what nobody knows of, done after the next call of the same client", [
    lost("a", 0, add(1)),
    op("a", 1, read, 2, 0),
    op("a", 3, read, 4, 1)
  ]],
  ["what nobody knows of, done twice", [
    lost("a", 0, add(1)),
    op("b", 1, read, 2, 1),
    op("b", 3, read, 4, 2)
  ]],
  ["two who disagree on the order of two writes", [
    op("a", 0, write(1), 20),
    op("b", 1, write(2), 21),
    op("c", 2, read, 3, 1),
    op("c", 4, read, 5, 2),
    op("d", 6, read, 7, 1)
  ]]
]

const upTo = (maximum: number) => Schema.Int.check(Schema.isBetween({ minimum: 0, maximum }))

const Some = Schema.Array(Schema.Struct({
  client: Schema.Literals(["a", "b", "c"]),
  what: Schema.Literals(["read", "write", "add", "push", "pop"]),
  value: upTo(2),
  answer: upTo(3),
  from: upTo(9),
  lasts: upTo(6),
  known: Schema.Literals(["returned", "returned", "returned", "sent", "lost"])
}))

const inputOf = ({ value, what }: { readonly value: number; readonly what: Store.Input["_tag"] }): Store.Input =>
  ({ _tag: what, value }) as Store.Input

/** Every order of some of these operations. */
const orders = (history: History<Store.Input, Answer>): ReadonlyArray<ReadonlyArray<Op>> => [
  ...(history.some(({ optional }) => !optional) ? [] : [[]]),
  ...history.flatMap((first) => orders(history.filter((each) => each !== first)).map((rest) => [first, ...rest]))
]

/** Whether an order is one in which the history can have happened, taken literally. */
const holds = (history: History<Store.Input, Answer>, order: ReadonlyArray<Op>): boolean => {
  let state = Store.initial
  for (const [i, each] of order.entries()) {
    for (const later of order.slice(i + 1)) {
      if (later.returned < each.invoked || (later.client === each.client && later.invoked < each.invoked)) return false
    }
    const [answer, next] = Store.apply(state, each.input)
    if (each.returned !== Infinity && each.answer !== answer) return false
    state = next
  }
  return history.every((each) => each.optional || order.includes(each))
}

describe("explain", () => {
  it.each(explained)("finds an order for %s", (_, history) => {
    const order = explain(store, history)
    assert.isDefined(order)
    assert.isTrue(holds(history, order!))
  })

  it.each(refused)("refuses %s", (_, history) => {
    assert.isUndefined(explain(store, history))
  })

  it.prop("agrees with trying every order", { some: Some.check(Schema.isMaxLength(5)) }, ({ some }) => {
    const history = some.map((each): Op => ({
      client: each.client,
      input: inputOf(each),
      invoked: each.from,
      returned: each.known === "returned" ? each.from + each.lasts : Infinity,
      answer: each.what === "write" || each.what === "push" || each.answer === 3 ? undefined : each.answer,
      optional: each.known === "lost"
    }))
    const order = explain(store, history)
    assert.strictEqual(order !== undefined, orders(history).some((order) => holds(history, order)))
    if (order !== undefined) assert.isTrue(holds(history, order))
  }, { arbitrary: { runs: scale.cases } })

  it.prop("explains what happened one after the other, however long each seems to last", {
    some: Some.check(Schema.isMaxLength(40))
  }, ({ some }) => {
    let state = Store.initial
    const history = some.map((each, i): Op => {
      const input = inputOf(each)
      const [answer, next] = Store.apply(state, input)
      state = next
      // It happens at 10 i, and seems to begin before and to end after that.
      return op(`client ${i}`, 10 * i - 3 * each.from, input, 10 * i + 3 * each.lasts, answer)
    })
    assert.isDefined(explain(store, history))
  }, { arbitrary: { runs: scale.cases } })
})
