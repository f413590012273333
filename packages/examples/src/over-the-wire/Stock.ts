/** What the two sides share: the protocol, and nothing of the server. */
import { GenServer } from "@effect-otp/core"
import { Schema } from "effect"

export class NotEnough extends Schema.TaggedError<NotEnough>()("NotEnough", { left: Schema.Finite }) {}

export class Stock extends GenServer.Service<Stock>()("examples/Stock", [
  GenServer.cast("add", { payload: { count: Schema.Finite } }),
  GenServer.call("take", { payload: { count: Schema.Finite }, success: Schema.Finite, error: NotEnough }),
  GenServer.call("drop")
]) {}
