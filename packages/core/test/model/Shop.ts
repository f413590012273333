/** The number and the queue behind a server, whose requests take a while, and the model that it is compared with. */
import * as GenServer from "@effect-otp/core/GenServer"
import * as Step from "@effect-otp/core/Step"
import { model } from "@effect-otp/core/testing"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Store from "./Store.ts"

type Answer = number | undefined

const Answer = Schema.UndefinedOr(Schema.Finite)

const between = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))

// Values are large, so that each tells who gave it; times are short, so that requests meet.
const Payload = Schema.Struct({ value: between(1, 1_000_000), millis: between(0, 2) })
const Bare = Schema.Struct({ millis: between(0, 2) })

class Shop extends GenServer.Service<Shop>()("test/Shop", [
  GenServer.call("read", { payload: Bare, success: Answer }),
  GenServer.call("write", { payload: Payload, success: Answer }),
  GenServer.call("add", { payload: Payload, success: Answer }),
  GenServer.call("push", { payload: Payload, success: Answer }),
  GenServer.call("pop", { payload: Bare, success: Answer }),
  GenServer.cast("tellAdd", { payload: Payload }),
  GenServer.cast("tellPush", { payload: Payload })
]) {}

type Next = Step.Call<Answer, never, Store.State>

/** What a request has the server do. `from` waits for the answer, if anybody does. */
export type Handle = (
  state: Store.State,
  input: Store.Input,
  millis: number,
  from: GenServer.From<Answer> | undefined
) => Next | Effect.Effect<Next>

/** As it should be: what the store does, at once or after a while. */
export const sound = (): Handle => (state, input, millis, from) => {
  const [answer, next] = Store.apply(state, input)
  const step = from === undefined ? Step.noReply(next) : Step.reply(answer, next)
  return millis === 0 ? step : Effect.as(Effect.sleep(millis), step)
}

type Payload = { readonly value?: number; readonly millis: number }

const inputOf = (_tag: Store.Input["_tag"], { value }: Payload): Store.Input => ({ _tag, value }) as Store.Input

const start = (handle: Handle) => {
  const call = (tag: Store.Input["_tag"]) => (state: Store.State, payload: Payload, from: GenServer.From<Answer>) =>
    handle(state, inputOf(tag, payload), payload.millis, from)
  // Without anybody to answer it does not answer.
  const cast = (tag: Store.Input["_tag"]) => (state: Store.State, payload: Payload) =>
    handle(state, inputOf(tag, payload), payload.millis, undefined) as Step.Cast<Store.State>
  return Shop.implement({
    init: () => Store.initial,
    handlers: {
      read: call("read"),
      write: call("write"),
      add: call("add"),
      push: call("push"),
      pop: call("pop"),
      tellAdd: cast("add"),
      tellPush: cast("push")
    }
  }).start()
}

const does = (tag: Store.Input["_tag"]) => (state: Store.State, payload: Payload) =>
  Store.apply(state, inputOf(tag, payload))

const tells =
  (tag: Store.Input["_tag"]) => (state: Store.State, payload: Payload): readonly [undefined, Store.State] => [
    undefined,
    does(tag)(state, payload)[1]
  ]

/** The model, beside a server that handles requests as this says. */
export const shop = (handle: () => Handle, options: { readonly looks: boolean }) =>
  model(Shop, {
    start: Effect.suspend(() => start(handle())),
    initial: Store.initial,
    requests: {
      read: does("read"),
      write: does("write"),
      add: does("add"),
      push: does("push"),
      pop: does("pop"),
      tellAdd: tells("add"),
      tellPush: tells("push")
    },
    stateOf: options.looks ? (state: Store.State) => state : undefined
  })
